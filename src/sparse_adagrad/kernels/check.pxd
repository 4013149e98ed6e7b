"""The look at entries before memory is read through them, from C, for every type."""

from libc.stdint cimport int64_t

from sparse_adagrad.kernels.cpu cimport sa_inspection, sa_variant
from sparse_adagrad.kernels.scales cimport data_t, index_t, offset_t

cdef enum:
    # Of rows that are inspected together.
    ENTRIES_TOGETHER = 1 << 16


cdef inline Py_ssize_t rows_together(
    const offset_t* indptr, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """End of so many rows, from the first on, that beginning costs nothing."""
    cdef Py_ssize_t end = first + 1
    while end < last and indptr[end + 1] - indptr[first] <= ENTRIES_TOGETHER:
        end += 1
    return end


cdef inline bint inspect(
    const sa_variant* variant,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t first,
    Py_ssize_t last,
    sa_inspection* found,
) noexcept nogil:
    """Whether entries' columns are in range, and values not too large; measures them.

    The entry before the first is read too, unless that is the first of all.
    """
    if data_t is float:
        if index_t is int:
            return variant.f32_i32.inspect(data, indices, first, last, found)
        else:
            return variant.f32_i64.inspect(data, indices, first, last, found)
    else:
        if index_t is int:
            return variant.f64_i32.inspect(data, indices, first, last, found)
        else:
            return variant.f64_i64.inspect(data, indices, first, last, found)


cdef inline bint in_range(
    const sa_variant* variant,
    const index_t* indices,
    Py_ssize_t row_nnz,
    int64_t n_features,
) noexcept nogil:
    """Whether a row's columns are in range."""
    if index_t is int:
        return variant.f32_i32.in_range(indices, row_nnz, n_features)
    else:
        return variant.f32_i64.in_range(indices, row_nnz, n_features)


cdef inline bint has_few(
    const sa_variant* variant,
    const index_t* indices,
    Py_ssize_t count,
    Py_ssize_t n_left,
    const index_t* few,
) noexcept nogil:
    """Whether one of `SA_FEW` columns is among some, of so many that are left."""
    if index_t is int:
        return variant.f32_i32.has_few(indices, count, n_left, few)
    else:
        return variant.f32_i64.has_few(indices, count, n_left, few)
