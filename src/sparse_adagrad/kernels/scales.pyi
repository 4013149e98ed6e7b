"""The layout of the model's scalars."""

from typing import Final

import numpy as np

TOTALS_DTYPE: Final[np.dtype[np.void]]
OUTPUT_DTYPE: Final[np.dtype[np.void]]
N_HISTOGRAM_BINS: Final[int]
SCALINGS: Final[dict[str | None, int]]
