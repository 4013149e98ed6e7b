"""Counts to values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def damp(
    data: NDArray[Any],  # (nnz,), float32 or float64, updated
    *,
    binary: bool,
    sublinear_tf: bool,
) -> None: ...
def weigh_rows(
    data: NDArray[Any],  # (nnz,), float32 or float64, updated
    indices: NDArray[np.int32],  # (nnz,)
    ends: NDArray[np.int64],  # (n_rows,)
    document_frequency: NDArray[np.int64],  # (n_features,) or (0,)
    *,
    smooth_idf: bool,
    n_documents: int,
    norm: int,
) -> None: ...
