"""Structure check of CSR arrays."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

OK: Final[int]
INDPTR_EMPTY: Final[int]
INDPTR_START: Final[int]
INDPTR_FALLS: Final[int]
INDPTR_END: Final[int]
INDEX_RANGE: Final[int]
NOT_FINITE: Final[int]
TOO_LARGE: Final[int]

def check_offsets(
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    size: int,
) -> tuple[int, int]: ...
def check_entries(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    weights: NDArray[np.float64],  # (n_rows,) or (0,) for all of weight 1
    first: int,
    last: int,
    n_features: int,
    largest: float,
    floor: float,
    column_max: NDArray[Any],  # (n_features,) or (0,), dtype of data, updated
    marks: NDArray[np.uint8],  # of `columns.mark`, or (0,)
) -> tuple[int, int, int, bool, float]: ...
def has_duplicates(
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    n_features: int,
) -> bool: ...
def take_rows(
    data: NDArray[Any],  # (>= nnz,) float32 or float64
    indices: NDArray[Any],  # (>= nnz,) int32 or int64
    indptr: NDArray[Any],  # (n_rows + 1,) int32 or int64
    rows: NDArray[np.int64],  # (n_taken,)
    out_data: NDArray[Any],  # (nnz of these,) dtype of data, written
    out_indices: NDArray[Any],  # (nnz of these,) dtype of indices, written
) -> None: ...
def take_runs(
    rows: NDArray[np.int64],  # (n_rows,)
    starts: NDArray[np.int64],  # (n_runs,)
    run: int,
    out: NDArray[np.int64],  # (n_rows,), written
) -> None: ...
