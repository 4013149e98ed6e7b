"""fit, partial_fit and predict beside scikit-learn's SGDRegressor and Ridge.

    pytest bench/bench_estimator.py --benchmark-group-by=group

Made data, so that it runs anywhere: rows with Zipf columns, of length 1. Each
benchmark checks what it has learned before its time counts.
"""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, SGDRegressor
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


@pytest.mark.parametrize("n_rows", [1, 256])
@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.benchmark(group="partial_fit")
def test_partial_fit(benchmark, data, name, n_rows):
    X, y = data
    describe(benchmark, X[:n_rows])
    model = ESTIMATORS[name]().partial_fit(X, y)
    check(benchmark, model, X, y, LEAST_R2[name][1])
    benchmark.pedantic(
        model.partial_fit, (X[:n_rows], y[:n_rows]), rounds=200, warmup_rounds=5
    )


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.benchmark(group="predict")
def test_predict(benchmark, data, name):
    X, y = data
    describe(benchmark, X)
    model = ESTIMATORS[name]().fit(X, y)
    expected = X @ model.coef_.astype(np.float64) + model.intercept_
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-4)
    benchmark.pedantic(model.predict, (X,), rounds=20, warmup_rounds=2)
