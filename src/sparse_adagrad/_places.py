"""Where a fit's rows find their features, if these lie by frequency.

Frequent ones lie side by side, where they share cache lines and pages, and the most
frequent once for each thread, since a cache line that two cores write to wanders
between them at the price of a hundred additions. The kernel knows nothing of this; it
is given other indices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Rows
from sparse_adagrad._threads import on_threads
from sparse_adagrad.kernels import columns

# Entries that a thread learns from before the copies are merged, about, or its share of
# an epoch: some twenty milliseconds, beside which merging and starting anew count for
# little, and after which it sees that it is to stop.
ENTRIES_PER_MERGE = 1 << 24
# A feature has copies if a thread meets it so often between two merges, or nearly: if
# there are two threads, and for each of more, whose copies learn more of the same. Of
# two, 8 to 128 are as fast where a cache line goes to the other core and back in 80 ns;
# where it takes 400, 64 take a quarter more time than 8 or 16. The fewer copies, the
# smaller the held-out error.
MEETINGS_OF_TWO = 16
MEETINGS = 128
# Entries of a share, between two looks whether the rest is wanted: some milliseconds.
ENTRIES_PER_SHARE = 1 << 22


@dataclass(frozen=True, slots=True)
class Places:
    """Where a fit's rows find their features.

    Attributes
    ----------
    columns : ndarray of shape (n_present,), int64
        Those that have entries, in the order of their places.
    n_hot : int
        How many of the first have copies.
    indices : ndarray of shape (nnz,), int32 or int64
        The places of the rows' entries; every row leads to the copies of its thread.
    entries_per_merge : int
        Of one thread.
    """

    columns: NDArray[np.int64]
    n_hot: int
    indices: NDArray[Any]
    entries_per_merge: int


def first_copy(thread: int, n_present: int, n_hot: int) -> int:
    """Where a thread's copies start: the first's are the features themselves."""
    return 0 if thread == 0 else n_present + (thread - 1) * n_hot


def find_places(
    rows: Rows,
    parts: list[NDArray[np.int64]],
    n_threads: int,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Places:
    """Find, on so many threads, where the features of rows lie best.

    Parameters
    ----------
    rows : Rows
    parts : list of ndarray, int64
        Rows of each thread that will learn.
    n_threads : int
        That find the places.
    is_stopped : callable
        Tells, now and then, whether anyone still wants them.
    """
    share = rows.nnz // len(parts)
    merges = max(1, round(share / ENTRIES_PER_MERGE))
    counts = count_entries(rows, len(parts), n_threads, is_stopped)
    n_hot = 0
    if len(parts) > 1:
        meetings = MEETINGS_OF_TWO if len(parts) == 2 else MEETINGS * len(parts)
        often = bit_floor(meetings * len(parts) * merges)
        n_hot = int((counts >= often).sum())
    place_of = np.empty_like(counts)
    present = columns.by_frequency(counts, place_of)
    copies = np.zeros(rows.n_samples, place_of.dtype)
    for thread, part in enumerate(parts):
        copies[part] = first_copy(thread, len(present), n_hot)
    indices = np.empty(rows.nnz, place_of.dtype)

    def renumber(start: int, stop: int) -> None:
        if not is_stopped():
            arrays = rows.indices, rows.indptr
            columns.renumber(*arrays, start, stop, place_of, n_hot, copies, indices)

    ends = rows.cut(n_threads * n_shares(rows.nnz, n_threads))
    on_threads(renumber, ends[:-1], ends[1:], n_threads=n_threads)
    return Places(present, n_hot, indices, share // merges + 1)


def count_entries(
    rows: Rows, n_parts: int, n_threads: int, is_stopped: Callable[[], bool]
) -> NDArray[Any]:
    """Entries of each column: (n_features,), of a dtype that numbers places too."""
    n_places = n_parts * min(rows.nnz, rows.n_features)
    dtype = np.int32 if max(rows.nnz, n_places) < 2**31 else np.int64

    def count(start: int, stop: int) -> NDArray[Any]:
        counts = np.zeros(rows.n_features, dtype)
        ends = np.linspace(start, stop, n_shares(rows.nnz, n_threads) + 1).astype(int)
        for first, last in pairwise(ends):
            if not is_stopped():
                columns.count_entries(rows.indices[first:last], counts)
        return counts

    ends = np.linspace(0, rows.nnz, n_threads + 1).astype(int)
    counts: NDArray[Any]
    counts, *others = on_threads(count, ends[:-1], ends[1:], n_threads=n_threads)
    for other in others:
        counts += other
    return counts


def n_shares(nnz: int, n_threads: int) -> int:
    """In how many shares a thread does its part."""
    return 1 + nnz // (n_threads * ENTRIES_PER_SHARE)


def bit_floor(number: int) -> int:
    """The largest power of two that is not above a number."""
    return 1 << (number.bit_length() - 1)
