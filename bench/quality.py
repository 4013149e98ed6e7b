"""How good the defaults are, beside a Ridge tuned on the test part, and what holds.

    SPARSE_ADAGRAD_DATA=FOLDER python bench/quality.py [--tasks NAME ...] [--only ...]

Every figure is printed beside what it must be. Ratios of errors are to a yardstick
measured on the same matrix; ratios of seconds are medians in this run.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy import sparse as sp
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.preprocessing import MaxAbsScaler

sys.path.insert(0, str(Path(__file__).parent))
from tasks import (
    BEST_STREAM,
    KINDS,
    TRIAL_STREAM,
    TUNED_RIDGE,
    Split,
    load_task,
    other_tasks,
)
from zipf import zipf_rows, zipf_target

from sparse_adagrad import SparseAdaGradRegressor
from sparse_adagrad.pipeline import make_streaming_pipeline
from sparse_adagrad.text import HashingTfidfVectorizer

Figures = Iterator[tuple[str, float, str]]


def test_error(model, split: Split) -> float:
    """Test RMSE of a model fitted here."""
    model.fit(split.X, split.y)
    return root_mean_squared_error(split.y_test, model.predict(split.X_test))


def tuned_ridge(split: Split, exponents: range) -> float:
    """Least test RMSE of Ridges with alpha a power of ten."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the solver, on the matrices it fails on
        return min(
            test_error(
                Ridge(10.0**e, solver="sparse_cg", max_iter=2000, tol=1e-5), split
            )
            for e in exponents
        )


def ours(**parameters) -> SparseAdaGradRegressor:
    return SparseAdaGradRegressor(random_state=0, **parameters)


def summary(ratios: list[float]) -> Figures:
    yield "  mean", float(np.mean(ratios)), "<= 1.003"
    yield "  worst", max(ratios), "<= 1.02"


def default(tasks: list[str]) -> Figures:
    """Test RMSE over that of the tuned Ridge in the tasks' README."""
    ratios = []
    for name in tasks:
        ratios.append(test_error(ours(), load_task(name).split()) / TUNED_RIDGE[name])
        yield f"  {name}", ratios[-1], "<= 1.02"
    yield from summary(ratios)


def others(tasks: list[str]) -> Figures:
    """The same on targets made of the standard library, Ridge tuned here."""
    ratios = []
    for task in other_tasks():
        split = task.split()
        ratios.append(test_error(ours(), split) / tuned_ridge(split, range(-2, 4)))
        yield f"  {task.name}", ratios[-1], "<= 1.02"
    yield from summary(ratios)


def matrices(tasks: list[str]) -> Figures:
    """Other matrices of the same texts, over a Ridge tuned on each (0.1 to 1e6)."""
    for name in tasks:
        for kind in KINDS:
            split = load_task(name).split(kind)
            ratio = test_error(ours(), split) / tuned_ridge(split, range(-1, 7))
            yield f"  {name}, {kind}", ratio, "<= 1.03"


def units(tasks: list[str]) -> Figures:
    """Largest relative difference of predictions in other units, float64."""
    for name in tasks:
        s = load_task(name).split()
        X, X_test = s.X.astype(np.float64), s.X_test.astype(np.float64)
        expected = ours(dtype="float64").fit(X, s.y).predict(X_test)
        times = ours(dtype="float64").fit(1e3 * X, s.y).predict(1e3 * X_test)
        moved = ours(dtype="float64").fit(X, 1e6 * s.y + 1e6).predict(X_test)
        moved = (moved - 1e6) / 1e6
        for what, found in (("X * 1000", times), ("y * 1e6 + 1e6", moved)):
            difference = np.max(np.abs(found - expected) / np.abs(expected))
            yield f"  {name}, {what}", float(difference), "<= 1e-6"


def progressive_rmse(X, y) -> float:
    model, total = SparseAdaGradRegressor(), 0.0
    for start in range(0, len(y), 256):
        batch = slice(start, start + 256)
        model.partial_fit(X[batch], y[batch])
        total += model.loss_curve_[-1] * len(y[batch])
    return float(np.sqrt(2 * total / len(y)))


