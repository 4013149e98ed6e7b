"""Predict rows, and read the weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def predict_raw(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    pairs: NDArray[Any],  # (n_features, 2, n_outputs) float32 or float64
    column_max: NDArray[Any],  # (n_features,) or (0,), dtype of pairs
    totals: NDArray[np.void],  # (1,) TOTALS_DTYPE
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE
    out: NDArray[np.float64],  # (n_rows, n_outputs), written
) -> None: ...
def multiply(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    coef: NDArray[Any],  # (n_features, n_outputs) float32 or float64
    intercept: NDArray[np.float64],  # (n_outputs,)
    out: NDArray[np.float64],  # (n_rows, n_outputs), written
) -> int: ...
def read_weights(
    pairs: NDArray[Any],  # (n_features, 2, n_outputs) float32 or float64
    column_max: NDArray[Any],  # (n_features,) or (0,), dtype of pairs
    totals: NDArray[np.void],  # (1,) TOTALS_DTYPE
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE
    out: NDArray[Any],  # (n_features, n_outputs), dtype of pairs; written
) -> None: ...
