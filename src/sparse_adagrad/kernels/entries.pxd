"""What every pass over entries needs, whoever makes it."""

from libc.math cimport fabs, fabsf

from sparse_adagrad.kernels.cpu cimport NEAR_BYTES, sa_prefetch_bytes
from sparse_adagrad.kernels.scales cimport data_t, index_t
from sparse_adagrad.kernels.step cimport state_t

cdef enum:
    # Rows in sequence are asked for so many rows ahead: memory streams faster than by
    # the CPU's own foresight.
    ROWS_AHEAD = 4


cdef inline bint lies_far(Py_ssize_t n_numbers, size_t itemsize) noexcept nogil:
    """Whether numbers by column, of one thread's own, are worth asking for ahead."""
    return n_numbers * <Py_ssize_t> itemsize > NEAR_BYTES[False]


cdef inline void fetch_entries(
    const data_t* data, const index_t* indices, Py_ssize_t row_nnz
) noexcept nogil:
    """Ask for the entries of a row to come."""
    sa_prefetch_bytes(indices, row_nnz * sizeof(index_t))
    sa_prefetch_bytes(data, row_nnz * sizeof(data_t))


cdef inline state_t raise_row(
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    state_t* largest,
) noexcept nogil:
    """Let the row's entries raise their column's largest |x|; the largest of these."""
    # Two by two: one maximum waits for the one before it.
    cdef state_t even = 0
    cdef state_t odd = 0
    cdef Py_ssize_t k
    for k from 0 <= k < row_nnz - 1 by 2:
        even = max(even, raise_one(data[k], &largest[indices[k]]))
        odd = max(odd, raise_one(data[k + 1], &largest[indices[k + 1]]))
    if row_nnz % 2:
        odd = max(odd, raise_one(data[row_nnz - 1], &largest[indices[row_nnz - 1]]))
    return max(even, odd)


cdef inline state_t raise_one(data_t x, state_t* largest) noexcept nogil:
    cdef state_t size = <state_t> (fabsf(x) if data_t is float else fabs(x))
    # No branch: which rise cannot be foretold.
    largest[0] = max(largest[0], size)
    return largest[0]
