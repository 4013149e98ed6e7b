"""The check of a row, from C, under names that take every type."""

from libc.stdint cimport int64_t

from sparse_adagrad.kernels.cpu cimport sa_variant
from sparse_adagrad.kernels.scales cimport data_t, index_t


cdef inline int check_row(
    const sa_variant* variant,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    int64_t n_features,
    double largest,
) noexcept nogil:
    """SA_SOUND: columns in range, values finite and not too large; SA_SORTED."""
    if data_t is float:
        if index_t is int:
            return variant.f32_i32.check_row(
                data, indices, row_nnz, n_features, largest
            )
        else:
            return variant.f32_i64.check_row(
                data, indices, row_nnz, n_features, largest
            )
    else:
        if index_t is int:
            return variant.f64_i32.check_row(
                data, indices, row_nnz, n_features, largest
            )
        else:
            return variant.f64_i64.check_row(
                data, indices, row_nnz, n_features, largest
            )


cdef inline double square_row(
    const sa_variant* variant, const data_t* data, Py_ssize_t row_nnz
) noexcept nogil:
    """Sum of squares."""
    if data_t is float:
        return variant.f32_i32.square_row(data, row_nnz)
    else:
        return variant.f64_i32.square_row(data, row_nnz)
