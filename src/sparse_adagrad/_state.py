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
    log_pairs, log_max : ndarrays of shape (nnz, 2, n_outputs) and (nnz,) or (0,)
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
        if n_features <= capacity:
            return replace(self, n_features=n_features)
        capacity = max(n_features, capacity + capacity // 2)
        pairs = aligned_zeros((capacity, *self.pairs.shape[1:]), self.pairs.dtype)
        pairs[: len(self.pairs)] = self.pairs
        if initial_accumulator_value:
            inflation = self.totals["inflation"][0] or 1.0
            pairs[len(self.pairs) :, 1] = np.sqrt(initial_accumulator_value) * inflation
        column_max = np.zeros(
            capacity if self.scales_columns else 0, self.column_max.dtype
        )
        column_max[: len(self.column_max)] = self.column_max
        return replace(self, pairs=pairs, column_max=column_max, n_features=n_features)

    def remember(self, problem: Problem) -> Callable[[], None]:
        """Return a function that undoes what learning from these rows changes.

        Costs O(nnz): a model of fewer columns than there are entries is copied here;
        of a larger one the kernel logs what it is about to change.
        """
        totals, outputs, bins = (
            self.totals.copy(),
            self.outputs.copy(),
            self.bins.copy(),
        )
        nnz = problem.rows.nnz
        logged = nnz < len(self.pairs)
        if logged:
            # What is logged is deflated with the model, what is not yet as well.
            make = np.zeros if self.fades else np.empty
            self.log_pairs = make((nnz, *self.pairs.shape[1:]), self.pairs.dtype)
            self.log_max = make(nnz if self.scales_columns else 0, self.pairs.dtype)
        else:
            pairs, column_max = self.pairs.copy(), self.column_max.copy()

        def go_back() -> None:
            powers = 0.0
            if logged:
                self._replay(problem, self.n_seen - int(totals["n_seen"][0]))
                powers = self.totals["deflated"][0] - totals["deflated"][0]
            else:
                self.pairs[:], self.column_max[:] = pairs, column_max
            self.totals[:], self.outputs[:], self.bins[:] = totals, outputs, bins
            if powers:
                # As the columns that these rows do not have were meanwhile.
                self._deflate_sums(powers)

        return go_back

    def _replay(self, problem: Problem, n_visited: int) -> None:
        """Give columns what was logged of them, the last row's first."""
        undo.restore(
            problem.rows.indices,
            problem.rows.indptr,
            problem.rows_to_visit,
            n_visited,
            self.log_pairs,
            self.log_max,
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
        self.log_pairs, self.log_max = self.pairs[:0], self.column_max[:0]

    def check_precision(self, settings: adagrad.Settings) -> None:
        """Raise where the squares of gradients vanish in the state's type."""
        least = adagrad.least_gradient(settings, self.totals, self.outputs)
        dtype = self.pairs.dtype
        if least**2 < TINY[dtype]:
            raise ValueError(
                f"Gradients, about the spread of y times the length of a row of X, are "
                f"of {least:.1e}: their squares vanish in dtype={dtype.name!r}. "
                "Scale y or X up, or use dtype='float64'."
            )

    def deflate(self) -> None:
        """Divide what is inflated by a power of two, before it overflows.

        Costs a pass over the columns, once in so many samples; changes no weight.
        """
        powers = np.floor(np.log2(self.totals["inflation"][0]))
        if powers < MAX_INFLATION:
            return
        for pairs in self.pairs, self.log_pairs:
            # What would vanish stays, beside eps as good as nothing: its weight is
            # kept.
            where = pairs[:, 1:] > LEAST_ROOT
            np.multiply(pairs, 2.0**-powers, out=pairs, where=where)
        self._deflate_sums(powers)

    def _deflate_sums(self, powers: float) -> None:
        for record, names in (self.totals, ["inflation"]), (self.outputs, ["l1", "l2"]):
            for name in names:
                record[name] *= 2.0**-powers
        self.totals["deflated"] += powers

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
