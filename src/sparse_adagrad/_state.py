"""The model's numbers: allocated, grown, copied and rolled back for the kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.kernels import adagrad, columns, scales

CACHE_LINE = 64
# Powers of two by which a fading model is inflated before it is deflated: float32 has
# room for the square of twice as many. A root below the least stays as it is then.
MAX_INFLATION = 16
LEAST_ROOT = 2.0**-60
# Of so few entries, columns that come twice cost less than finding them does.
FEW_ENTRIES = 1 << 14


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
    """

    pairs: NDArray[Any]
    column_max: NDArray[Any]
    totals: NDArray[np.void]
    outputs: NDArray[np.void]
    bins: NDArray[np.int64]
    n_features: int

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
        state.outputs["eps"] = np.finfo(dtype).tiny
        if initial_accumulator_value:
            state.pairs[:, 1] = np.sqrt(initial_accumulator_value)
            state.outputs["intercept_grad_sq_sum"] = initial_accumulator_value
        return state

    @property
    def n_outputs(self) -> int:
        return len(self.outputs)

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

    def remember(self, indices: NDArray[Any]) -> Callable[[], None]:
        """Return a function that undoes what learning from these columns changes.

        Keeps the columns that a batch touches, O(nnz). In a small batch a column that
        comes twice is kept twice, with the same values.
        """
        totals, outputs, bins = (
            self.totals.copy(),
            self.outputs.copy(),
            self.bins.copy(),
        )
        touched = indices
        if len(indices) > FEW_ENTRIES:
            touched = columns.distinct(indices, self.n_features)
        n = len(touched)
        pairs = np.empty((n, *self.pairs.shape[1:]), self.pairs.dtype)
        column_max = np.empty(n if self.scales_columns else 0, self.pairs.dtype)
        columns.gather(self.pairs, self.column_max, touched, pairs, column_max)

        def undo() -> None:
            powers = self.totals["deflated"] - totals["deflated"]
            self.pairs[touched] = pairs
            if self.scales_columns:
                self.column_max[touched] = column_max
            self.totals[:] = totals
            self.outputs[:] = outputs
            self.bins[:] = bins
            if powers[0]:
                # Like all other columns meanwhile.
                self._deflate(touched, powers[0])

        return undo

    def deflate(self) -> None:
        """Divide what is inflated by a power of two, before it overflows.

        Costs a pass over the columns, once in so many samples; changes no weight.
        """
        powers = np.floor(np.log2(self.totals["inflation"][0]))
        if powers >= MAX_INFLATION:
            self._deflate(slice(len(self.pairs)), powers)

    def _deflate(self, columns: Any, powers: float) -> None:
        factor = 2.0**-powers
        pairs = self.pairs[columns]
        # What would vanish stays, beside eps as good as nothing: its weight is kept.
        np.multiply(pairs, factor, out=pairs, where=pairs[:, 1:] > LEAST_ROOT)
        self.pairs[columns] = pairs
        for record, names in (self.totals, ["inflation"]), (self.outputs, ["l1", "l2"]):
            for name in names:
                record[name] *= factor
        self.totals["deflated"] += powers

    def coef(self) -> NDArray[Any]:
        """Weights in the user's units, shape (n_features, n_outputs)."""
        out = np.empty((self.n_features, self.n_outputs), self.pairs.dtype)
        adagrad.read_weights(
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
