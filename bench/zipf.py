"""Made text: rows whose columns follow Zipf's law, with TF-IDF values of length 1.

It stands for a hashed bag of words wherever a benchmark must run without a data set:
columns are numbered at random, as hashing does it, and sorted within a row.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse as sp

# Zipf-Mandelbrot: the frequency of the word of rank r is 1 / (r + 10).
RANK_SHIFT = 10.0


def zipf_rows(
    n_rows: int,
    n_columns: int,
    mean_nnz: float,
    *,
    dtype: str = "float32",
    index_dtype: str = "int32",
    seed: int = 0,
) -> sp.csr_array:
    """TF-IDF rows of length 1 with about `mean_nnz` different words each."""
    rng = np.random.default_rng(seed)
    frequency = 1.0 / (np.arange(n_columns) + RANK_SHIFT)
    cumulative = np.cumsum(frequency / frequency.sum())
    draws = draws_for(mean_nnz, frequency / frequency.sum())
    lengths = np.maximum(1, rng.poisson(draws, n_rows))
    number_of = rng.permutation(n_columns)
    ranks = np.searchsorted(cumulative, rng.random(lengths.sum()))
    words = number_of[np.minimum(ranks, n_columns - 1)]
    # One key an entry: sorted, they are the rows in order with repeats side by side.
    keys = np.sort(np.repeat(np.arange(n_rows), lengths) * n_columns + words)
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(starts, append=len(keys))
    rows, columns = np.divmod(keys[starts], n_columns)
    document_frequency = np.bincount(columns, minlength=n_columns)
    idf = np.log((1 + n_rows) / (1 + document_frequency)) + 1
    values = counts * idf[columns]
    values /= np.sqrt(np.bincount(rows, values**2, minlength=n_rows))[rows]
    indptr = np.searchsorted(rows, np.arange(n_rows + 1))
    X = sp.csr_array((n_rows, n_columns), dtype=dtype)
    X.data = values.astype(dtype)
    X.indices, X.indptr = columns.astype(index_dtype), indptr.astype(index_dtype)
    return X


def draws_for(mean_nnz: float, probability: np.ndarray) -> float:
    """How many draws leave so many different words on average."""
    low, high = mean_nnz, 1000.0 * mean_nnz
    for _ in range(50):
        middle = (low + high) / 2
        different = -np.expm1(-middle * probability).sum()
        low, high = (middle, high) if different < mean_nnz else (low, middle)
    return low


def zipf_target(X: sp.csr_array, *, noise: float = 0.5, seed: int = 1) -> np.ndarray:
    """A linear target of mean 0 and spread 1 beside its noise."""
    rng = np.random.default_rng(seed)
    signal = X @ rng.normal(size=X.shape[1])
    signal = (signal - signal.mean()) / signal.std()
    return signal + noise * rng.normal(size=len(signal))
