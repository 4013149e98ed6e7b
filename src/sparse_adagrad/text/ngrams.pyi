"""Documents to counts of hashed n-grams."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

ANALYZERS: dict[str, int]

class StopWords:
    def __init__(self, words: Iterable[str]) -> None: ...

def count_ngrams(
    documents: list[str],
    *,
    analyzer: str,
    lowercase: bool,
    alternate_sign: bool,
    ngram_range: tuple[int, int],
    n_features: int,
    stop_words: StopWords | None,
) -> tuple[
    NDArray[np.int32],  # indices, (nnz,)
    NDArray[np.int32],  # counts, (nnz,)
    NDArray[np.int64],  # indptr, (n_documents + 1,)
]: ...
def add_documents(
    indices: NDArray[np.int32],  # (nnz,)
    document_frequency: NDArray[np.int64],  # (n_features,), updated
    by: int,
) -> None: ...
