"""Sparse against dense AdaGrad as the columns grow: one costs the row, one the model.

    pytest bench/bench_dense.py -s --benchmark-json=dense.json
    python bench/bench_dense.py dense.json bench/pictures/dense.png

The first measures: the same rows of about 95 non-zeros, in 2^10 to 2^24 columns, each a
step of its own or 256 to a step, float32, no penalty. The dense optimisers are NumPy's,
whole arrays in place, and torch's where it is installed; both are given the gradient as
a dense array that is made from the row's entries, which costs little beside the step.
Each has come to our weights before it counts; ours is a `fit` of 20 epochs,
all that it does before and after them included. The second draws seconds a row.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache

import numpy as np
import pytest
from scipy import sparse as sp
from zipf import zipf_rows, zipf_target

from sparse_adagrad import SparseAdaGradRegressor

ETA, EPS = 0.1, 1e-7
COLUMNS = [2**b for b in range(10, 25, 2)]
BATCHES = [1, 256]
# Elements that a dense step passes over in one round, of which ten are measured.
DENSE_WORK = 2**25
N_ROWS, EPOCHS = 2**15, 20


class NumpyAdaGrad:
    """Dense AdaGrad of a linear model: nine passes over arrays, none of them new."""

    def __init__(self, n_features: int) -> None:
        self.w, self.grad_sq_sum, self.grad, self.step = np.zeros(
            (4, n_features), np.float32
        )

    def learn(self, X: sp.csr_array, y: np.ndarray) -> None:
        residual = X @ self.w - y
        self.grad.fill(0.0)
        entries = np.repeat(residual / len(y), np.diff(X.indptr)) * X.data
        np.add.at(self.grad, X.indices, entries)
        np.multiply(self.grad, self.grad, out=self.step)
        self.grad_sq_sum += self.step
        np.sqrt(self.grad_sq_sum, out=self.step)
        self.step += np.float32(EPS)
        np.divide(self.grad, self.step, out=self.step)
        self.step *= np.float32(ETA)
        self.w -= self.step


class TorchAdaGrad:
    """The same by `torch.optim.Adagrad`, on one thread."""

    def __init__(self, n_features: int) -> None:
        torch = pytest.importorskip("torch")
        torch.set_num_threads(1)
        self.parameter = torch.nn.Parameter(torch.zeros(n_features))
        self.parameter.grad = torch.zeros(n_features)
        self.grad = self.parameter.grad.numpy()
        self.w = self.parameter.detach().numpy()
        self.optimizer = torch.optim.Adagrad([self.parameter], lr=ETA, eps=EPS)

    def learn(self, X: sp.csr_array, y: np.ndarray) -> None:
        residual = X @ self.w - y
        self.grad.fill(0.0)
        entries = np.repeat(residual / len(y), np.diff(X.indptr)) * X.data
        np.add.at(self.grad, X.indices, entries)
        self.optimizer.step()


class Sparse:
    """Ours: it cuts what it is given into steps itself."""

    def __init__(self, n_features: int, batch_size: int) -> None:
        self.model = SparseAdaGradRegressor(
            learning_rate="constant",
            eta0=ETA,
            eps=EPS,
            alpha=0,
            fit_intercept=False,
            batch_size=batch_size,
        )

    def learn(self, X: sp.csr_array, y: np.ndarray) -> None:
        self.model.partial_fit(X, y)

    @property
    def w(self) -> np.ndarray:
        return self.model.coef_


DENSE = {"NumPy": NumpyAdaGrad, "torch": TorchAdaGrad}


@lru_cache(maxsize=1)
def data(columns: int) -> tuple[sp.csr_array, np.ndarray]:
    X = zipf_rows(N_ROWS, columns, 95)
    return X, zipf_target(X).astype(np.float32)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("name", [*DENSE, "sparse-adagrad"])
def test_step(benchmark, name, batch_size, columns):
    X, y = data(columns)
    n_steps = 10 if columns <= 2**20 else 2
    rows = slice(n_steps * batch_size)
    ours = Sparse(columns, batch_size)
    ours.learn(X[rows], y[rows])
    if name in DENSE:
        learner = DENSE[name](columns)
        at = range(0, rows.stop, batch_size)
        parts = [(X[i : i + batch_size], y[i : i + batch_size]) for i in at]
        for part in parts:
            learner.learn(*part)
        np.testing.assert_allclose(learner.w, ours.w, rtol=1e-3, atol=1e-5)
        n_rounds = max(1, min(len(parts), DENSE_WORK // columns))
        n_rows = n_rounds * batch_size

        def run():
            for part in parts[:n_rounds]:
                learner.learn(*part)
    else:
        expected = NumpyAdaGrad(columns)
        for i in range(0, rows.stop, batch_size):
            expected.learn(X[i : i + batch_size], y[i : i + batch_size])
        np.testing.assert_allclose(ours.w, expected.w, rtol=1e-3, atol=1e-5)
        n_rows = EPOCHS * N_ROWS
        ours.model.set_params(max_iter=EPOCHS, tol=None, shuffle=False)

        def run():
            ours.model.fit(X, y)

    benchmark.pedantic(run, rounds=7, warmup_rounds=1)
    microseconds = benchmark.stats.stats.median / n_rows * 1e6
    benchmark.extra_info.update(
        name=name, columns=columns, batch_size=batch_size, microseconds=microseconds
    )
    print(f"\n{name}, {columns} columns, {batch_size} a step: {microseconds:.3g} us")


COLOURS = {"NumPy": "#d55e00", "torch": "#cc79a7", "sparse-adagrad": "#0072b2"}


def draw(measured: str, picture: str) -> None:
    """Microseconds a row over columns, both on a log scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with open(measured, encoding="utf-8") as file:
        figures = [b["extra_info"] for b in json.load(file)["benchmarks"]]
    fig, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for name, colour in COLOURS.items():
        for batch_size, style in zip(BATCHES, ("o-", "s--"), strict=True):
            line = [
                (f["columns"], f["microseconds"])
                for f in figures
                if (f["name"], f["batch_size"]) == (name, batch_size)
            ]
            if line:
                label = f"{name}, {batch_size} row{'s' * (batch_size > 1)} a step"
                ax.loglog(*zip(*line, strict=True), style, color=colour, label=label)
    ax.set_xscale("log", base=2)
    ax.set(xlabel="columns", ylabel="microseconds a row (95 non-zeros)")
    ax.set_title("AdaGrad: dense steps cost the model, sparse ones the row")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=8)
    fig.savefig(picture, dpi=90)


if __name__ == "__main__":
    draw(*sys.argv[1:])
