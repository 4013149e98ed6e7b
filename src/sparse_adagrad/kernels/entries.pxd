"""What every pass over entries needs, whoever makes it."""

from sparse_adagrad.kernels.cpu cimport NEAR_BYTES, sa_prefetch_bytes
from sparse_adagrad.kernels.scales cimport data_t, index_t

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
