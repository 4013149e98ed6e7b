"""Sparse against dense AdaGrad as the columns grow: one costs the row, one the model.

    python bench/bench_dense.py [PICTURE]
    pytest bench/bench_dense.py -s [-k NAME]

Either measures the same rows of about 95 non-zeros in 2^10 to 2^24 columns, each a step
of its own or 256 to a step, float32, no penalty; the first also prints dense over ours
and draws microseconds a row. The dense optimisers are NumPy's, whole arrays in place,
and torch's where it is installed; both are given the gradient as a dense array that is
made from the row's entries, which costs little beside the step. Ours is one
`partial_fit` of many rows, and an epoch of a `fit` with all that it does besides. First
our weights in float64 must be NumPy's to rounding, and those in float32 close to them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse as sp
from zipf import zipf_rows, zipf_target

from sparse_adagrad import SparseAdaGradRegressor

ETA, EPS = 0.1, 1e-7
COLUMNS = [2**b for b in range(10, 25, 2)]
BATCHES = [1, 256]
N_ROWS, EPOCHS = 2**15, 20
CHECKED_STEPS = 8
# Elements of each array that a dense optimiser passes over in one round.
DENSE_WORK = 2**25


class NumpyAdaGrad:
    """Dense AdaGrad of a linear model: nine passes over arrays, none of them new."""

    def __init__(self, n_features: int, dtype: str = "float32") -> None:
        self.w, self.grad_sq_sum, self.grad, self.step = (
            np.zeros(n_features, dtype) for _ in range(4)
        )
        self.eta, self.eps = self.w.dtype.type(ETA), self.w.dtype.type(EPS)

    def learn(self, X: sp.csr_array, y: np.ndarray) -> None:
        put_gradient(self.grad, X, X @ self.w - y)
        np.multiply(self.grad, self.grad, out=self.step)
        self.grad_sq_sum += self.step
        np.sqrt(self.grad_sq_sum, out=self.step)
        self.step += self.eps
        np.divide(self.grad, self.step, out=self.step)
        self.step *= self.eta
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
        put_gradient(self.grad, X, X @ self.w - y)
        self.optimizer.step()


DENSE = {"NumPy": NumpyAdaGrad, "torch": TorchAdaGrad}
OURS = ["partial_fit", "fit"]


def put_gradient(grad: np.ndarray, X: sp.csr_array, residual: np.ndarray) -> None:
    """The mean gradient of the rows as a dense array."""
    grad.fill(0.0)
    entries = np.repeat(residual / len(residual), np.diff(X.indptr)) * X.data
    np.add.at(grad, X.indices, entries)


def ours(batch_size: int, dtype: str = "float32", **parameters):
    """The textbook's rule, as the dense optimisers have it."""
    return SparseAdaGradRegressor(
        learning_rate="constant",
        eta0=ETA,
        eps=EPS,
        alpha=0,
        fit_intercept=False,
        batch_size=batch_size,
        dtype=dtype,
        **parameters,
    )


@lru_cache(maxsize=1)
def data(columns: int) -> tuple[sp.csr_array, np.ndarray]:
    X = zipf_rows(N_ROWS, columns, 95)
    return X, zipf_target(X).astype(np.float32)


def batches(X, y, batch_size: int) -> list[tuple[sp.csr_array, np.ndarray]]:
    """What the steps that are checked learn from."""
    starts = range(0, CHECKED_STEPS * batch_size, batch_size)
    return [(X[i : i + batch_size], y[i : i + batch_size]) for i in starts]


@lru_cache(maxsize=1)
def expected(columns: int, batch_size: int) -> np.ndarray:
    """Weights by NumPy in float64, to which ours in float64 are equal."""
    X, y = data(columns)
    X, y = X.astype(np.float64), y.astype(np.float64)
    dense = NumpyAdaGrad(columns, "float64")
    for part in batches(X, y, batch_size):
        dense.learn(*part)
    rows = slice(CHECKED_STEPS * batch_size)
    model = ours(batch_size, "float64").partial_fit(X[rows], y[rows])
    np.testing.assert_allclose(model.coef_, dense.w, rtol=1e-9, atol=1e-12)
    return dense.w


