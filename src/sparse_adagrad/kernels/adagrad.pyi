"""Entry points of the learner."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

class Settings:
    """What stays the same during a call."""

    @property
    def scaled(self) -> bool: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def decay(self) -> float: ...
    def __init__(
        self,
        *,
        loss: str,
        loss_parameter: float,
        eta0: float,
        eps: float,
        scaled: bool,
        fit_intercept: bool,
        running: bool,
        batch_size: int,
        decay: float,
    ) -> None: ...

def train(
    settings: Settings,
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    scaled: NDArray[Any],  # (n_scaled,) dtype of data
    scaled_starts: NDArray[np.int64],  # (n_rows,) or (0,)
    y: NDArray[np.float64],  # (n_rows, n_outputs)
    sample_weight: NDArray[np.float64],  # (n_rows,) or (0,)
    rows: NDArray[np.int64],  # (n_visited,) or (0,) for all
    start: int,
    stop: int,
    pairs: NDArray[Any],  # (n_features, 2, n_outputs) float32 or float64, updated
    shared: bool,
    column_max: NDArray[Any],  # (n_features,) or (0,), dtype of pairs, updated
    totals: NDArray[np.void],  # (1,) TOTALS_DTYPE, updated
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE, updated
    bins: NDArray[np.int64],  # (N_HISTOGRAM_BINS,), updated
    log_pairs: NDArray[Any],  # (>= log_size,) or (0,), written
    log_max: NDArray[Any],  # (>= nnz,) or (0,), written
    place_of: NDArray[np.uint32],  # (n_features,) or (0,), zeros
    alpha: NDArray[np.float64],  # (n_outputs, 2)
    loss_sums: NDArray[np.float64],  # (n_outputs, 2), updated
) -> int: ...
def start_at_mean(settings: Settings, outputs: NDArray[np.void]) -> None: ...
def learning_pace(
    settings: Settings, totals: NDArray[np.void], outputs: NDArray[np.void]
) -> NDArray[np.float64]: ...  # (2, n_outputs)
def least_addend(
    settings: Settings,
    totals: NDArray[np.void],
    outputs: NDArray[np.void],
    weight: float,
) -> float: ...
def deflate(
    pairs: NDArray[Any],  # (n_features, 2, n_outputs) float32 or float64, updated
    totals: NDArray[np.void],  # (1,) TOTALS_DTYPE, updated
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE, updated
    factor: float,
    least_root: float,
) -> None: ...
def ridge_alpha(
    settings: Settings, totals: NDArray[np.void], outputs: NDArray[np.void]
) -> NDArray[np.float64]: ...  # (n_outputs,)
