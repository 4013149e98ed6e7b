"""A model's features as they lie in memory while a fit runs.

A fit reads its rows many times, so it may lay its features out anew, as `_places` says,
and bring together what threads have learned in copies of their own.
"""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._places import Places, find_places, first_copy
from sparse_adagrad._problem import Problem
from sparse_adagrad._state import ModelState, aligned_zeros
from sparse_adagrad._team import Team
from sparse_adagrad.kernels import merge

# Fewer entries than this are learned faster by one thread.
ENTRIES_PER_THREAD = 1 << 21
# Of so many epochs two threads gain what it costs to lay out features for them; each
# further thread gains as much, at no further cost.
EPOCHS_OF_TWO = 3
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
        if blocking or not self._begin():
            places = self._find(len(self.parts))
        elif self._places is not None and self._places.done():
            places = self._places.result()
        else:
            return None
        return Layout.of(state, self.problem, places, self.parts)

    def stop(self) -> None:
        """See the other threads end, whether the layout is there or not."""
        self._stopped = True
        if self._places is not None:
            wait([self._places])

    def _begin(self) -> bool:
        """Let other threads begin, if they have not; whether any is to be had."""
        if self._places is None:
            maker = ThreadPoolExecutor(1)
            try:
                self._places = maker.submit(self._find, len(self.parts) - 1)
            except RuntimeError:  # as when the interpreter ends
                return False
            finally:
                maker.shutdown(wait=False)
        return True

    def _find(self, n_threads: int) -> Places:
        return find_places(
            self.problem.rows, self.parts, n_threads, lambda: self._stopped
        )


def as_items(pairs: NDArray[Any]) -> NDArray[np.void]:
    """A view whose items are features: of such, NumPy picks some six times as fast."""
    features = pairs.reshape(len(pairs), math.prod(pairs.shape[1:]))
    item = np.dtype((np.void, features.shape[1] * features.itemsize))
    return features.view(item)[:, 0]


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
