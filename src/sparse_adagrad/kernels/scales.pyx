"""Scales of a whole data set, measured in `fit` before the first epoch.

Rows are visited in the order of ``rows`` (int64; empty: all, in sequence), so that
samples of weight 0, which the caller leaves out, count for nothing.
"""

import numpy as np

TOTALS_DTYPE = np.dtype([(name, np.float64) for name in (
    "n_seen", "weight_sum", "row_sq_sum", "column_limit", "column_reference",
    "column_scaling", "inflation", "deflated",
)])
OUTPUT_DTYPE = np.dtype([(name, np.float64) for name in (
    "intercept", "intercept_grad_sq_sum", "base", "y_mean", "y_sq_sum", "l1", "l2",
    "eps", "baseline_loss_sum", "strength",
)])
N_HISTOGRAM_BINS = N_BINS
SCALINGS = {None: SCALING_NONE, "auto": SCALING_AUTO, "max_abs": SCALING_MAX_ABS}


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
    # Four sums side by side: one would wait for itself at every entry.
    cdef double a, b, c, d
    with nogil:
        for r in range(n_rows):
            i = rows[r] if rows.shape[0] else r
            a = b = c = d = 0.0
            k = indptr[i]
            while k + 3 < indptr[i + 1]:
                a += <double> data[k] * data[k]
                b += <double> data[k + 1] * data[k + 1]
                c += <double> data[k + 2] * data[k + 2]
                d += <double> data[k + 3] * data[k + 3]
                k += 4
            for k in range(k, indptr[i + 1]):
                a += <double> data[k] * data[k]
            total += ((a + b) + (c + d)) * (
                sample_weight[i] if sample_weight.shape[0] else 1.0
            )
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
