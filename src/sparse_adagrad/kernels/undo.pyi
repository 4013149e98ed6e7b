"""Undo what a stream's rows have changed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def log_size(nnz: int, n_samples: int, n_outputs: int) -> int: ...
def restore(
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_samples + 1,) int32 or int64
    rows: NDArray[np.int64],  # (n_rows,) or (0,) for all
    n_visited: int,
    log_pairs: NDArray[Any],  # (log_size,) dtype of pairs
    log_max: NDArray[Any],  # (nnz,) or (0,) dtype of pairs
    pairs: NDArray[Any],  # (n_features, 2, n_outputs) float32 or float64, updated
    column_max: NDArray[Any],  # (n_features,) or (0,) dtype of pairs, updated
) -> None: ...
