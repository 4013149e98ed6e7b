"""The words behind the largest weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.text.counter import TfidfCounter

Words = list[tuple[str, float]]
# Columns looked up at a time.
STEP = 256


def words_by_weight(
    vectorizer: TfidfCounter, coef: NDArray[Any], n: int
) -> tuple[Words, Words]:
    """Find the words that raise a prediction most, and those that lower it most.

    Parameters
    ----------
    vectorizer : TfidfCounter
        With tokens kept.
    coef : ndarray of shape (n_features,)
    n : int
        How many of each.

    Returns
    -------
    raising, lowering : list of (str, float)
        The most frequent word of a column and its weight, largest first; fewer than
        `n` where there are no more.
    """
    order = np.argsort(-np.abs(coef), kind="stable")[: np.count_nonzero(coef)]
    raising: Words = []
    lowering: Words = []
    for start in range(0, len(order), STEP):
        columns = order[start : start + STEP]
        words, signs = vectorizer.column_tokens(columns)
        for word, weight in zip(words, (coef[columns] * signs).tolist(), strict=True):
            (raising if weight > 0 else lowering).append((word, weight))
        if min(len(raising), len(lowering)) >= n:
            break
    return raising[:n], lowering[:n]
