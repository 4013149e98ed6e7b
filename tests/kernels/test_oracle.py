"""The learner against the slow oracles, on the same rows in the same order."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse as sp

from sparse_adagrad import SparseAdaGradRegressor
from sparse_adagrad._problem import shuffle_in_runs
from tests.oracles import DenseAdaGrad, PlainAdaGrad, ScaledStream, scaled_fit
from tests.strategies import csr_matrices, targets

LOSSES = [
    ("squared_error", {}, 0.0),
    ("absolute_error", {}, 0.0),
    ("huber", {"epsilon": 0.5}, 0.5),
    ("epsilon_insensitive", {"epsilon": 0.2}, 0.2),
    ("squared_epsilon_insensitive", {"epsilon": 0.2}, 0.2),
    ("quantile", {"quantile": 0.3}, 0.3),
    ("poisson", {}, 0.0),
]


def make_problem(n=60, d=15, seed=0, outlying=False):
    X = sp.random(n, d, 0.3, format="csr", random_state=seed)
    rng = np.random.default_rng(seed)
    if outlying:
        X = X.tolil()
        X[:, 3] = rng.uniform(0, 500, (n, 1))
        X = X.tocsr()
    y = np.abs(X @ rng.normal(size=d) + 0.3 * rng.normal(size=n)) + 0.1
    return X, y


def orders(y, epochs, seed, rows=None):
    rows = np.arange(len(y)) if rows is None else rows
    run = 1 if abs(np.corrcoef(y[rows][1:], y[rows][:-1])[0, 1]) > 0.1 else 8
    rng = np.random.RandomState(seed)
    return [shuffle_in_runs(rows, run, rng) for _ in range(epochs)]


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("loss", "parameters", "value"), LOSSES)
@pytest.mark.parametrize("batch_size", [1, 7, 60])
@pytest.mark.parametrize("penalty", [(0.0, 0.0), (0.01, 0.0), (0.01, 1.0), (0.02, 0.4)])
def test_constant_rate(loss, parameters, value, batch_size, penalty):
    X, y = make_problem()
    alpha, l1_ratio = penalty
    model = SparseAdaGradRegressor(
        loss,
        learning_rate="constant",
        eta0=0.1,
        alpha=alpha,
        l1_ratio=l1_ratio,
        batch_size=batch_size,
        max_iter=3,
        tol=None,
        random_state=3,
        dtype="float64",
        **parameters,
    ).fit(X, y)
    oracle = DenseAdaGrad(
        X.shape[1],
        loss=loss,
        parameter=value,
        eta=0.1,
        eps=1e-7,
        l1=alpha * l1_ratio,
        l2=alpha * (1 - l1_ratio),
        batch_size=batch_size,
    )
    curve = [oracle.run(X.toarray()[o], y[o]) for o in orders(y, 3, 3)]
    close(model.coef_, oracle.w)
    close(model.intercept_[0], oracle.b)
    close(model.loss_curve_, curve)
    close(model.grad_sq_sum_, oracle.G)
    assert np.any(model.coef_)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("decay", [0.001, 0.3])
@pytest.mark.parametrize("eps", [1e-7, 0.5])
def test_past_gradients_fade(method, batch_size, decay, eps):
    """Eagerly, all of them at every sample; here only of what a row has."""
    X, y = make_problem(n=62)
    targets = np.column_stack([y, -y])
    model = SparseAdaGradRegressor(
        learning_rate="constant",
        eta0=0.2,
        alpha=0,
        batch_size=batch_size,
        max_iter=4,
        tol=None,
        shuffle=False,
        dtype="float64",
        initial_accumulator_value=0.1,
        decay=decay,
        eps=eps,
    )
    for _ in range(4 if method == "partial_fit" else 1):
        getattr(model, method)(X, targets)
    for o, target in enumerate(targets.T):
        oracle = PlainAdaGrad(
            X.shape[1],
            eta=0.2,
            eps=eps,
            initial=0.1,
            batch_size=batch_size,
            decay=decay,
        )
        for _ in range(4):
            oracle.run(X.toarray(), target)
        close(model.coef_[o], oracle.w)
        close(model.intercept_[o], oracle.b)
        close(model.grad_sq_sum_[o], oracle.G)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_unpenalised_is_the_plain_update(batch_size):
    X, y = make_problem()
    model = SparseAdaGradRegressor(
        learning_rate="constant",
        eta0=0.2,
        alpha=0,
        batch_size=batch_size,
        max_iter=4,
        tol=None,
        shuffle=False,
        dtype="float64",
        initial_accumulator_value=0.1,
    ).fit(X, y)
    oracle = PlainAdaGrad(
        X.shape[1], eta=0.2, eps=1e-7, initial=0.1, batch_size=batch_size
    )
    for _ in range(4):
        oracle.run(X.toarray(), y)
    close(model.coef_, oracle.w)
    close(model.intercept_[0], oracle.b)


@pytest.mark.parametrize(("loss", "parameters", "value"), LOSSES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("batch_size", [1, 8])
def test_scaled_fit(loss, parameters, value, fit_intercept, batch_size):
    X, y = make_problem(outlying=True)
    weight = np.random.default_rng(1).integers(0, 4, 60).astype(float)
    model = SparseAdaGradRegressor(
        loss,
        max_iter=3,
        tol=None,
        random_state=5,
        dtype="float64",
        fit_intercept=fit_intercept,
        batch_size=batch_size,
        l1_ratio=0.2,
        **parameters,
    ).fit(X, y, weight)
    kept = np.flatnonzero(weight)
    coef, intercept, curve = scaled_fit(
        X.toarray(),
        y,
        orders(y, 3, 5, kept),
        weight=weight,
        loss=loss,
        parameter=value,
        fit_intercept=fit_intercept,
        batch_size=batch_size,
        l1_ratio=0.2,
    )
    close(model.coef_, coef)
    close(model.intercept_[0], intercept)
    close(model.loss_curve_, curve)
    assert model.t_ == 3 * len(kept)


@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs", None])
def test_scaled_fit_with_every_feature_scaling(feature_scaling):
    X, y = make_problem(outlying=True)
    model = SparseAdaGradRegressor(
        max_iter=3,
        tol=None,
        random_state=3,
        dtype="float64",
        alpha=0.01,
        feature_scaling=feature_scaling,
    ).fit(X, y)
    coef, intercept, _ = scaled_fit(
        X.toarray(), y, orders(y, 3, 3), feature_scaling=feature_scaling, alpha=0.01
    )
    close(model.coef_, coef)
    close(model.predict(X), X @ coef + intercept)


@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs", None])
def test_scaled_stream(feature_scaling):
    X, y = make_problem(n=400, outlying=True)
    model = SparseAdaGradRegressor(dtype="float64", feature_scaling=feature_scaling)
    model.partial_fit(X, y)
    oracle = ScaledStream(X.shape[1], feature_scaling=feature_scaling)
    losses = [oracle.learn(x, t) for x, t in zip(X.toarray(), y, strict=True)]
    close(model.coef_, oracle.coef())
    close(model.intercept_[0], oracle.intercept())
    close(model.loss_curve_, [np.mean(losses)])


def test_limit_of_columns_in_a_long_stream():
    rng = np.random.default_rng(0)
    growing = np.linspace(1, 30, 7000)[:, None] * rng.uniform(0.5, 2, (7000, 4))
    X = sp.csr_array(growing * (rng.random(growing.shape) < 0.5))
    model = SparseAdaGradRegressor(dtype="float64")
    oracle = ScaledStream(X.shape[1])
    limits = []
    for end in (200, 3000, 4096, 4097, 5000, 7000):
        start = int(model.t_) if limits else 0
        model.partial_fit(X[start:end], rng.normal(size=end - start))
        for t in range(start, end):
            oracle.measure_columns(X[[t]].toarray()[0], t)
        limits.append(model._state.totals["column_limit"][0])
        np.testing.assert_allclose(limits[-1], oracle.limit)
    assert (np.diff(limits) > 0).sum() > 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("first", [1e-300, 1e-60, 1e-30, 1e-20])
def test_stream_begins_with_next_to_nothing(first, dtype):
    X, y = make_problem(n=2000)
    X.data = X.data + 0.5
    X = sp.vstack([sp.csr_array(([first], [0], [0, 1]), shape=(1, 15)), X]).tocsr()
    X.data[X.indptr[700] : X.indptr[701]] = first
    y = np.append(y[0], y)
    model = SparseAdaGradRegressor(dtype=dtype).partial_fit(X, y)
    without = SparseAdaGradRegressor(dtype=dtype).partial_fit(X[1:], y[1:])
    np.testing.assert_allclose(
        model._state.totals["column_limit"],
        without._state.totals["column_limit"],
        rtol=0.1,
    )
    assert model.score(X, y) > without.score(X, y) - 0.01


def test_limit_of_columns_follows_neither_type_nor_order():
    X, y = make_problem(n=300)
    rng = np.random.default_rng(0)
    shuffled = X.copy()
    for i in range(300):
        row = slice(X.indptr[i], X.indptr[i + 1])
        order = rng.permutation(row.stop - row.start)
        shuffled.indices[row] = X.indices[row][order]
        shuffled.data[row] = X.data[row][order]
    limits = [
        SparseAdaGradRegressor(dtype=dtype)
        .partial_fit(matrix, y)
        ._state.totals["column_limit"][0]
        for dtype in ("float32", "float64")
        for matrix in (X, shuffled)
    ]
    np.testing.assert_allclose(limits, limits[0], rtol=1e-6)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_nasty_matrices_constant_rate(data):
    X = data.draw(csr_matrices(canonical=False))
    y = data.draw(targets(X.shape[0]))
    batch_size = data.draw(st.integers(1, 4))
    # SciPy would read past the end of indptr's rows; build the dense form by hand. Sums
    # of a float32 matrix are rounded to float32 each time, which cancelling shows.
    dense = np.zeros(X.shape, X.dtype)
    for i in range(X.shape[0]):
        for k in range(X.indptr[i], X.indptr[i + 1]):
            dense[i, X.indices[k]] += X.data[k]
    before = [X.data.copy(), X.indices.copy(), X.indptr.copy()]
    model = SparseAdaGradRegressor(
        learning_rate="constant",
        alpha=0.01,
        l1_ratio=0.3,
        dtype="float64",
        batch_size=batch_size,
    ).partial_fit(X, y)
    oracle = DenseAdaGrad(
        X.shape[1], eta=0.2, eps=1e-7, l1=0.003, l2=0.007, batch_size=batch_size
    )
    oracle.run(dense.astype(float), y)
    np.testing.assert_allclose(model.coef_, oracle.w, rtol=1e-6, atol=1e-7)
    for array, kept in zip([X.data, X.indices, X.indptr], before, strict=True):
        np.testing.assert_array_equal(array, kept)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_nasty_matrices_scaled_stream(data):
    X = data.draw(csr_matrices(max_rows=20))
    y = data.draw(targets(X.shape[0]))
    X.data = X.data.astype(np.float64)
    oracle = ScaledStream(X.shape[1])
    losses = [oracle.learn(x, t) for x, t in zip(X.toarray(), y, strict=True)]
    # Beyond this the learner rightly says that it diverges.
    assume(np.mean(losses) < 1e5 * max(np.var(y), 1e-3))
    model = SparseAdaGradRegressor(dtype="float64").partial_fit(X, y)
    np.testing.assert_allclose(model.coef_, oracle.coef(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("state", ["float32", "float64"])
@pytest.mark.parametrize("data", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("index", "offset"),
    [(np.int32, np.int32), (np.int64, np.int64), (np.int32, np.int64)],
)
@pytest.mark.parametrize("batch_size", [1, 5])
def test_every_type_agrees(state, data, index, offset, batch_size):
    X, y = make_problem(outlying=True)
    typed = sp.csr_matrix(X.shape, dtype=data)
    typed.data = X.data.astype(data)
    typed.indices, typed.indptr = X.indices.astype(index), X.indptr.astype(offset)
    assert typed.indptr.dtype == offset
    parameters = {"batch_size": batch_size, "random_state": 0, "max_iter": 3}
    expected = SparseAdaGradRegressor(dtype="float64", **parameters).fit(X, y)
    model = SparseAdaGradRegressor(dtype=state, **parameters).fit(typed, y)
    assert model.coef_.dtype == state
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(model.predict(typed), expected.predict(X), rtol=2e-3)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("batch_size", [1, 6])
def test_outputs_in_one_pass_equal_outputs_alone(method, batch_size):
    X, y = make_problem(outlying=True)
    both = np.column_stack([y, 100 - 3 * y**2])

    def learned(target):
        model = SparseAdaGradRegressor(
            random_state=1, dtype="float64", batch_size=batch_size, tol=None
        )
        return getattr(model, method)(X, target)

    together = learned(both)
    for o in range(2):
        alone = learned(both[:, o])
        close(together.coef_[o], alone.coef_)
        close(together.predict(X)[:, o], alone.predict(X))
