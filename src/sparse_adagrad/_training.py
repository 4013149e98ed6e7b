"""Driving the kernel: which rows, in which order, in what portions, and until when.

Nothing here checks input or knows the estimator; nothing here loops over entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._layout import Layout, LayoutToCome
from sparse_adagrad._problem import Problem, Rows, shuffle_in_runs
from sparse_adagrad._state import MAX_INFLATION, ModelState, aligned_zeros
from sparse_adagrad._team import Team
from sparse_adagrad._threads import on_threads
from sparse_adagrad.kernels import adagrad, merge, predict

# Rows to visit, those of each thread. A single part may be empty: all, in sequence.
Order = list[NDArray[np.int64]]

# Entries between two looks at Python's signals: some ten milliseconds.
ENTRIES_PER_CALL = 1 << 21
# Entries of a thread's portions, at least, and as a share of those seen.
LEAST_ENTRIES = 1 << 13
SHARE_OF_SEEN = 1 / 8
# The noise is never taken for a smaller share of the target, nor the signal.
LEAST_NOISE = 0.01
# How far the measured noise is followed, on a log scale, and at how many rows by half
# of that. From 1/2 to 3/4 all are within 0.1 % on average over 14 tasks.
TRUST = 2 / 3
UNTRUSTED_ROWS = 500


class Progress:
    """Tells when a loss has stopped falling."""

    def __init__(self, tol: float | None, patience: int) -> None:
        self.tol, self.patience = tol, patience
        self.best = np.inf
        self.waited = 0

    @property
    def stalled(self) -> bool:
        return self.tol is not None and self.waited >= self.patience

    def update(self, loss: float) -> bool:
        """Whether the loss is the lowest yet."""
        enough = loss < self.best - (self.tol or 0.0) * abs(self.best)
        enough |= not np.isfinite(self.best)
        self.waited = 0 if enough else self.waited + 1
        improved = loss < self.best
        self.best = min(self.best, loss)
        return bool(improved)


class Trainer:
    """Feeds rows to the kernel, few enough at a time that Python sees its signals.

    Several threads learn into the same features without locks (Niu, Recht, Re, Wright,
    Hogwild!, NIPS 2011): rows share few, and a step that is lost now and then costs
    little. What many rows change each thread has for itself, for some milliseconds:
    the intercepts, the sums, and the features of which the layout has copies.
    """

    layout: Layout | None = None
    team: Team | None = None
    ended = False

    def __init__(
        self,
        state: ModelState,
        problem: Problem,
        settings: adagrad.Settings,
        alpha: NDArray[np.float64],
        *,
        linear_loss: bool = False,
        layout: LayoutToCome | None = None,
    ) -> None:
        self.settings, self.alpha = settings, alpha
        self.linear_loss, self.layout_to_come = linear_loss, layout
        self.parts = [problem.rows_to_visit] if layout is None else layout.parts
        self.state, self.problem = state, problem

    def order(self, rng: np.random.RandomState | None) -> Order:
        """Rows of an epoch, those of each thread: shuffled by `rng`, or as they are."""
        if rng is None:
            return self.parts
        if len(self.parts) == 1:
            return [self.problem.order(rng)]
        return [shuffle_in_runs(part, self.problem.run, rng) for part in self.parts]

    def run(self, order: Order, half: int | None = None) -> NDArray[np.float64]:
        """Visit an epoch's rows, or one half of them; weighted sums of losses.

        These are the progressive loss and the untrained model's: (n_outputs, 2). One
        thread learns until a layout for others is there, from the rows of each in turn.
        """
        sums = np.zeros((self.state.n_outputs, 2))
        spans = [self._span(part, half) for part in order]
        # At a constant rate the intercept has far to go from 0, and goes the faster the
        # more threads begin.
        blocking = len(order) == 1 or not self.settings.scaled
        while any(first < stop for first, stop in spans):
            if self.take_layout(blocking=blocking) and self.team is not None:
                self._run_together(self.team, order, spans, sums)
                break
            if self.state.fades:
                self.state.deflate()
            t = max(range(len(spans)), key=lambda t: spans[t][1] - spans[t][0])
            first, last = next(self._portions(*spans[t]))
            self._learn(order[t], first, last, self.state, self.alpha, sums)
            spans[t] = last, spans[t][1]
        return sums

    def take_layout(self, *, blocking: bool) -> bool:
        """Learn in the layout that is to come, if it is there; whether it is."""
        if self.layout is None and self.layout_to_come is not None:
            layout = self.layout_to_come.ask(self.state, blocking=blocking)
            if layout is not None:
                if len(self.parts) > 1:
                    self.team = Team(len(self.parts))
                self.state, self.problem = layout.by_place, layout.problem
                self.layout = layout
        return self.layout is not None

    def publish(self) -> None:
        """Bring the model by column up to date."""
        if self.layout is not None:
            self.layout.publish()

    def end(self) -> None:
        """Bring the model by column up to date, and leave no thread at work.

        An interrupt meanwhile waits until it is so; then it is raised.
        """
        interrupted = False
        while not self.ended:
            try:
                self.publish()
                if self.layout_to_come is not None:
                    self.layout_to_come.stop()
                if self.team is not None:
                    self.team.end()
                self.ended = True
            except KeyboardInterrupt:
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt

    def _run_together(
        self,
        team: Team,
        order: Order,
        spans: list[tuple[int, int]],
        sums: NDArray[np.float64],
    ) -> None:
        """Let all threads visit their rows."""

        def lead() -> None:
            for portions in zip_longest(*(self._portions(*span) for span in spans)):
                if team.stopped:
                    break
                self._learn_together(team, order, portions, sums)

        team.run(lead)

    def _span(self, part: NDArray[np.int64], half: int | None) -> tuple[int, int]:
        """First place and the one after the last; halves are cut between batches."""
        n_rows = len(part) or self.problem.rows.n_samples
        middle = n_rows // 2
        middle -= middle % self.settings.batch_size
        return (0 if half != 1 else middle), (n_rows if half != 0 else middle)

    def _portions(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Cut a span of places into what one call of the kernel visits."""
        while start < stop:
            yield start, (start := min(start + self._rows_at_once(), stop))

    def _rows_at_once(self) -> int:
        rows = self.problem.rows
        row_nnz = max(1, rows.nnz) / rows.n_samples
        entries = ENTRIES_PER_CALL / self.state.n_outputs
        if self.layout is not None and len(self.parts) > 1:
            # Threads that learn the same from their portions learn it twice. They may,
            # of what is little beside all that has been seen.
            seen = self.state.n_seen * row_nnz / len(self.parts)
            entries = max(LEAST_ENTRIES, seen * SHARE_OF_SEEN)
            entries = min(entries, self.layout.places.entries_per_merge)
        n_rows = entries / row_nnz
        if self.settings.decay:
            # What inflates a model that has just been deflated by all that it may be.
            n_rows = min(n_rows, -2 * MAX_INFLATION / np.log2(1 - self.settings.decay))
        batch_size = self.settings.batch_size
        return batch_size * max(1, int(n_rows) // batch_size)

    def _learn(
        self,
        order: NDArray[np.int64],
        first: int,
        last: int,
        state: ModelState,
        alpha: NDArray[np.float64],
        sums: NDArray[np.float64],
    ) -> None:
        rows, problem = self.problem.rows, self.problem
        failed = adagrad.train(
            self.settings,
            rows.data,
            rows.indices,
            rows.indptr,
            rows.data[:0] if rows.scaled is None else rows.scaled,
            rows.scaled_starts,
            problem.y,
            problem.weights,
            order,
            first,
            last,
            state.pairs,
            len(self.parts) > 1,
            state.column_max,
            state.totals,
            state.outputs,
            state.bins,
            state.log_pairs,
            state.log_max,
            state.places(self.settings.batch_size),
            alpha,
            sums,
        )
        if failed >= 0:
            raise ValueError(
                f"Floating-point overflow at row {failed}: training diverged. The "
                "model is unchanged. Lower eta0, scale the features or the target, "
                "or use dtype='float64'."
            )

    def _learn_together(
        self,
        team: Team,
        order: Order,
        portions: Sequence[tuple[int, int] | None],
        sums: NDArray[np.float64],
    ) -> None:
        """Let each thread learn from a portion of its rows, then bring together."""
        assert self.layout is not None
        parts = [self.state.with_own_scalars() for _ in order]
        part_sums = [aligned_zeros(sums.shape, sums.dtype) for _ in order]
        # Meanwhile the others' rows add their penalties.
        alpha = self.alpha * len(order)

        def learn(t: int) -> None:
            portion = portions[t]
            # A thread may have a row less than the others, and so a portion less.
            if portion is not None:
                self._learn(order[t], *portion, parts[t], alpha, part_sums[t])

        team.each(learn)
        state = self.state
        pull = merge.merge_scalars(
            state.totals,
            state.outputs,
            np.array([part.totals for part in parts]),
            np.array([part.outputs for part in parts]),
            adagrad.learning_pace(self.settings, state.totals, state.outputs),
            self.settings.batch_size,
        )
        self.layout.merge(pull, team)
        sums += np.sum(part_sums, axis=0)

    def run_measuring(self, order: Order) -> NDArray[np.float64]:
        """Visit all rows for the first time and set the automatic penalty by the loss.

        The second half of the first epoch is predicted before it is learned from, so
        its loss tells honestly which share of the target is noise.
        """
        early = self.run(order, 0)
        late = self.run(order, 1)
        outputs = self.state.outputs
        outputs["strength"] = 1.0
        if self._span(order[0], 0)[1]:
            ratio = late[:, 0] / np.maximum(late[:, 1], np.finfo(float).tiny)
            outputs["strength"] = penalty_strength(
                ratio**2 if self.linear_loss else ratio, self.problem.n_visited
            )
        # As if the penalty had been of that strength from the start.
        outputs["l1"] *= outputs["strength"]
        outputs["l2"] *= outputs["strength"]
        self.alpha *= outputs["strength"][:, None]
        return early + late


def penalty_strength(noise: NDArray[np.float64], n_samples: int) -> NDArray[np.float64]:
    """Strength of the penalty, in units of `Ridge(alpha=1)`, from how much is noise.

    On rows of length 1, if all weights have one variance, the best ridge strength is
    noise / signal, the noise being the target's share that cannot be predicted. The
    measured share comes from a model that has seen only part of the data, and words
    differ in their variance; two thirds of its logarithm serve real text best
    (``bench/quality.py --only default others``). Few rows say little about it.

    Parameters
    ----------
    noise : ndarray of shape (n_outputs,), float64
        Honest mean squared error, or its like, over that of an untrained model.
    n_samples : int
        Rows there are.

    Returns
    -------
    strength : ndarray of shape (n_outputs,), float64
    """
    noise = np.clip(noise, LEAST_NOISE, 1.0 - LEAST_NOISE)
    trust = TRUST * n_samples / (n_samples + UNTRUSTED_ROWS)
    return np.asarray((noise / (1.0 - noise)) ** trust)


def predict_raw(
    state: ModelState,
    rows: Rows,
    n_threads: int = 1,
    check: Callable[[], None] | None = None,
) -> NDArray[np.float64]:
    """Raw predictions, (n_samples, n_outputs): O(nnz), whatever the columns.

    Where only the offsets of the rows have been checked, `check` looks at the entries
    and raises if any is wrong.
    """
    out = np.empty((rows.n_samples, state.n_outputs))
    coef, intercept = None, state.intercept()
    if rows.nnz >= state.n_features:
        coef = state.coef()[: rows.n_features]
    elif check is not None:
        check()

    def predict_part(start: int, stop: int) -> bool:
        # Offsets count from the start of the data, so any run of rows is CSR too.
        arrays = rows.data, rows.indices, rows.indptr[start : stop + 1]
        part = out[start:stop]
        if coef is not None:
            return predict.multiply(*arrays, coef, intercept, part) == len(part)
        predict.predict_raw(
            *arrays, state.pairs, state.column_max, state.totals, state.outputs, part
        )
        return True

    def predict_all() -> bool:
        if n_threads == 1:
            return predict_part(0, rows.n_samples)
        ends = rows.cut(n_threads)
        return all(on_threads(predict_part, ends[:-1], ends[1:], n_threads=n_threads))

    complete = predict_all()
    with np.errstate(over="ignore", invalid="ignore"):
        sound = complete and (coef is None or np.isfinite(out.sum()))
    if not sound:
        # What is wrong shows, and so may what is merely too large.
        if check is not None:
            check()
        if not complete:
            raise RuntimeError("X was changed while predictions were made from it.")
        # A coefficient may be beyond all numbers, as that of a tiny column, though its
        # products are not.
        coef = None
        predict_all()
    return out
