"""What is learned from: checked rows, targets and weights, and which are visited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.kernels import csr


@dataclass(frozen=True, slots=True)
class Rows:
    """CSR arrays that the kernels may read without looking.

    Attributes
    ----------
    data : ndarray of shape (>= nnz,), float32 or float64
    indices : ndarray of shape (>= nnz,), int32 or int64
    indptr : ndarray of shape (n_samples + 1,), int32 or int64
    n_features : int
    scaled : ndarray of shape (n_scaled,), dtype of `data`
        The rows that have entries in columns with a unit of their own, in these units.
    scaled_starts : ndarray of shape (n_samples,) or (0,), int64
        Where each of these starts in `scaled`; -1 of rows that are as they are in
        `data`. Empty: all are.
    """

    data: NDArray[Any]
    indices: NDArray[Any]
    indptr: NDArray[Any]
    n_features: int
    scaled: NDArray[Any] | None = None
    scaled_starts: NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, np.int64)
    )

    @property
    def n_samples(self) -> int:
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        return int(self.indptr[-1])

    def cut(self, n_parts: int) -> list[int]:
        """First rows of parts of about as many entries each, and the end."""
        shares = np.linspace(0, self.nnz, n_parts + 1)[1:-1]
        return [0, *np.searchsorted(self.indptr, shares).tolist(), self.n_samples]

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Copy of some rows."""
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(self.indptr[rows + 1] - self.indptr[rows], out=indptr[1:])
        data = np.empty(indptr[-1], self.data.dtype)
        indices = np.empty(indptr[-1], self.indices.dtype)
        csr.take_rows(self.data, self.indices, self.indptr, rows, data, indices)
        return Rows(data, indices, indptr, self.n_features)


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
    run : int
        Neighbouring rows that a shuffled epoch visits one after the other.
    validation : tuple of (Rows, ndarray, ndarray) or None
        Data, targets and weights that are held out.
    """

    rows: Rows
    y: NDArray[np.float64]
    weights: NDArray[np.float64]
    rows_to_visit: NDArray[np.int64]
    weight_sum: float
    run: int = 1
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

    @property
    def mean_weight(self) -> float:
        """Of the rows to visit."""
        return self.weight_sum / self.n_visited

    def visited_weights(self) -> NDArray[np.float64]:
        """Weights of the rows to visit. Empty: all are 1."""
        if len(self.weights) == 0 or len(self.rows_to_visit) == 0:
            return self.weights
        return self.weights[self.rows_to_visit]

    def row_weights(self) -> NDArray[np.float64]:
        """Weights of all rows, 0 of those that are not visited. Empty: all are 1."""
        visited = self.rows_to_visit
        if len(visited) == 0:
            return self.weights
        weights = np.zeros(self.rows.n_samples)
        weights[visited] = self.visited_weights() if len(self.weights) else 1.0
        return weights

    def all_to_visit(self) -> NDArray[np.int64]:
        """Rows to visit, in sequence, each by its number."""
        if len(self.rows_to_visit):
            return self.rows_to_visit
        return np.arange(self.rows.n_samples, dtype=np.int64)

    def order(self, rng: np.random.RandomState | None) -> NDArray[np.int64]:
        """Rows of one epoch: shuffled by `rng`, or as they are."""
        if rng is None:
            return self.rows_to_visit
        return shuffle_in_runs(self.all_to_visit(), self.run, rng)

    def hold_out(self, fraction: float, rng: np.random.RandomState) -> None:
        """Move a share of the rows to the validation set."""
        shuffled = rng.permutation(self.all_to_visit())
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


def shuffle_in_runs(
    rows: NDArray[np.int64], run: int, rng: np.random.RandomState
) -> NDArray[np.int64]:
    """Shuffle rows in runs of neighbours, cut elsewhere each time."""
    starts = np.arange(-rng.randint(run), len(rows), run, dtype=np.int64)
    shuffled = np.empty(len(rows), np.int64)
    csr.take_runs(rows, rng.permutation(starts), run, shuffled)
    return shuffled


def as_outputs(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """A target of one or two dimensions as (n_samples, n_outputs)."""
    return y if y.ndim == 2 else y[:, np.newaxis]
