"""Scales of a whole data set, measured in `fit` before the first epoch.

Rows are visited in the order of ``rows`` (int64; empty: all, in sequence), so that
samples of weight 0, which the caller leaves out, count for nothing.
"""

import numpy as np

TOTALS_DTYPE = np.dtype([(name, np.float64) for name in (
    "n_seen", "weight_sum", "row_sq_sum", "column_limit", "column_reference",
    "column_scaling",
)])
OUTPUT_DTYPE = np.dtype([(name, np.float64) for name in (
    "intercept", "intercept_grad_sq_sum", "base", "y_mean", "y_sq_sum", "l1", "l2",
    "eps", "baseline_loss_sum", "strength",
)])
N_HISTOGRAM_BINS = N_BINS
SCALINGS = {None: SCALING_NONE, "auto": SCALING_AUTO, "max_abs": SCALING_MAX_ABS}


def observe_columns(
    const data_t[::1] data,
    const index_t[::1] indices,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    double[::1] column_max,
    int64_t[::1] column_count,
):
    """Raise ``column_max`` to the largest |x|; count the entries that are not 0."""
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else indptr.shape[0] - 1
    cdef Py_ssize_t r, i, k
    cdef double size
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            for k in range(indptr[i], indptr[i + 1]):
                size = fabs(data[k])
                if size > 0.0:
                    column_count[indices[k]] += 1
                    column_max[indices[k]] = fmax(column_max[indices[k]], size)


def scale_columns(
    const data_t[::1] data,
    const index_t[::1] indices,
    const double[::1] column_units,
    data_t[::1] out,
):
    """Write every entry in its column's unit to ``out``."""
    cdef Py_ssize_t k
    with nogil:
        for k in range(out.shape[0]):
            out[k] = <data_t> (data[k] / column_units[indices[k]])


def row_sq_sum(
    const data_t[::1] data,
    const offset_t[::1] indptr,
    const int64_t[::1] rows,
    const double[::1] sample_weight,
):
    """Weighted sum of the rows' squared lengths (weights empty: all 1)."""
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else indptr.shape[0] - 1
    cdef Py_ssize_t r, i, k
    cdef double total = 0.0
    cdef double length_sq
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            length_sq = 0.0
            for k in range(indptr[i], indptr[i + 1]):
                length_sq += <double> data[k] * <double> data[k]
            total += length_sq * (sample_weight[i] if sample_weight.shape[0] else 1.0)
    return total


def observe_targets(
    const double[:, ::1] y,
    const int64_t[::1] rows,
    const double[::1] sample_weight,
    Totals[::1] totals,
    Output[::1] outputs,
):
    """Add the samples to the running mean and spread of every output."""
    cdef Py_ssize_t n_rows = rows.shape[0] if rows.shape[0] else y.shape[0]
    cdef Py_ssize_t r, i, o
    cdef double weight
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            weight = sample_weight[i] if sample_weight.shape[0] else 1.0
            totals[0].weight_sum += weight
            for o in range(outputs.shape[0]):
                observe_target(&outputs[o], y[i, o], weight, totals[0].weight_sum)
