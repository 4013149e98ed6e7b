"""Scales of a whole data set, measured in `fit` before the first epoch."""

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


def observe_targets(
    const double[:, ::1] y,
    const int64_t[::1] rows,
    const double[::1] sample_weight,
    Totals[::1] totals,
    Output[::1] outputs,
):
    """Add samples to the running mean and spread of every output.

    In the order of ``rows`` (int64; empty: all, in sequence), so that samples of
    weight 0, which the caller leaves out, count for nothing.
    """
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
