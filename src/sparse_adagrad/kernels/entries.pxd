"""What every pass over entries needs, whoever makes it."""

from libc.math cimport fabs, fabsf

from sparse_adagrad.kernels.cpu cimport SA_LINE, sa_prefetch_early
from sparse_adagrad.kernels.scales cimport data_t, index_t
from sparse_adagrad.kernels.step cimport state_t

cdef enum:
    # Rows in sequence are asked for so many rows ahead: memory streams faster than by
    # the CPU's own foresight.
    ROWS_AHEAD = 4


cdef inline void fetch_entries(
    const data_t* data, const index_t* indices, Py_ssize_t row_nnz
) noexcept nogil:
    """Ask for the entries of a row to come."""
    fetch_indices(indices, row_nnz)
    cdef Py_ssize_t a_line = SA_LINE // sizeof(data_t)
    cdef Py_ssize_t k
    for k from 0 <= k < row_nnz by a_line:
        sa_prefetch_early(data + k)


cdef inline void fetch_indices(
    const index_t* indices, Py_ssize_t row_nnz
) noexcept nogil:
    cdef Py_ssize_t a_line = SA_LINE // sizeof(index_t)
    cdef Py_ssize_t k
    for k from 0 <= k < row_nnz by a_line:
        sa_prefetch_early(indices + k)


cdef inline void raise_row(
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    state_t* largest,
) noexcept nogil:
    """Let the row's entries raise their column's largest |x|."""
    cdef Py_ssize_t k
    cdef state_t size
    for k in range(row_nnz):
        size = <state_t> (fabsf(data[k]) if data_t is float else fabs(data[k]))
        # No branch: which rise cannot be foretold.
        largest[indices[k]] = max(largest[indices[k]], size)
