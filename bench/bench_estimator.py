"""fit, partial_fit and predict beside scikit-learn's SGDRegressor and Ridge.

    pytest bench/bench_estimator.py --benchmark-group-by=group

Made data, so that it runs anywhere: rows with Zipf columns, of length 1. Each
benchmark checks what it has learned before its time counts.
"""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, SGDRegressor
from timing import seconds
from zipf import zipf_rows, zipf_target

from sparse_adagrad import SparseAdaGradRegressor, cpu_variant

N_ROWS, N_COLUMNS, MEAN_NNZ = 20_000, 2**16, 80


@pytest.fixture(scope="module")
def data():
    X = zipf_rows(N_ROWS, N_COLUMNS, MEAN_NNZ)
    y = zipf_target(X)
    return X, y


ESTIMATORS = {
    "ours": lambda: SparseAdaGradRegressor(random_state=0),
    "SGDRegressor": lambda: SGDRegressor(max_iter=20, tol=None, random_state=0),
    "Ridge": lambda: Ridge(solver="sparse_cg"),
}
STREAMING = [name for name in ESTIMATORS if name != "Ridge"]


def describe(benchmark, X):
    benchmark.extra_info.update(
        nnz=X.nnz, dtype=str(X.dtype), index=str(X.indices.dtype), cpu=cpu_variant()
    )


# Training R2 after 20 epochs and after one. SGDRegressor's own defaults learn little on
# rows of length 1; it has to beat the mean, and its R2 stands beside its time.
LEAST_R2 = {"ours": (0.5, 0.2), "Ridge": (0.5, None), "SGDRegressor": (0.0, 0.0)}


def check(benchmark, model, X, y, least):
    r2 = benchmark.extra_info["r2"] = model.score(X, y)
    assert r2 > least, f"R2 {r2:.3f}: the time of a wrong result says nothing"


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.benchmark(group="fit, 20 epochs")
def test_fit(benchmark, data, name):
    X, y = data
    describe(benchmark, X)
    check(benchmark, ESTIMATORS[name]().fit(X, y), X, y, LEAST_R2[name][0])
    benchmark.pedantic(
        lambda model: model.fit(X, y),
        setup=lambda: ((ESTIMATORS[name](),), {}),
        rounds=5,
        warmup_rounds=1,
    )


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.benchmark(group="partial_fit of one row")
def test_partial_fit(benchmark, data, name):
    X, y = data
    describe(benchmark, X[:1])
    model = ESTIMATORS[name]().partial_fit(X, y)
    check(benchmark, model, X, y, LEAST_R2[name][1])
    benchmark.pedantic(model.partial_fit, (X[:1], y[:1]), rounds=200, warmup_rounds=5)


def stream(model, batches):
    for X, y in batches:
        model.partial_fit(X, y)
    return model


@pytest.mark.parametrize("n_rows", [100, 1000, 10_000, 50_000])
def test_stream(benchmark, n_rows):
    """A pass in batches; SGDRegressor's too, of rows as they come and shuffled."""
    X = zipf_rows(50_000, 2**18, 95)
    y = zipf_target(X)
    describe(benchmark, X)
    starts = range(0, len(y), n_rows)
    batches = [(X[i : i + n_rows], y[i : i + n_rows]) for i in starts]
    ours = stream(SparseAdaGradRegressor(), batches)
    whole = SparseAdaGradRegressor().partial_fit(X, y)
    np.testing.assert_array_equal(ours.coef_, whole.coef_)
    check(benchmark, ours, X, y, 0.2)
    peers = {
        "in sequence": SGDRegressor(shuffle=False),
        "shuffled": SGDRegressor(random_state=0),
    }
    took = {name: [] for name in peers}
    for model in peers.values():
        check(benchmark, stream(model, batches), X, y, LEAST_R2["SGDRegressor"][1])

    def others():
        for name, model in peers.items():
            took[name].append(seconds(lambda model=model: stream(model, batches)))

    benchmark.pedantic(stream, (ours, batches), setup=others, rounds=5, warmup_rounds=1)
    median = benchmark.stats.stats.median
    ratios = {name: np.median(times) / median for name, times in took.items()}
    benchmark.extra_info.update(ratios)
    line = ", ".join(f"{ratio:.2f} {name}" for name, ratio in ratios.items())
    a_row = median / len(y) * 1e9
    print(f"\nbatches of {n_rows}: {a_row:.0f} ns a row, SGDRegressor over it {line}")


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.benchmark(group="predict")
def test_predict(benchmark, data, name):
    X, y = data
    describe(benchmark, X)
    model = ESTIMATORS[name]().fit(X, y)
    expected = X @ model.coef_.astype(np.float64) + model.intercept_
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-4)
    benchmark.pedantic(model.predict, (X,), rounds=20, warmup_rounds=2)
