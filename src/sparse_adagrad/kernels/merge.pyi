from typing import Any

import numpy as np
from numpy.typing import NDArray

def merge_copies(
    pairs: NDArray[Any],  # (n_places, 2, n_outputs) float32 or float64
    merged: NDArray[Any],  # (n_hot, 2, n_outputs) dtype of pairs, updated
    first: int,
    last: int,
    copies_start: int,
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE
    pull: NDArray[np.float64],  # (n_outputs,)
) -> None: ...
def merge_scalars(
    totals: NDArray[np.void],  # (1,) TOTALS_DTYPE, updated
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE, updated
    own_totals: NDArray[np.void],  # (n_threads, 1) TOTALS_DTYPE
    own_outputs: NDArray[np.void],  # (n_threads, n_outputs) OUTPUT_DTYPE
    pace: NDArray[np.float64],  # (2, n_outputs)
    batch_size: int,
) -> NDArray[np.float64]: ...  # (n_outputs,)