def stream(tasks: list[str]) -> Figures:
    """Progressive RMSE of one pass over the trial's; over scaled beforehand."""
    for name in tasks:
        task = load_task(name)
        error = progressive_rmse(*task.stream())
        yield f"  {name}, over the trial", error / TRIAL_STREAM[name], "<= 1.01"
        for kind in ("counts", "length"):
            X, y = task.stream(kind)
            scaled = progressive_rmse(MaxAbsScaler().fit_transform(X), y)
            yield f"  {name}, {kind}", progressive_rmse(X, y) / scaled, "<= 1.05"


def median_seconds(*actions: Callable[[], object], rounds: int = 5) -> list[float]:
    """Median seconds of each, taken in turns."""
    seconds = []
    for _ in range(rounds):
        for action in actions:
            start = perf_counter()
            action()
            seconds.append(perf_counter() - start)
    return list(np.median(np.reshape(seconds, (rounds, -1)), axis=0))


def speed(tasks: list[str]) -> Figures:
    """Seconds of the default fit over those of one Ridge(1, sparse_cg)."""
    for name in {"imdb_rating", "airbnb_logprice"} & set(tasks):
        s = load_task(name).split()
        a, b = median_seconds(
            lambda s=s: ours().fit(s.X, s.y),
            lambda s=s: Ridge(1, solver="sparse_cg").fit(s.X, s.y),
        )
        yield f"  {name}: fit over Ridge", a / b, "<= 0.4"


def torch_parity(tasks: list[str]) -> Figures:
    """Relative difference of the weights from torch.optim.Adagrad after 3 epochs."""
    try:
        import torch
    except ImportError:
        print("  skipped: torch is not installed")
        return
    X = sp.random(50, 20, 0.3, format="csr", random_state=0)
    y = np.random.default_rng(0).normal(size=50)
    for batch_size in (1, 7, 50):
        model = SparseAdaGradRegressor(
            learning_rate="constant", eta0=0.2, alpha=0, batch_size=batch_size,
            max_iter=3, tol=None, shuffle=False, dtype="float64",
        ).fit(X, y)  # fmt: skip
        w = torch.zeros(20, dtype=torch.float64, requires_grad=True)
        b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adagrad([w, b], lr=0.2, eps=1e-7)
        A, t = torch.tensor(X.toarray()), torch.tensor(y)
        for _ in range(3):
            for start in range(0, 50, batch_size):
                rows = slice(start, start + batch_size)
                optimizer.zero_grad()
                (0.5 * (A[rows] @ w + b - t[rows]) ** 2).mean().backward()
                optimizer.step()
        theirs = np.append(w.detach().numpy(), b.detach().numpy())
        mine = np.append(model.coef_, model.intercept_)
        difference = float(np.max(np.abs(mine - theirs) / np.abs(theirs)))
        yield f"  batch_size={batch_size}", difference, "<= 1e-9"


def one_row(tasks: list[str]) -> Figures:
    """One row of 100 non-zeros as the columns grow, and scikit-learn's beside it."""
    rng = np.random.default_rng(0)
    calls = []
    for n_features in (2**14, 2**24):
        rows = [
            sp.csr_matrix(
                (rng.random(100, np.float32),
                 np.sort(rng.choice(n_features, 100, replace=False)), [0, 100]),
                shape=(1, n_features),
            )
            for _ in range(200)
        ]  # fmt: skip
        y = np.ones(1)
        for model in (SparseAdaGradRegressor(), SGDRegressor()):
            for row in rows[:20]:
                model.partial_fit(row, y)
            ours_here = isinstance(model, SparseAdaGradRegressor)
            used = rows if ours_here else rows[:20]

            def call(model=model, used=used, y=y):
                for row in used:
                    model.partial_fit(row, y)

            calls.append((call, len(used)))
    seconds = median_seconds(*(call for call, _ in calls))
    narrow, _, wide, theirs = (s / n for s, (_, n) in zip(seconds, calls, strict=True))
    yield "  2^24 columns over 2^14", wide / narrow, "<= 1.2"
    yield "  SGDRegressor over ours at 2^24", theirs / wide, ">= 50"


