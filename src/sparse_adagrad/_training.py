"""Driving the kernel: which rows, in which order, in what portions, and until when.

Nothing here checks input or knows the estimator; nothing here loops over entries.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._state import ModelState
from sparse_adagrad._validation import Rows
from sparse_adagrad.kernels import adagrad, columns, scales

# Entries between two looks at Python's signals: some ten milliseconds.
ENTRIES_PER_CALL = 1 << 21
# Fewer entries than this are learned faster by one thread.
ENTRIES_PER_THREAD = 1 << 15
# The noise is never taken for a smaller share of the target, nor the signal.
LEAST_NOISE = 0.01
# How far the measured noise is followed, on a log scale, and at how many rows by half
# of that. From 1/2 to 3/4 all are within 0.1 % on average over 14 tasks.
TRUST = 2 / 3
UNTRUSTED_ROWS = 500


@dataclass(slots=True)
class Problem:
    """Checked data, and which of its rows are visited.

    Attributes
    ----------
    rows : Rows
    y : ndarray of shape (n_samples, n_outputs), float64
    weights : ndarray of shape (n_samples,) or (0,), float64
    rows_to_visit : ndarray of shape (n_visited,) or (0,), int64
        Empty: all, in sequence.
    weight_sum : float
        Of the rows to visit.
    validation : tuple of (Rows, ndarray, ndarray) or None
        Data, targets and weights that are held out.
    """

    rows: Rows
    y: NDArray[np.float64]
    weights: NDArray[np.float64]
    rows_to_visit: NDArray[np.int64]
    weight_sum: float
    validation: tuple[Rows, NDArray[np.float64], NDArray[np.float64]] | None = None

    @classmethod
    def of(
        cls, rows: Rows, y: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> Problem:
        to_visit = np.empty(0, np.int64)
        weight_sum = float(rows.n_samples)
        if len(weights):
            weight_sum = float(weights.sum())
            if not weights.all():
                to_visit = np.flatnonzero(weights)
        return cls(rows, as_outputs(y), weights, to_visit, weight_sum)

    @property
    def n_visited(self) -> int:
        return len(self.rows_to_visit) or self.rows.n_samples

    def order(self, rng: np.random.RandomState | None) -> NDArray[np.int64]:
        """Rows of one epoch: shuffled by `rng`, or as they are."""
        if rng is None:
            return self.rows_to_visit
        if not len(self.rows_to_visit):
            return rng.permutation(self.rows.n_samples).astype(np.int64, copy=False)
        return rng.permutation(self.rows_to_visit)

    def hold_out(self, fraction: float, rng: np.random.RandomState) -> None:
        """Move a share of the rows to the validation set."""
        shuffled = self.order(rng)
        n_held_out = int(np.ceil(fraction * len(shuffled)))
        if n_held_out >= len(shuffled):
            raise ValueError(
                f"early_stopping would hold out all {len(shuffled)} rows with "
                f"validation_fraction={fraction}; pass more rows, or X_val and y_val."
            )
        held_out = np.sort(shuffled[:n_held_out])
        self.rows_to_visit = np.sort(shuffled[n_held_out:])
        weights = self.weights[held_out] if len(self.weights) else self.weights
        self.validation = (self.rows.take(held_out), self.y[held_out], weights)
        self.weight_sum = (
            float(self.weights[self.rows_to_visit].sum())
            if len(self.weights)
            else float(len(self.rows_to_visit))
        )

    def in_column_units(self, state: ModelState) -> Problem:
        """The same problem with scaled columns; a copy only where one is scaled.

        What is held out stays in the user's units, as what `predict` is given.
        """
        units = column_units(state)
        if units is None:
            return self
        rows = self.rows
        scaled = np.empty(rows.nnz, rows.data.dtype)
        columns.scale_columns(rows.data, rows.indices, units, scaled)
        return replace(
            self, rows=Rows(scaled, rows.indices, rows.indptr, rows.n_features)
        )


def as_outputs(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """A target of one or two dimensions as (n_samples, n_outputs)."""
    return y if y.ndim == 2 else y[:, np.newaxis]


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
    little. What every row changes, intercepts and sums, each thread has for itself.
    """

    def __init__(
        self,
        state: ModelState,
        problem: Problem,
        settings: adagrad.Settings,
        alpha: NDArray[np.float64],
        *,
        linear_loss: bool = False,
        n_threads: int = 1,
    ) -> None:
        self.state, self.problem, self.settings = state, problem, settings
        self.linear_loss = linear_loss
        self.alpha = alpha
        rows = problem.rows
        work = max(1, rows.nnz * state.n_outputs) / rows.n_samples
        batch_size = settings.batch_size
        whole_batches = int(ENTRIES_PER_CALL / work) // batch_size
        self.rows_per_call = batch_size * max(1, whole_batches)
        # A thread with less to do than this is not worth its start.
        rows_per_thread = ENTRIES_PER_THREAD / work
        self.n_threads = max(
            1, min(n_threads, int(problem.n_visited / rows_per_thread))
        )

    def run(
        self, order: NDArray[np.int64], start: int = 0, stop: int | None = None
    ) -> NDArray[np.float64]:
        """Visit places of an order (empty: rows in sequence); weighted sums of losses.

        These are the progressive loss and the untrained model's: (n_outputs, 2).
        """
        sums = np.zeros((self.state.n_outputs, 2))
        if stop is None:
            stop = len(order) or self.problem.rows.n_samples
        if self.n_threads == 1:
            for first in range(start, stop, self.rows_per_call):
                last = min(first + self.rows_per_call, stop)
                self._learn(order, first, last, self.state, self.alpha, sums)
            return sums
        rows_at_once = self.rows_per_call * self.n_threads
        with ThreadPoolExecutor(self.n_threads) as threads:
            for first in range(start, stop, rows_at_once):
                last = min(first + rows_at_once, stop)
                self._learn_together(threads, order, first, last, sums)
        return sums

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
            problem.y,
            problem.weights,
            order,
            first,
            last,
            state.pairs,
            state.column_max,
            state.totals,
            state.outputs,
            state.bins,
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
        threads: ThreadPoolExecutor,
        order: NDArray[np.int64],
        first: int,
        last: int,
        sums: NDArray[np.float64],
    ) -> None:
        """Let each thread learn from a part of the rows, then bring together."""
        n_threads, state = self.n_threads, self.state
        ends = np.linspace(first, last, n_threads + 1).astype(int)
        parts = [state.with_own_scalars() for _ in range(n_threads)]
        part_sums = np.zeros((n_threads, *sums.shape))
        futures = [
            threads.submit(
                self._learn,
                order,
                ends[t],
                ends[t + 1],
                parts[t],
                # Meanwhile the others' rows add theirs.
                self.alpha * n_threads,
                part_sums[t],
            )
            for t in range(n_threads)
        ]
        try:
            wait(futures)
        finally:
            # An interrupt waits too: what was learned is kept.
            wait(futures)
            state.bring_together(parts)
            sums += part_sums.sum(axis=0)
        for future in futures:
            future.result()

    def run_measuring(self, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """Visit all rows for the first time and set the automatic penalty by the loss.

        The second half of the first epoch is predicted before it is learned from, so
        its loss tells honestly which share of the target is noise.
        """
        half = self.problem.n_visited // 2
        half -= half % self.settings.batch_size
        early = self.run(order, 0, half)
        late = self.run(order, half)
        outputs = self.state.outputs
        outputs["strength"] = 1.0
        if half:
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


def column_units(state: ModelState) -> NDArray[np.float64] | None:
    """Unit of every column, shape (n_features,), or None where all are 1."""
    if not state.scales_columns:
        return None
    largest = state.column_max[: state.n_features].astype(np.float64)
    if state.totals["column_scaling"][0] == scales.SCALINGS["max_abs"]:
        return np.where(largest > 0, largest, 1.0)
    limit = state.totals["column_limit"][0]
    if limit <= 0 or largest.max() <= limit:
        return None
    return np.asarray(np.maximum(largest / limit, 1.0))


def measure_scales(
    state: ModelState, problem: Problem, settings: adagrad.Settings
) -> Problem:
    """Measure what `fit` holds fixed; a warm start keeps the scales it has.

    Returns the problem in the units of its columns.
    """
    rows, visited = problem.rows, problem.rows_to_visit
    first = state.totals["weight_sum"][0] == 0
    if state.scales_columns:
        found = np.zeros(len(state.column_max), columns.COLUMN_DTYPE)
        found["largest"] = state.column_max
        columns.observe_columns(rows.data, rows.indices, rows.indptr, visited, found)
        state.column_max[:] = found["largest"]
        if first:
            state.totals["column_limit"] = 2 * columns.median_largest(found)
    problem = problem.in_column_units(state)
    if first:
        scales.observe_targets(
            problem.y, visited, problem.weights, state.totals, state.outputs
        )
        state.totals["row_sq_sum"] = scales.row_sq_sum(
            problem.rows.data, rows.indptr, visited, problem.weights
        )
        adagrad.start_at_mean(settings, state.outputs)
    return problem


def predict_raw(
    state: ModelState, rows: Rows, n_threads: int = 1
) -> NDArray[np.float64]:
    """Raw predictions, (n_samples, n_outputs): O(nnz), whatever the columns."""
    out = np.empty((rows.n_samples, state.n_outputs))
    by_column = rows.nnz >= state.n_features
    coef, intercept = (state.coef() if by_column else None), state.intercept()

    def predict(start: int, stop: int) -> None:
        # Offsets count from the start of the data, so any run of rows is CSR too.
        arrays = rows.data, rows.indices, rows.indptr[start : stop + 1]
        part = out[start:stop]
        if coef is not None:
            adagrad.multiply(*arrays, coef, intercept, part)
        else:
            adagrad.predict_raw(
                *arrays,
                state.pairs,
                state.column_max,
                state.totals,
                state.outputs,
                part,
            )

    if n_threads == 1:
        predict(0, rows.n_samples)
        return out
    # As many entries to each: the offsets tell where.
    shares = np.linspace(0, rows.nnz, n_threads + 1)[1:-1]
    ends = [0, *np.searchsorted(rows.indptr[1:], shares), rows.n_samples]
    with ThreadPoolExecutor(n_threads) as threads:
        list(threads.map(predict, ends[:-1], ends[1:]))
    return out
