"""The model's numbers: allocated, grown, copied and rolled back for the kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem
from sparse_adagrad.kernels import adagrad, predict, scales, undo

CACHE_LINE = 64
# Smallest numbers that keep all their digits.
TINY = {t: float(np.finfo(t).tiny) for t in map(np.dtype, ("float32", "float64"))}
# Powers of two by which a fading model is inflated before it is deflated: float32 has
# room for the square of twice as many. A root below the least stays as it is then.
MAX_INFLATION = 16
LEAST_ROOT = 2.0**-60


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros that share no cache line, so that no other thread's writes disturb them.

    They start with a line: a feature of few outputs straddles no two. Pages are not
    touched until they are used.
    """
    size = math.prod(shape) * dtype.itemsize
    memory = np.zeros(size + 2 * CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


@dataclass(slots=True)
class ModelState:
    """All that training changes.

    Attributes
    ----------
    pairs : ndarray of shape (capacity, 2, n_outputs), float32 or float64
        Every feature's u, then its s, an output each. Columns from `n_features` on are
        spare room.
    column_max : ndarray of shape (capacity,) or (0,), dtype of `pairs`
        Largest |x| seen by column, where columns are scaled.
    totals : record array of shape (1,), `scales.TOTALS_DTYPE`
    outputs : record array of shape (n_outputs,), `scales.OUTPUT_DTYPE`
    bins : ndarray of shape (N_BINS,), int64
        Histogram of `column_max` over entries.
    n_features : int
    log_pairs, log_max : ndarrays of shape (log_size,) or (0,) and (nnz,) or (0,)
        What the columns of a batch's entries were before, while it is learned from.
    place_of : ndarray of shape (capacity,) or (0,), uint32
        Zeros, with which the kernel tells the active features of mini-batches.
    """

    pairs: NDArray[Any]
    column_max: NDArray[Any]
    totals: NDArray[np.void]
    outputs: NDArray[np.void]
    bins: NDArray[np.int64]
    n_features: int
    log_pairs: NDArray[Any] = field(init=False)
    log_max: NDArray[Any] = field(init=False)
    place_of: NDArray[np.uint32] = field(init=False)

    def __post_init__(self) -> None:
        self.forget()
        self.place_of = np.empty(0, np.uint32)

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        for name, value in kept.items():
            setattr(self, name, value)
        self.__post_init__()

    @classmethod
    def allocate(
        cls,
        n_features: int,
        n_outputs: int,
        dtype: np.dtype[Any],
        *,
        scaling: str | None,
        initial_accumulator_value: float,
        fades: bool = False,
    ) -> ModelState:
        """State of an untrained model; zero pages are not touched until used."""
        state = cls(
            pairs=aligned_zeros((n_features, 2, n_outputs), dtype),
            column_max=np.zeros(0 if scaling is None else n_features, dtype),
            totals=np.zeros(1, scales.TOTALS_DTYPE),
            outputs=np.zeros(n_outputs, scales.OUTPUT_DTYPE),
            bins=np.zeros(scales.N_HISTOGRAM_BINS, np.int64),
            n_features=n_features,
        )
        state.totals["column_scaling"] = scales.SCALINGS[scaling]
        state.totals["inflation"] = float(fades)
        state.outputs["eps"] = TINY[np.dtype(dtype)]
        if initial_accumulator_value:
            state.pairs[:, 1] = np.sqrt(initial_accumulator_value)
            state.outputs["intercept_grad_sq_sum"] = initial_accumulator_value
        return state

    @property
    def n_outputs(self) -> int:
        return len(self.outputs)

    @property
    def n_seen(self) -> int:
        return int(self.totals["n_seen"][0])

    @property
    def scales_columns(self) -> bool:
        return bool(self.totals["column_scaling"][0])

    @property
    def fades(self) -> bool:
        return bool(self.totals["inflation"][0])

    def copy(self) -> ModelState:
        """A state that shares nothing with this one."""
        pairs = aligned_zeros(self.pairs.shape, self.pairs.dtype)
        pairs[:] = self.pairs
        return replace(
            self,
            pairs=pairs,
            column_max=self.column_max.copy(),
            totals=self.totals.copy(),
            outputs=self.outputs.copy(),
            bins=self.bins.copy(),
        )

    def with_own_scalars(self) -> ModelState:
        """A state that shares the features with this one, for another thread."""
        totals = aligned_zeros(self.totals.shape, self.totals.dtype)
        outputs = aligned_zeros(self.outputs.shape, self.outputs.dtype)
        totals[:], outputs[:] = self.totals, self.outputs
        return replace(self, totals=totals, outputs=outputs)

    def grown(self, n_features: int, initial_accumulator_value: float) -> ModelState:
        """State with at least so many columns; the new ones are untrained.

        Room is added by half at a time, so that a stream whose columns grow one by one
        does not copy the model each time. The room is not touched until it is used.
        """
        if n_features <= self.n_features:
            return self
        capacity = len(self.pairs)
        pairs, column_max = self.pairs, self.column_max
        if n_features > capacity:
            capacity = max(n_features, capacity + capacity // 2)
            pairs = aligned_zeros((capacity, *pairs.shape[1:]), pairs.dtype)
            pairs[: self.n_features] = self.pairs[: self.n_features]
            n_scaled = capacity if self.scales_columns else 0
            column_max = np.zeros(n_scaled, self.column_max.dtype)
            column_max[: len(self.column_max)] = self.column_max
        # Spare room may hold what was to be there when a batch failed.
        if initial_accumulator_value or n_features <= len(self.pairs):
            inflation = self.totals["inflation"][0] or 1.0
            new = pairs[self.n_features : n_features]
            new[:, 1] = np.sqrt(initial_accumulator_value) * inflation
        return replace(self, pairs=pairs, column_max=column_max, n_features=n_features)

    def remember(self, problem: Problem, decay: float) -> Callable[[], None]:
        """Return a function that undoes what learning from these rows changes.

        Costs O(nnz): a model that is smaller than what would be kept of the rows is
        copied here; of a larger one the kernel keeps what it is about to change. A
        model that may be deflated meanwhile is copied too, which costs as much as that.
        """
        self.forget()
        totals, outputs, bins = (
            self.totals.copy(),
            self.outputs.copy(),
            self.bins.copy(),
        )
        nnz = problem.rows.nnz
        size = undo.log_size(nnz, problem.rows.n_samples, self.n_outputs)
        logged = size < self.pairs.size and not self._may_deflate(problem, decay)
        if logged:
            pairs = np.empty(size, self.pairs.dtype)
            column_max = np.empty(nnz if self.scales_columns else 0, self.pairs.dtype)
            self.log_pairs, self.log_max = pairs, column_max
        else:
            pairs, column_max = self.pairs.copy(), self.column_max.copy()

        def go_back() -> None:
            self.forget()
            if logged:
                n_visited = self.n_seen - int(totals["n_seen"][0])
                self._replay(problem, n_visited, pairs, column_max)
            else:
                self.pairs[:], self.column_max[:] = pairs, column_max
            self.totals[:], self.outputs[:], self.bins[:] = totals, outputs, bins

        return go_back

    def _replay(
        self,
        problem: Problem,
        n_visited: int,
        log_pairs: NDArray[Any],
        log_max: NDArray[Any],
    ) -> None:
        """Give columns what was logged of them, the last row's first."""
        undo.restore(
            problem.rows.indices,
            problem.rows.indptr,
            problem.rows_to_visit,
            n_visited,
            log_pairs,
            log_max,
            self.pairs,
            self.column_max,
        )

    def places(self, batch_size: int) -> NDArray[np.uint32]:
        """`place_of`, made where batches need it: pages are not touched until used."""
        if batch_size > 1 and len(self.place_of) < len(self.pairs):
            self.place_of = np.zeros(len(self.pairs), np.uint32)
        return self.place_of

    def forget(self) -> None:
        """Log nothing; what was logged is gone."""
        self.log_pairs, self.log_max = self.pairs[:0].ravel(), self.column_max[:0]

    def check_precision(self, settings: adagrad.Settings, weight: float) -> None:
        """Raise where what rows of a weight add to the state vanishes in its type.

        Or where scales overflow.
        """
        least = adagrad.least_addend(settings, self.totals, self.outputs, weight)
        dtype = self.pairs.dtype
        if math.isnan(least):
            raise ValueError(
                "Floating-point overflow in the squares of X or y; scale down what is "
                "so large."
            )
        if least < TINY[dtype]:
            raise ValueError(
                f"y, X or the weights are so small that what is learned from a row, "
                f"{least:.1e}, vanishes in dtype={dtype.name!r}. Scale y or X up, the "
                "weights to a mean of 1, or use dtype='float64'."
            )

    def deflate(self) -> None:
        """Divide what is inflated by a power of two, before it overflows.

        Costs a pass over the columns, once in so many samples; changes no weight.
        """
        powers = np.floor(np.log2(self.totals["inflation"][0]))
        if powers >= MAX_INFLATION:
            adagrad.deflate(
                self.pairs, self.totals, self.outputs, 2.0**-powers, LEAST_ROOT
            )

    def _may_deflate(self, problem: Problem, decay: float) -> bool:
        """Whether learning from all rows may inflate the model by so much."""
        if not self.fades:
            return False
        inflated = -0.5 * problem.n_visited * np.log2(1 - decay)
        return bool(np.log2(self.totals["inflation"][0]) + inflated >= MAX_INFLATION)

    def coef(self) -> NDArray[Any]:
        """Weights in the user's units, shape (n_features, n_outputs)."""
        out = np.empty((self.n_features, self.n_outputs), self.pairs.dtype)
        predict.read_weights(
            self.pairs, self.column_max, self.totals, self.outputs, out
        )
        return out

    def intercept(self) -> NDArray[np.float64]:
        """Shape (n_outputs,)."""
        return np.asarray(self.outputs["base"] + self.outputs["intercept"])

    def grad_sq_sum(self) -> NDArray[Any]:
        """Sums of squared gradients, shape (n_features, n_outputs)."""
        roots = self.pairs[: self.n_features, 1]
        if self.fades:
            roots = roots / self.pairs.dtype.type(self.totals["inflation"][0])
        return np.asarray(np.square(roots))