def memory(tasks: list[str]) -> Figures:
    """Bytes of the fitted state by column and output."""
    X = sp.random(100, 100_000, 0.01, format="csr", random_state=0)
    y = np.random.default_rng(0).normal(size=(100, 4))
    for scaling, limit in ((None, "<= 9"), ("auto", "<= 13")):
        for target in (y[:, 0], y):
            state = ours(feature_scaling=scaling).fit(X, target)._state
            size = sum(
                array.nbytes
                for array in (
                    state.pairs, state.column_max, state.totals, state.outputs,
                    state.bins,
                )
            )  # fmt: skip
            cells = 100_000 * state.n_outputs
            yield f"  {scaling}, {state.n_outputs} outputs", size / cells, limit


def cuts(tasks: list[str]) -> Figures:
    """Weights that differ between cuts of the same rows into batches."""
    for name in tasks:
        X, y = load_task(name).stream("length")
        whole = SparseAdaGradRegressor().partial_fit(X, y)
        rng = np.random.default_rng(0)
        ends = np.append(np.sort(rng.choice(len(y), 20, replace=False)), len(y))
        model, start = SparseAdaGradRegressor(), 0
        for end in ends:
            if end > start:
                model.partial_fit(X[start:end], y[start:end])
            start = end
        yield f"  {name}", float(np.sum(model.coef_ != whole.coef_)), "<= 0"


def pipeline(tasks: list[str]) -> Figures:
    """Progressive RMSE of one pass from text, IDF growing, over the trial's best."""
    for name in tasks:
        task = load_task(name)
        order = np.random.RandomState(0).permutation(len(task.texts))
        texts, y = task.texts[order], task.target[order]
        columns = HashingTfidfVectorizer(
            n_features=2**18, sublinear_tf=True, dtype=np.float32
        )
        model = make_streaming_pipeline(columns, SparseAdaGradRegressor())
        loss_sum = 0.0
        for start in range(0, len(y), 256):
            batch = slice(start, start + 256)
            model.partial_fit(texts[batch], y[batch])
            loss_sum += model.regressor.loss_curve_[-1] * len(y[batch])
        error = np.sqrt(2 * loss_sum / len(y))
        yield f"  {name}", error / BEST_STREAM[name], "<= 1.0"


def drift(tasks: list[str]) -> Figures:
    """Made stream whose weights change half-way: loss at decay=1e-4 over decay=0."""
    X = zipf_rows(100_000, 20_000, 95)
    y = np.r_[zipf_target(X, seed=1)[:50_000], zipf_target(X, seed=2)[50_000:]]
    curves = []
    for decay in (1e-4, 0.0):
        model = SparseAdaGradRegressor(decay=decay)
        for start in range(0, len(y), 1000):
            model.partial_fit(X[start : start + 1000], y[start : start + 1000])
        curves.append(np.array(model.loss_curve_))
    fading, plain = curves
    yield "  last tenth", fading[-10:].mean() / plain[-10:].mean(), "<= 0.75"
    before = slice(40, 50)
    yield "  tenth before", fading[before].mean() / plain[before].mean(), "<= 1.0"


PARTS = {
    "default": default,
    "others": others,
    "matrices": matrices,
    "units": units,
    "stream": stream,
    "speed": speed,
    "torch": torch_parity,
    "one-row": one_row,
    "memory": memory,
    "cuts": cuts,
    "drift": drift,
    "pipeline": pipeline,
}


def holds(value: float, limit: str) -> bool:
    relation, bound = limit.split()
    return value <= float(bound) if relation == "<=" else value >= float(bound)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="+", choices=TUNED_RIDGE, default=None)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args()
    missed = 0
    for name in arguments.only:
        print(f"{name}: {PARTS[name].__doc__}")
        for figure, value, limit in PARTS[name](arguments.tasks or list(TUNED_RIDGE)):
            kept = holds(value, limit)
            missed += not kept
            print(f"{figure:<48}{value:>12.5g}  {limit}{'' if kept else '  MISSED'}")
            sys.stdout.flush()
    print(f"{missed} figures missed")


if __name__ == "__main__":
    main()
