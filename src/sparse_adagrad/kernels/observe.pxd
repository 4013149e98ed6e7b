"""A row of a stream: it moves the scales of columns, is taken in them and measured."""

from libc.stdint cimport int64_t
from libc.string cimport memset

from sparse_adagrad.kernels.cpu cimport sa_measured, sa_variant
from sparse_adagrad.kernels.scales cimport (
    EARLY_ROWS,
    LATE_ROWS,
    LATE_STRIDE,
    N_BINS,
    ROW_STRIDE,
    SCALING_AUTO,
    SCALING_NONE,
    Scaling,
    Totals,
    bin_of,
    column_unit,
    data_t,
    index_t,
    is_beyond,
    twice_median,
)
from sparse_adagrad.kernels.step cimport state_t


cdef inline sa_measured measure_row(
    const sa_variant* variant,
    const state_t* x,
    const index_t* indices,
    Py_ssize_t row_nnz,
    state_t* column_max,
    state_t* kept,
) noexcept nogil:
    """Measure the row, and let it raise its columns' largest |x|, if these are given.

    What they were before is kept, if there is a place for it.
    """
    if state_t is float:
        if index_t is int:
            return variant.f32_i32.measure_row(x, indices, row_nnz, column_max, kept)
        else:
            return variant.f32_i64.measure_row(x, indices, row_nnz, column_max, kept)
    else:
        if index_t is int:
            return variant.f64_i32.measure_row(x, indices, row_nnz, column_max, kept)
        else:
            return variant.f64_i64.measure_row(x, indices, row_nnz, column_max, kept)


cdef inline int64_t weight_in_median(const Totals* totals) noexcept nogil:
    """How often a row counts in the columns' median, and so in their limit; mostly 0.

    A limit that a `fit` has measured (no bin is filled then) is kept.
    """
    cdef int64_t n_seen = <int64_t> totals.n_seen
    if totals.column_limit > 0.0 and totals.column_reference == 0.0:
        return 0
    if n_seen < LATE_ROWS:
        return n_seen < EARLY_ROWS or n_seen % ROW_STRIDE == 0
    return 0 if n_seen % LATE_STRIDE else LATE_STRIDE // ROW_STRIDE


cdef inline void move_limit(
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    const state_t* column_max,
    int64_t weight,
    Totals* totals,
    int64_t* bins,
) noexcept nogil:
    """Let the entries of a row that has raised the maxima move the median of these.

    The histogram begins with the largest of the first row that has one, and anew with
    one that is beyond it: what came before is nothing beside that.
    """
    cdef double most = 0.0
    cdef Py_ssize_t k
    for k in range(row_nnz):
        if data[k] != 0:
            most = max(most, <double> column_max[indices[k]])
    # A value may be nothing in the state's type.
    if most == 0.0:
        return
    if totals.column_reference == 0.0 or is_beyond(most, totals.column_reference):
        totals.column_reference = most
        memset(bins, 0, N_BINS * sizeof(int64_t))
    for k in range(row_nnz):
        if data[k] != 0 and column_max[indices[k]] > 0:
            bins[bin_of(column_max[indices[k]], totals.column_reference)] += weight
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
    const sa_variant* variant,
    Scaling scaling,
    const data_t* data,
    const index_t* indices,
    Py_ssize_t row_nnz,
    state_t* column_max,
    Totals* totals,
    int64_t* bins,
    state_t* kept,
    state_t* x,
    double* length_sq,
) noexcept nogil:
    """Let the row move the columns' scales; returns it in their units.

    Its squared length in these is written.
    """
    cdef const state_t* values = row_values(data, row_nnz, x)
    cdef sa_measured measured = measure_row(
        variant, values, indices, row_nnz,
        column_max if scaling != SCALING_NONE else NULL, kept,
    )
    length_sq[0] = measured.sq_sum
    if scaling == SCALING_NONE:
        return values
    cdef int64_t weight = weight_in_median(totals)
    if weight:
        move_limit(data, indices, row_nnz, column_max, weight, totals, bins)
    # Most rows have no outlying column, and need no copy.
    if (
        scaling == SCALING_AUTO
        and column_unit(SCALING_AUTO, measured.largest, totals.column_limit) == 1.0
    ):
        return values
    scale_row(scaling, data, indices, row_nnz, column_max, totals.column_limit, x)
    length_sq[0] = measure_row(
        variant, <const state_t*> x, indices, row_nnz, NULL, NULL
    ).sq_sum
    return x
