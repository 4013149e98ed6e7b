"""Documents to counts of hashed n-grams."""

from collections.abc import Collection, Iterable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.text.documents import Documents

ANALYZERS: dict[str, int]
CASES_LOCK: Lock
CASES_ARRAYS: list[Any]
CASES_ERRORS: dict[int, BaseException]
SLOT_DTYPE: np.dtype[np.void]
TEXT_DTYPE: np.dtype[np.void]

def hash_runs(
    text: bytes,
    starts: NDArray[np.int64],  # (n,), rising
    ends: NDArray[np.int64],  # (n,), rising
    avx2: bool,
) -> NDArray[np.uint32] | None: ...  # (n,)

class Plan:
    def __init__(
        self,
        *,
        analyzer: str,
        lowercase: bool,
        alternate_sign: bool,
        ngram_range: tuple[int, int],
        n_features: int,
        stop_words: Collection[Any] | None,
        note_hashes: bool,
    ) -> None: ...

class Sink:
    def __init__(self, expected_text: float) -> None: ...

def spare_memory() -> int: ...

class Counts:
    ends: NDArray[np.int64]  # (n_rows,)
    ngram_ends: NDArray[np.int64]  # (n_rows,)
    @property
    def nnz(self) -> int: ...
    @property
    def added(self) -> int: ...
    def add_to(
        self,
        document_frequency: NDArray[np.int64],  # (n_features,), updated
        by: int,
    ) -> None: ...
    def write(
        self,
        indices: NDArray[np.int32],  # (nnz,), written
        data: NDArray[Any],  # (nnz,), float32 or float64, written
    ) -> None: ...

def count_documents(
    plan: Plan, sink: Sink, documents: Documents, start: int, stop: int
) -> Counts: ...
def count_ngrams(plan: Plan, documents: Iterable[Iterable[str | bytes]]) -> Counts: ...

class Keeper:
    def __init__(
        self,
        plan: Plan,
        slots: NDArray[np.void],  # (n_features, n_slots) SLOT_DTYPE, updated
        texts: NDArray[np.void],  # TEXT_DTYPE, updated
        n_texts: NDArray[np.int64],  # (1,), updated
    ) -> None: ...
    def count(self, parts: list[Counts]) -> None: ...
    def fill(
        self, texts: Documents | list[list[str]], share: int, n_shares: int
    ) -> None: ...
