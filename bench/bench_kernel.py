"""An epoch of the kernel beside one full-batch gradient of SciPy, on made rows.

    pytest bench/bench_kernel.py -s [-k base] [--benchmark-json=FILE]

Each benchmark changes one thing from the base: 200,000 rows of about 95 non-zeros in
2^18 columns, float32 and int32, one thread, rows in sequence, with a penalty. Before it
counts, every epoch is checked against the portable variant in sequence. SciPy's
``X @ w`` + ``X.T @ r`` takes its turn with ours, and the medians are set against each
other: only the ratio means something on a machine that others use too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse as sp
from timing import seconds
from zipf import zipf_rows, zipf_target

from sparse_adagrad import SparseAdaGradRegressor, cpu_variant
from sparse_adagrad._preparation import measure_scales, measures_for
from sparse_adagrad._problem import Problem
from sparse_adagrad._state import ModelState
from sparse_adagrad._training import Trainer
from sparse_adagrad._validation import check_rows
from sparse_adagrad.kernels import adagrad, cpu

ENTRIES = 19_000_000
ROUNDS = 7
IN_SEQUENCE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Case:
    """What an epoch runs on."""

    columns: int = 2**18
    mean_nnz: int = 95
    dtype: str = "float32"
    index: str = "int32"
    variant: str = "best"
    shuffled: bool = False
    threads: int = 1
    outputs: int = 1
    penalised: bool = True


BASE = Case()
CASES = {
    "base": BASE,
    "shuffled": replace(BASE, shuffled=True),
    "8 outputs": replace(BASE, outputs=8),
    "not penalised": replace(BASE, penalised=False),
    "float64": replace(BASE, dtype="float64"),
    "int64": replace(BASE, index="int64"),
    **{f"2^{b} columns": replace(BASE, columns=2**b) for b in (14, 20, 22, 24)},
    "2^22 columns, shuffled": replace(BASE, columns=2**22, shuffled=True),
    **{f"{n} a row": replace(BASE, mean_nnz=n) for n in (5, 20, 300, 1000)},
    **{name: replace(BASE, variant=name) for name in cpu.variants()},
}


@lru_cache(maxsize=1)
def data(
    columns: int, mean_nnz: int, dtype: str, index: str
) -> tuple[sp.csr_array, NDArray[np.float64]]:
    n_rows = ENTRIES // mean_nnz
    X = zipf_rows(n_rows, columns, mean_nnz, dtype=dtype, index_dtype=index)
    return X, zipf_target(X)


def trainer(case: Case, X: sp.csr_array, y: NDArray[np.float64]) -> Trainer:
    """As `fit` has it once the features are laid out, if they are."""
    model = SparseAdaGradRegressor(dtype=case.dtype)
    state_dtype = np.dtype(case.dtype)
    measures = measures_for(None, "auto")
    rows = check_rows(model, X, reset=True, state_dtype=state_dtype, measures=measures)
    target = np.column_stack([y * (o + 1) for o in range(case.outputs)])
    problem = Problem.of(rows, target, np.empty(0))
    state = ModelState.allocate(
        X.shape[1],
        case.outputs,
        state_dtype,
        scaling="auto",
        initial_accumulator_value=0.0,
    )
    settings = model._settings(running=False)
    problem = measure_scales(state, problem, settings, measures)
    strength = adagrad.ridge_alpha(settings, state.totals, state.outputs) / len(y)
    alpha = np.outer(strength * case.penalised, [0.0, 1.0])
    model.set_params(n_jobs=case.threads, shuffle=case.shuffled)
    layout = model._layout_to_come(state, problem, np.random.RandomState(0))
    ready = Trainer(state, problem, settings, alpha, layout=layout)
    ready.take_layout(blocking=True)
    return ready


@pytest.fixture
def best_variant():
    best = cpu_variant()
    yield best
    cpu.use_variant(best)


@pytest.mark.parametrize("name", CASES)
def test_epoch(benchmark, best_variant, name):
    case = CASES[name]
    X, y = data(case.columns, case.mean_nnz, case.dtype, case.index)
    cpu.use_variant("portable")
    expected = trainer(replace(case, threads=1), X, y).run([IN_SEQUENCE])
    cpu.use_variant(best_variant if case.variant == "best" else case.variant)
    ours = trainer(case, X, y)
    order = ours.order(np.random.RandomState(0) if case.shuffled else None)
    losses = ours.run(order)
    assert (losses[:, 0] < losses[:, 1]).all(), "one epoch has learned nothing"
    # Another order, or two threads, come to another progressive loss, but not far.
    tolerance = 0.02 if case.shuffled else 1e-4
    np.testing.assert_allclose(losses[:, 0], expected[:, 0], rtol=tolerance)

    w = np.zeros(case.columns, case.dtype)
    r = np.zeros(X.shape[0], case.dtype)
    scipys, bases = [], []
    base = trainer(BASE, *data(*BASE_DATA)) if data_of(case) == BASE_DATA else None
    if base is not None:
        base.run([IN_SEQUENCE])

    def others():
        scipys.append(seconds(lambda: (X @ w, X.T @ r)))
        if base is not None:
            cpu.use_variant(best_variant)
            bases.append(seconds(lambda: base.run([IN_SEQUENCE])))
            # Ours finds the caches as the base did.
            _ = X @ w, X.T @ r
            cpu.use_variant(best_variant if case.variant == "best" else case.variant)

    benchmark.pedantic(ours.run, (order,), setup=others, rounds=ROUNDS, warmup_rounds=1)
    took = benchmark.stats.stats.median
    entry = 2 * np.dtype(case.dtype).itemsize * case.outputs
    read = X.dtype.itemsize + X.indices.itemsize + 2 * entry
    figures = {
        "ns a non-zero": took / X.nnz * 1e9,
        "GB/s": X.nnz * read / took / 1e9,
        "over SciPy": took / np.median(scipys),
    }
    if bases:
        figures["over base"] = took / np.median(bases)
    benchmark.extra_info.update(figures, nnz=X.nnz, cpu=cpu_variant())
    line = ", ".join(f"{value:.2f} {what}" for what, value in figures.items())
    print(f"\n{name}: {line}")


@pytest.mark.parametrize("columns", [2**18, 2**22])
def test_two_threads(benchmark, columns):
    """Ten epochs one after the other, as `fit` runs, over those of one thread.

    Beside it what two models come to that learn half of the rows each, at once, and
    share nothing: about as much as the machine gives just now. And whole fits.
    """
    X, y = data(columns, BASE.mean_nnz, BASE.dtype, BASE.index)
    n_rows = X.shape[0] * 9 // 10
    errors, fits = ({1: [], 2: []} for _ in range(2))
    X_train, y_train = X[:n_rows], y[:n_rows]
    for seed, n_jobs in product(range(5), (1, 2)):
        model = SparseAdaGradRegressor(
            n_jobs=n_jobs, max_iter=10, tol=None, random_state=seed
        )
        fits[n_jobs].append(seconds(lambda model=model: model.fit(X_train, y_train)))
        error = np.mean((model.predict(X[n_rows:]) - y[n_rows:]) ** 2)
        errors[n_jobs].append(np.sqrt(error))
    case = replace(BASE, columns=columns, shuffled=True)
    half = X.shape[0] // 2
    one, two, *apart = (
        trainer(replace(case, threads=n_threads), X[rows], y[rows])
        for n_threads, rows in [
            (1, slice(None)),
            (2, slice(None)),
            (1, slice(half)),
            (1, slice(half, None)),
        ]
    )
    orders = {t: t.order(np.random.RandomState(0)) for t in (one, two, *apart)}

    def epochs(learner):
        for _ in range(10):
            learner.run(orders[learner])

    def epochs_apart():
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(epochs, apart))

    alone, shared_nothing = [], []

    def others():
        alone.append(seconds(lambda: epochs(one)))
        shared_nothing.append(seconds(epochs_apart))

    # A machine that others use too may be busy for seconds.
    benchmark.pedantic(epochs, (two,), setup=others, rounds=3 * ROUNDS, warmup_rounds=1)
    took = np.median(alone[1:])
    figures = {
        "speed-up": took / benchmark.stats.stats.median,
        "of two models that share nothing": took / np.median(shared_nothing[1:]),
        "of whole fits": np.median(fits[1]) / np.median(fits[2]),
        "of one thread's held-out RMSE": np.mean(errors[2]) / np.mean(errors[1]),
    }
    benchmark.extra_info.update(figures)
    line = ", ".join(f"{value:.4g} {what}" for what, value in figures.items())
    print(f"\ntwo threads, {columns} columns: {line}")


def data_of(case: Case) -> tuple[int, int, str, str]:
    return case.columns, case.mean_nnz, case.dtype, case.index


BASE_DATA = data_of(BASE)


def test_checking_and_preparing(benchmark):
    """All that `fit` does before its first epoch, over an epoch."""
    X, y = data(*BASE_DATA)
    assert trainer(BASE, X, y).run([IN_SEQUENCE])[0, 0] > 0
    epoch = trainer(BASE, X, y)
    epochs = []

    benchmark.pedantic(
        trainer,
        (BASE, X, y),
        setup=lambda: epochs.append(seconds(lambda: epoch.run([IN_SEQUENCE]))),
        rounds=ROUNDS,
        warmup_rounds=1,
    )
    ratio = benchmark.stats.stats.median / np.median(epochs)
    benchmark.extra_info["over an epoch"] = ratio
    print(f"\nchecking and preparing: {ratio:.2f} epochs")


def test_predict(benchmark):
    """`predict` over SciPy's product with the coefficients, one thread."""
    X, y = data(*BASE_DATA)
    model = SparseAdaGradRegressor(max_iter=1, random_state=0).fit(X, y)
    coef = model.coef_
    np.testing.assert_allclose(
        model.predict(X), X @ coef + model.intercept_, rtol=1e-3, atol=1e-4
    )
    scipys = []
    benchmark.pedantic(
        model.predict,
        (X,),
        setup=lambda: scipys.append(seconds(lambda: X @ coef)),
        rounds=ROUNDS,
        warmup_rounds=1,
    )
    ratio = np.median(scipys) / benchmark.stats.stats.median
    benchmark.extra_info["SciPy over ours"] = ratio
    print(f"\npredict: SciPy's X @ coef_ takes {ratio:.2f} of its time")
