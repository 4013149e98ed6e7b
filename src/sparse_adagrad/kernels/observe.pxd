"""Scales of columns that run with a stream: a row moves them, and is taken in them."""

from libc.math cimport fabs
from libc.stdint cimport int64_t

from sparse_adagrad.kernels.entries cimport raise_row
from sparse_adagrad.kernels.scales cimport (
    EARLY_ROWS,
    ROW_STRIDE,
    SCALING_AUTO,
    Scaling,
    Totals,
    bin_of,
    column_unit,
    data_t,
    index_t,
    twice_median,
)
from sparse_adagrad.kernels.step cimport state_t


cdef inline bint moves_limit(const Totals* totals) noexcept nogil:
    """Whether a row moves the columns' median, and so their limit.

    A limit that a `fit` has measured (no bin is filled then) is kept.
    """
    cdef bint settled = totals.column_limit > 0.0 and totals.column_reference == 0.0
    return not settled and (
        totals.n_seen < EARLY_ROWS or <int64_t> totals.n_seen % ROW_STRIDE == 0
    )


cdef inline void move_limit(
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const state_t* column_max,
    Totals* totals,
    int64_t* bins,
) noexcept nogil:
    """Let the entries of a row that has raised the maxima move the median of these."""
    cdef Py_ssize_t k
    for k in range(row_nnz):
        if data[k] != 0:
            if totals.column_reference == 0.0:
                totals.column_reference = fabs(data[k])
            bins[bin_of(column_max[indices[k]], totals.column_reference)] += 1
    totals.column_limit = twice_median(bins, totals.column_reference)


cdef inline void scale_row(
    Scaling scaling,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const state_t* column_max,
    double limit,
    state_t* x,
) noexcept nogil:
    """Write the row to ``x`` in its columns' units."""
    cdef Py_ssize_t k
    cdef double unit
    for k in range(row_nnz):
        unit = column_unit(scaling, column_max[indices[k]], limit)
        # Most are 1, and a branch that is foretold costs less than a division.
        x[k] = <state_t> (data[k] if unit == 1.0 else data[k] / unit)


cdef inline const state_t* row_values(
    const data_t* data, Py_ssize_t row_nnz, state_t* x
) noexcept nogil:
    """The entries as they are: where they are, or else copied to ``x``."""
    cdef Py_ssize_t k
    if sizeof(data_t) == sizeof(state_t):
        return <const state_t*> <const void*> data
    for k in range(row_nnz):
        x[k] = <state_t> data[k]
    return x


cdef inline const state_t* observe_row(
    Scaling scaling,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    state_t* column_max,
    Totals* totals,
    int64_t* bins,
    state_t* x,
) noexcept nogil:
    """Let the row move the columns' scales; returns it in their units."""
    cdef double largest = raise_row(data, indices, row_nnz, column_max)
    if moves_limit(totals):
        move_limit(data, indices, row_nnz, column_max, totals, bins)
    # Most rows have no outlying column, and need no copy.
    if (
        scaling == SCALING_AUTO
        and column_unit(SCALING_AUTO, largest, totals.column_limit) == 1.0
    ):
        return row_values(data, row_nnz, x)
    scale_row(scaling, data, indices, row_nnz, column_max, totals.column_limit, x)
    return x
