"""Numbers by which threads tell each other how far they are."""

import numpy as np
from numpy.typing import NDArray

def announce(
    turns: NDArray[np.int64],  # (n_threads,), updated
    thread: int,
    turn: int,
) -> None: ...
def look_for(
    turns: NDArray[np.int64],  # (n_threads,)
    thread: int,
    turn: int,
    n_looks: int,
) -> bool: ...
