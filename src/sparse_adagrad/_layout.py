"""Where the features of a fit lie in memory while it runs.

A fit reads its rows many times, so it may lay its features out anew: frequent ones side
by side, where they share cache lines and pages, and the most frequent once for each
thread, since a cache line that two cores write to wanders between them at the price of
a hundred additions. The kernel knows nothing of this; it is given other indices.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem, Rows
from sparse_adagrad._state import ModelState, aligned_zeros
from sparse_adagrad._team import Team
from sparse_adagrad.kernels import columns, merge

# Entries that a thread learns from before the copies are merged, about: some eight
# milliseconds, beside which merging and starting anew count for little.
ENTRIES_PER_MERGE = 1 << 22
# At least so many merges an epoch, however few the entries.
MERGES_PER_EPOCH = 2
# A feature has copies if a thread meets it so often between two merges, or nearly: if
# there are two threads, and for each of more, whose copies learn more of the same. Of
# two, 8 to 128 are as fast where a cache line goes to the other core and back in 80 ns;
# where it takes 400, 64 take a quarter more time than 8 or 16. The fewer copies, the
# smaller the held-out error.
MEETINGS_OF_TWO = 16
MEETINGS = 128
# Fewer entries than this are learned faster by one thread.
ENTRIES_PER_THREAD = 1 << 21
# Of so many epochs two threads gain what it costs to lay out features for them; each
# further thread gains as much, at no further cost.
EPOCHS_OF_TWO = 5
# So many features and more gain by it on one thread too, of so many epochs.
MANY_FEATURES = 1 << 20
MANY_EPOCHS = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """Features by frequency, the hot ones once for each thread.

    Attributes
    ----------
    state : ModelState
        The model, by column; as of the last `publish`.
    by_place : ModelState
        What the kernel updates: the columns of `columns` in their order, then the other
        threads' copies of the first `n_hot`. Shares the scalars with `state`.
    problem : Problem
        Its indices are places; every row leads to the copies of its thread.
    parts : list of ndarray, int64
        Rows of each thread.
    columns : ndarray of shape (n_present,), int64
    merged : ndarray of shape (n_hot, 2, n_outputs)
        The hot features as of the last merge.
    entries_per_merge : int
        Of one thread.
    """

    state: ModelState
    by_place: ModelState
    problem: Problem
    parts: list[NDArray[np.int64]]
    columns: NDArray[np.int64]
    merged: NDArray[Any]
    entries_per_merge: int

    @classmethod
    def of(
        cls, state: ModelState, problem: Problem, parts: list[NDArray[np.int64]]
    ) -> Layout:
        """Lay out the features for threads that visit these rows."""
        rows, n_threads = problem.rows, len(parts)
        share = rows.nnz // n_threads
        merges = max(MERGES_PER_EPOCH, round(share / ENTRIES_PER_MERGE))
        counts = count_entries(rows, n_threads)
        n_hot = 0
        if n_threads > 1:
            meetings = MEETINGS_OF_TWO if n_threads == 2 else MEETINGS * n_threads
            often = bit_floor(meetings * n_threads * merges)
            n_hot = int((counts >= often).sum())
        place_of = np.empty_like(counts)
        present = columns.by_frequency(counts, place_of)
        n_places = len(present) + (n_threads - 1) * n_hot
        pairs = aligned_zeros((n_places, *state.pairs.shape[1:]), state.pairs.dtype)
        as_items(pairs)[: len(present)] = as_items(state.pairs)[present]
        copies = np.zeros(rows.n_samples, place_of.dtype)
        for thread, part in enumerate(parts):
            copies[part] = first = first_copy(thread, len(present), n_hot)
            pairs[first : first + n_hot] = pairs[:n_hot]
        places = np.empty(rows.nnz, place_of.dtype)

        def renumber(start: int, stop: int) -> None:
            arrays = rows.indices, rows.indptr
            columns.renumber(*arrays, start, stop, place_of, n_hot, copies, places)

        ends = rows.cut(n_threads)
        with ThreadPoolExecutor(n_threads) as threads:
            list(threads.map(renumber, ends[:-1], ends[1:]))
        return cls(
            state,
            replace(state, pairs=pairs, n_features=n_places),
            replace(problem, rows=replace(rows, indices=places, n_features=n_places)),
            parts,
            present,
            pairs[:n_hot].copy(),
            share // merges + 1,
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
                len(self.columns),
                self.by_place.outputs,
                pull,
            )

        def take_over(t: int) -> None:
            first = first_copy(t, len(self.columns), n_hot)
            pairs[first : first + n_hot] = self.merged

        team.each(merge_part)
        # Each its own: what another core has written comes at once here, and would come
        # line by line to the rows that need it.
        team.each(take_over)

    def publish(self) -> None:
        """Bring the model by column up to date."""
        by_place = as_items(self.by_place.pairs)
        as_items(self.state.pairs)[self.columns] = by_place[: len(self.columns)]


def first_copy(thread: int, n_present: int, n_hot: int) -> int:
    """Where a thread's copies start: the first's are the features themselves."""
    return 0 if thread == 0 else n_present + (thread - 1) * n_hot


def count_entries(rows: Rows, n_threads: int) -> NDArray[Any]:
    """Entries of each column: (n_features,), of a dtype that numbers places too."""
    n_places = n_threads * min(rows.nnz, rows.n_features)
    dtype = np.int32 if max(rows.nnz, n_places) < 2**31 else np.int64

    def count(start: int, stop: int) -> NDArray[Any]:
        counts = np.zeros(rows.n_features, dtype)
        entries = slice(rows.indptr[start], rows.indptr[stop])
        columns.count_entries(rows.indices[entries], counts)
        return counts

    ends = rows.cut(n_threads)
    with ThreadPoolExecutor(n_threads) as threads:
        counts, *others = threads.map(count, ends[:-1], ends[1:])
    for other in others:
        counts += other
    return counts


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
