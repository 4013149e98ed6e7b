"""Lines of svmlight to CSR arrays."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BAD_TARGET: Final[int]
BAD_FEATURE: Final[int]
BAD_VALUE: Final[int]
COLUMN_0: Final[int]
COLUMN_LARGE: Final[int]
COLUMN_ORDER: Final[int]

def parse_number(text: bytes) -> tuple[float, int]: ...
def parse_lines(
    block: bytes,
    start: int,
    max_lines: int,
    final: bool,
    skip: bool,
    base: int,
    n_features: int,
    target_above: float,
) -> tuple[
    NDArray[np.float64],  # y, (n_rows,)
    NDArray[np.float64],  # data, (nnz,)
    NDArray[np.int32],  # indices, (nnz,)
    NDArray[np.int32],  # indptr, (n_rows + 1,)
    int,  # end
    int,  # n_lines
    int,  # n_skipped
    tuple[int, int, int] | None,  # code, line, place
]: ...
