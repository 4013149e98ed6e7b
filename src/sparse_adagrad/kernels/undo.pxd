"""What a row is about to change, kept in case that it must be undone.

(a) The pairs of one output are kept where the row is read to anyway, in its blocks of
    (u, s, w), see ``native/row.inc.h``. Several outputs' pairs are copied, an entry
    each.
(b) The largest |x| of columns are kept by `observe_row`, an entry each.
"""

from libc.string cimport memcpy

from sparse_adagrad.kernels.cpu cimport SA_ROW_LANES
from sparse_adagrad.kernels.scales cimport index_t
from sparse_adagrad.kernels.step cimport state_t


cdef inline Py_ssize_t log_place(
    Py_ssize_t offset, Py_ssize_t i, Py_ssize_t n_outputs
) noexcept nogil:
    """Where what is kept of row i starts, whose entries start at an offset."""
    if n_outputs == 1:
        return 3 * (offset + i * SA_ROW_LANES)
    return 2 * n_outputs * offset


cdef inline void log_outputs(
    state_t* kept,
    const state_t* pairs,
    const index_t* indices,
    Py_ssize_t row_nnz,
    Py_ssize_t n_outputs,
) noexcept nogil:
    """Keep the pairs of a row of several outputs."""
    cdef size_t size = 2 * n_outputs
    cdef Py_ssize_t k
    for k in range(row_nnz):
        memcpy(kept + k * size, pairs + indices[k] * size, size * sizeof(state_t))
