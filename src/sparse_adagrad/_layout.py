"""Where the features of a fit lie in memory while it runs.

A fit reads its rows many times, so it may lay its features out anew: frequent ones side
by side, where they share cache lines and pages, and the most frequent once for each
thread, since a cache line that two cores write to wanders between them at the price of
a hundred additions. The kernel knows nothing of this; it is given other indices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem, Rows
from sparse_adagrad._state import ModelState, aligned_zeros
from sparse_adagrad._team import Team
from sparse_adagrad._threads import on_threads
from sparse_adagrad.kernels import columns, merge

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
# Fewer entries than this are learned faster by one thread.
ENTRIES_PER_THREAD = 1 << 21
# Entries of a share, between two looks whether the rest is wanted: some milliseconds.
ENTRIES_PER_SHARE = 1 << 22
# Of so many epochs two threads gain what it costs to lay out features for them; each
# further thread gains as much, at no further cost.
EPOCHS_OF_TWO = 3
# So many features and more gain by it on one thread too, of so many epochs.
MANY_FEATURES = 1 << 20
MANY_EPOCHS = 6


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


@dataclass(frozen=True, slots=True)
class Layout:
    """Features by frequency, the hot ones once for each thread.

    Attributes
    ----------
    state : ModelState
        The model, by column; as of the last `publish`.
    by_place : ModelState
        What the kernel updates: the columns of `places` in their order, then the other
        threads' copies of the hot ones. Shares the scalars with `state`.
    problem : Problem
        Its indices are places.
    places : Places
    parts : list of ndarray, int64
        Rows of each thread.
    merged : ndarray of shape (n_hot, 2, n_outputs)
        The hot features as of the last merge.
    """

    state: ModelState
    by_place: ModelState
    problem: Problem
    places: Places
    parts: list[NDArray[np.int64]]
    merged: NDArray[Any]

    @classmethod
    def of(
        cls,
        state: ModelState,
        problem: Problem,
        places: Places,
        parts: list[NDArray[np.int64]],
    ) -> Layout:
        """Lay out a model's features for threads that visit these rows."""
        n_present, n_hot = len(places.columns), places.n_hot
        n_places = n_present + (len(parts) - 1) * n_hot
        pairs = aligned_zeros((n_places, *state.pairs.shape[1:]), state.pairs.dtype)
        as_items(pairs)[:n_present] = as_items(state.pairs)[places.columns]
        for thread in range(1, len(parts)):
            first = first_copy(thread, n_present, n_hot)
            pairs[first : first + n_hot] = pairs[:n_hot]
        rows = replace(problem.rows, indices=places.indices, n_features=n_places)
        return cls(
            state,
            replace(state, pairs=pairs, n_features=n_places),
            replace(problem, rows=rows),
            places,
            parts,
            pairs[:n_hot].copy(),
        )

    def merge(self, pull: NDArray[np.float64], team: Team) -> None:
        """Bring the copies of the hot features together; see `merge.merge_copies`."""
        n_hot = len(self.merged)
        ends = np.linspace(0, n_hot, len(self.parts) + 1).astype(int)
        pairs = self.by_place.pairs

        def merge_part(t: int) -> None:
            merge.merge_copies(
                pairs,
                self.merged,
                ends[t],
                ends[t + 1],
                len(self.places.columns),
                self.by_place.outputs,
                pull,
            )

        def take_over(t: int) -> None:
            first = first_copy(t, len(self.places.columns), n_hot)
            pairs[first : first + n_hot] = self.merged

        team.each(merge_part)
        # Each its own: what another core has written comes at once here, and would come
        # line by line to the rows that need it.
        team.each(take_over)

    def publish(self) -> None:
        """Bring the model by column up to date."""
        by_place = as_items(self.by_place.pairs)
        present = self.places.columns
        as_items(self.state.pairs)[present] = by_place[: len(present)]


class LayoutToCome:
    """A layout, made when it is asked for, or by other threads meanwhile.

    Parameters
    ----------
    problem : Problem
    parts : list of ndarray, int64
        Rows of each thread that will learn in it.
    """

    def __init__(self, problem: Problem, parts: list[NDArray[np.int64]]) -> None:
        self.problem, self.parts = problem, parts
        self._stopped = False
        self._places: Future[Places] | None = None

    def ask(self, state: ModelState, *, blocking: bool) -> Layout | None:
        """The layout of a model as it is now; None while there is none yet."""
        n_threads = len(self.parts)
        if blocking:
            places = self._find(n_threads)
        elif self._places is None:
            maker = ThreadPoolExecutor(1)
            self._places = maker.submit(self._find, n_threads - 1)
            maker.shutdown(wait=False)
            return None
        elif self._places.done():
            places = self._places.result()
        else:
            return None
        return Layout.of(state, self.problem, places, self.parts)

    def stop(self) -> None:
        """See the other threads end, whether the layout is there or not."""
        self._stopped = True
        if self._places is not None:
            wait([self._places])

    def _find(self, n_threads: int) -> Places:
        return find_places(
            self.problem.rows, self.parts, n_threads, lambda: self._stopped
        )


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


def as_items(pairs: NDArray[Any]) -> NDArray[np.void]:
    """A view whose items are features: of such, NumPy picks some six times as fast."""
    features = pairs.reshape(len(pairs), math.prod(pairs.shape[1:]))
    item = np.dtype((np.void, features.shape[1] * features.itemsize))
    return features.view(item)[:, 0]


def bit_floor(number: int) -> int:
    """The largest power of two that is not above a number."""
    return 1 << (number.bit_length() - 1)


def useful_threads(
    problem: Problem, n_outputs: int, batch_size: int, n_epochs: int, n_threads: int
) -> int:
    """As many threads as have enough to do: a batch in each half of an epoch, too."""
    work = problem.rows.nnz * n_outputs * problem.n_visited / problem.rows.n_samples
    useful = min(int(work / ENTRIES_PER_THREAD), problem.n_visited // (2 * batch_size))
    n_threads = max(1, min(n_threads, useful))
    return n_threads if n_epochs * (n_threads - 1) >= EPOCHS_OF_TWO else 1


def deal_rows(
    problem: Problem, n_threads: int, rng: np.random.RandomState | None
) -> list[NDArray[np.int64]]:
    """Deal the rows to visit out to threads, at random or in turns; each in sequence.

    A single part may be empty: all rows, in sequence.
    """
    if n_threads == 1:
        return [problem.rows_to_visit]
    if rng is None:
        rows = problem.all_to_visit()
        return [np.ascontiguousarray(rows[t::n_threads]) for t in range(n_threads)]
    return [np.sort(part) for part in np.array_split(problem.order(rng), n_threads)]
