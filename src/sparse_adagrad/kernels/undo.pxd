"""What a row is about to change, kept beside its entries."""

from libc.string cimport memcpy

from sparse_adagrad.kernels.scales cimport index_t
from sparse_adagrad.kernels.step cimport state_t


# Where the entries of all rows have a place each; NULL where nothing is kept.
cdef struct Log:
    void* pairs
    void* column_max


cdef inline void log_row(
    const Log* log,
    Py_ssize_t place,
    const state_t* pairs,
    const state_t* column_max,
    const index_t* indices,
    Py_ssize_t row_nnz,
    Py_ssize_t n_outputs,
) noexcept nogil:
    """Keep the state of the row's columns, its first entry's at ``place``."""
    cdef size_t size = 2 * n_outputs
    cdef state_t* kept = <state_t*> log.pairs + place * size
    cdef state_t* kept_max
    cdef Py_ssize_t k
    if n_outputs == 1:
        for k in range(row_nnz):
            # Of a known size, this is one load and one store.
            memcpy(kept + 2 * k, pairs + 2 * indices[k], 2 * sizeof(state_t))
    else:
        for k in range(row_nnz):
            memcpy(kept + k * size, pairs + indices[k] * size, size * sizeof(state_t))
    if log.column_max != NULL:
        kept_max = <state_t*> log.column_max + place
        for k in range(row_nnz):
            kept_max[k] = column_max[indices[k]]
