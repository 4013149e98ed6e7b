"""What a row is about to change, kept beside its entries."""

from libc.string cimport memcpy

from sparse_adagrad.kernels.scales cimport index_t
from sparse_adagrad.kernels.step cimport state_t


cdef inline void log_row(
    state_t* kept,
    const state_t* pairs,
    const index_t* indices,
    Py_ssize_t row_nnz,
    Py_ssize_t n_outputs,
) noexcept nogil:
    """Keep the pairs of the row's columns. `observe_row` keeps their largest |x|."""
    cdef size_t size = 2 * n_outputs
    cdef Py_ssize_t k
    if n_outputs == 1:
        for k in range(row_nnz):
            # Of a known size, this is one load and one store.
            memcpy(kept + 2 * k, pairs + 2 * indices[k], 2 * sizeof(state_t))
    else:
        for k in range(row_nnz):
            memcpy(kept + k * size, pairs + indices[k] * size, size * sizeof(state_t))
