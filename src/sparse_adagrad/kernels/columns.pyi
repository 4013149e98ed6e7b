"""Columns of a whole data set."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def mark(
    columns: NDArray[Any],  # (n,) int32 or int64
) -> NDArray[np.uint8]: ...
def count_entries(
    indices: NDArray[Any],  # (n_entries,) int32 or int64
    counts: NDArray[Any],  # (n_features,) int32 or int64, updated
) -> None: ...
def scale_rows(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    weights: NDArray[np.float64],  # (n_rows,) or (0,) for all of weight 1
    n_features: int,
    columns: NDArray[np.int64],  # (n_columns,)
    units: NDArray[np.float64],  # (n_columns,)
    starts: NDArray[np.int64],  # (n_rows,), written
) -> tuple[NDArray[Any], float, float]: ...  # (n_copied,) dtype of data; sums
def by_frequency(
    counts: NDArray[Any],  # (n_features,) int32 or int64
    place_of: NDArray[Any],  # (n_features,) dtype of counts, written
) -> NDArray[np.int64]: ...
def renumber(
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    first: int,
    last: int,
    place_of: NDArray[Any],  # (n_features,) int32 or int64
    n_hot: int,
    copies: NDArray[Any],  # (n_rows,) dtype of place_of
    out: NDArray[Any],  # (nnz,) dtype of place_of, written
) -> None: ...
