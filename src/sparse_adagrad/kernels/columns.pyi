"""Columns of a whole data set."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMN_DTYPE: np.dtype[np.void]

def observe_columns(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    rows: NDArray[np.int64],  # (n_visited,) or (0,) for all
    columns: NDArray[np.void],  # (n_features,) COLUMN_DTYPE, updated
) -> None: ...
def median_largest(columns: NDArray[np.void]) -> float: ...
def scale_columns(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    column_units: NDArray[np.float64],  # (n_features,)
    out: NDArray[Any],  # (nnz,) dtype of data, written
) -> None: ...
