"""The layout of the scales in NumPy."""

import numpy as np

TOTALS_DTYPE = np.dtype([(name, np.float64) for name in (
    "n_seen", "weight_sum", "row_sq_sum", "column_limit", "column_reference",
    "column_scaling", "inflation",
)])
OUTPUT_DTYPE = np.dtype([(name, np.float64) for name in (
    "intercept", "intercept_grad_sq_sum", "base", "y_mean", "y_sq_sum", "l1", "l2",
    "eps", "baseline_loss_sum", "strength",
)])
N_HISTOGRAM_BINS = N_BINS
SCALINGS = {None: SCALING_NONE, "auto": SCALING_AUTO, "max_abs": SCALING_MAX_ABS}
