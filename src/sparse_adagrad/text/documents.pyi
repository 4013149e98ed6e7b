"""Texts where they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

class Documents:
    @property
    def n(self) -> int: ...
    @property
    def utf8(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...  # (n,)
    def __len__(self) -> int: ...
    def __getitem__(self, i: int) -> str: ...
    @staticmethod
    def of_strings(texts: list[str]) -> Documents: ...
    @staticmethod
    def of_arrow(column: Any, empty_if_missing: bool) -> Documents: ...
    @staticmethod
    def of_utf8(
        text: NDArray[np.uint8],
        offsets: NDArray[np.int32],  # (n + 1,)
    ) -> Documents: ...

def missing_text(i: int, value: Any) -> str: ...