# The uppermost changes fastest: what is compared is measured side by side.
@pytest.mark.parametrize("name", [*DENSE, *OURS])
@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("columns", COLUMNS)
def test_step(benchmark, name, batch_size, columns):
    X, y = data(columns)
    rows = slice(CHECKED_STEPS * batch_size)
    if name in DENSE:
        dense = DENSE[name](columns)
        parts = batches(X, y, batch_size)

        def run(parts):
            for part in parts:
                dense.learn(*part)

        run(parts)
        learned = dense.w
        parts = parts[: max(1, DENSE_WORK // columns)]
        arguments, n_rows = (parts,), len(parts) * batch_size
    elif name == "partial_fit":
        model = ours(batch_size)
        learned = model.partial_fit(X[rows], y[rows]).coef_
        run, arguments, n_rows = model.partial_fit, (X, y), N_ROWS
    else:
        model = ours(batch_size, max_iter=1, tol=None, shuffle=False)
        learned = model.fit(X[rows], y[rows]).coef_
        model.set_params(max_iter=EPOCHS)
        run, arguments, n_rows = model.fit, (X, y), EPOCHS * N_ROWS
    np.testing.assert_allclose(
        learned, expected(columns, batch_size), rtol=1e-3, atol=1e-5
    )
    benchmark.pedantic(run, arguments, rounds=7, warmup_rounds=1)
    microseconds = benchmark.stats.stats.median / n_rows * 1e6
    benchmark.extra_info.update(
        name=name, columns=columns, batch_size=batch_size, microseconds=microseconds
    )
    print(f"\n{name}, {columns} columns, {batch_size} a step: {microseconds:.3g} us")


COLOURS = {"NumPy": "#d55e00", "torch": "#cc79a7"} | dict.fromkeys(OURS, "#0072b2")


def show(figures: dict[tuple[str, int], dict[int, float]]) -> None:
    """Dense over ours, by batch size and columns."""
    print("\n| NumPy's step over ours, a row |", end="")
    print("".join(f" 2^{c.bit_length() - 1} |" for c in COLUMNS))
    print("| --- " * (len(COLUMNS) + 1) + "|")
    for batch_size in BATCHES:
        for name in OURS:
            dense, sparse = figures["NumPy", batch_size], figures[name, batch_size]
            ratios = "".join(f" {dense[c] / sparse[c]:,.1f} |" for c in COLUMNS)
            print(f"| {name}, {batch_size} a step |{ratios}")


def draw(figures: dict[tuple[str, int], dict[int, float]], picture: str) -> None:
    """Microseconds a row over columns, both on a log scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(
        1, 2, figsize=(8.4, 4.0), sharey=True, layout="constrained"
    )
    for ax, batch_size in zip(axes, BATCHES, strict=True):
        for name, colour in COLOURS.items():
            line = figures.get((name, batch_size))
            if line is None:
                continue
            style = "o--" if name == "fit" else "o-"
            label = f"sparse-adagrad, {name}" if name in OURS else f"dense {name}"
            ax.loglog(*zip(*line.items(), strict=True), style, color=colour,
                      label=label, markersize=4)  # fmt: skip
        ax.set_xscale("log", base=2)
        ax.set(title=f"{batch_size} row{'s' * (batch_size > 1)} a step")
        ax.set_xlabel("columns")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("microseconds a row of 95 non-zeros")
    axes[0].legend(frameon=False, fontsize=9)
    fig.savefig(picture, dpi=90)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        status = pytest.main([__file__, "-q", f"--benchmark-json={report}"])
        if status:
            sys.exit(status)
        benchmarks = json.loads(report.read_text(encoding="utf-8"))["benchmarks"]
    figures: dict[tuple[str, int], dict[int, float]] = {}
    for each in (b["extra_info"] for b in benchmarks):
        line = figures.setdefault((each["name"], each["batch_size"]), {})
        line[each["columns"]] = each["microseconds"]
    show(figures)
    pictures = Path(__file__).parent / "pictures"
    draw(figures, sys.argv[1] if sys.argv[1:] else str(pictures / "dense.png"))


if __name__ == "__main__":
    main()
