"""Records of CSV to a column of texts and one of numbers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

OPEN_QUOTE: Final[int]
AFTER_QUOTE: Final[int]
RAGGED: Final[int]
NOT_UTF8: Final[int]
BAD_TARGET: Final[int]

def split_record(
    block: bytes, final: bool, delimiter: int
) -> tuple[list[bytes] | None, int]: ...
def count_lines(block: bytes, end: int) -> int: ...
def parse_records(
    block: bytes,
    start: int,
    max_records: int,
    final: bool,
    skip: bool,
    delimiter: int,
    n_fields: int,
    text_columns: NDArray[np.int32],  # (n_texts,)
    target_column: int,
    target_above: float,
) -> tuple[
    NDArray[np.uint8],  # text
    NDArray[np.int32],  # offsets, (n_rows + 1,)
    NDArray[np.float64],  # y, (n_rows,)
    int,  # end
    int,  # n_lines
    int,  # n_skipped
    tuple[int, int, int, int, int] | None,  # code, line, n_fields, target
]: ...
