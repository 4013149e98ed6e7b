"""Scales of a whole data set, and the layout of the model's scalars."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

TOTALS_DTYPE: Final[np.dtype[np.void]]
OUTPUT_DTYPE: Final[np.dtype[np.void]]
N_HISTOGRAM_BINS: Final[int]
SCALINGS: Final[dict[str | None, int]]

def observe_targets(
    y: NDArray[np.float64],  # (n_rows, n_outputs)
    rows: NDArray[np.int64],  # (n_visited,) or (0,) for all
    sample_weight: NDArray[np.float64],  # (n_rows,) or (0,)
    totals: NDArray[np.void],  # (1,) TOTALS_DTYPE, updated
    outputs: NDArray[np.void],  # (n_outputs,) OUTPUT_DTYPE, updated
) -> None: ...
