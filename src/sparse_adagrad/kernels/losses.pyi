"""Losses and their derivatives, element by element."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LOSSES: Final[dict[str, tuple[int, str | None]]]
LINEAR: Final[frozenset[str]]

def loss(
    name: str,
    y_true: NDArray[np.float64],  # (n_samples,)
    raw_prediction: NDArray[np.float64],  # (n_samples,)
    parameter: float = 0.0,
) -> NDArray[np.float64]: ...  # (n_samples,)
def dloss(
    name: str,
    y_true: NDArray[np.float64],  # (n_samples,)
    raw_prediction: NDArray[np.float64],  # (n_samples,)
    parameter: float = 0.0,
) -> NDArray[np.float64]: ...  # (n_samples,)
