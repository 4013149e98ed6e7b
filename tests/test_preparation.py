"""What `fit` measures before it learns, against NumPy and all entries."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse as sp

from sparse_adagrad import SparseAdaGradRegressor, _measures
from sparse_adagrad._measures import lower_median
from sparse_adagrad._preparation import measure_scales, measures_for
from sparse_adagrad._problem import Problem
from sparse_adagrad._validation import check_rows
from tests.test_regressor import bag_of_words


def prepare(X, y, weights=None, model=None):
    model = SparseAdaGradRegressor() if model is None else model
    measures = measures_for(None, model._scaling())
    rows = check_rows(
        model, X, reset=True, state_dtype=np.dtype("f4"), measures=measures
    )
    problem = Problem.of(rows, y, np.empty(0) if weights is None else weights)
    if weights is not None:
        visited = problem.rows_to_visit
        measures.read(rows, visited=visited, weights=problem.visited_weights())
    state = model._allocate(problem)
    settings = model._settings(running=False)
    return state, measure_scales(state, problem, settings, measures)


def limit_of_all(X):
    dense_largest = np.asarray(abs(X).max(axis=0).todense()).ravel()
    return 2 * lower_median(dense_largest[X.indices[X.data != 0]])


@pytest.fixture
def outlying():
    X, y = bag_of_words(12_000)
    X = X.tocsc()
    X.data[X.indptr[3] : X.indptr[4]] *= 100
    X.data[X.indptr[700] : X.indptr[701]] *= 20
    return X.tocsr(), y


def test_limit_of_a_sample_is_that_of_all_entries(monkeypatch, outlying):
    X, y = outlying
    exact, problem_exact = prepare(X, y)
    assert_allclose(exact.totals["column_limit"], limit_of_all(X))
    monkeypatch.setattr(_measures, "SAMPLE_ENTRIES", X.nnz // 10)
    state, problem = prepare(X, y)
    assert_allclose(state.totals["column_limit"], exact.totals["column_limit"], 0.01)
    largest = np.asarray(abs(X).max(axis=0).todense()).ravel()
    above = largest > state.totals["column_limit"][0]
    assert above.sum() >= 2
    # Of others there is nothing to be kept.
    assert_array_equal(state.column_max, np.where(above, largest, 0).astype("f4"))
    scaled, expected = problem.rows, problem_exact.rows
    assert_array_equal(scaled.scaled_starts, expected.scaled_starts)
    assert_allclose(scaled.scaled, expected.scaled, rtol=0.02)


@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs", None])
def test_rows_are_measured_in_their_units(outlying, feature_scaling):
    X, y = outlying
    weights = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    model = SparseAdaGradRegressor(feature_scaling=feature_scaling)
    state, problem = prepare(X, y, weights, model)
    units = np.ones(X.shape[1])
    if feature_scaling:
        largest = np.asarray(abs(X[weights > 0]).max(axis=0).todense()).ravel()
        limit = state.totals["column_limit"][0] if feature_scaling == "auto" else None
        units = np.where(largest > 0, largest, 1.0)
        if limit is not None:
            units = np.maximum(largest / limit, 1.0)
    scaled = sp.csr_array((X.data / units[X.indices], X.indices, X.indptr), X.shape)
    squares = np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel()
    assert_allclose(state.totals["row_sq_sum"], [squares @ weights], rtol=1e-6)
    rows = problem.rows
    assert rows.data is X.data
    for i, start in enumerate(rows.scaled_starts):
        expected = scaled.data[X.indptr[i] : X.indptr[i + 1]]
        if start >= 0:
            found = rows.scaled[start : start + len(expected)]
            assert_allclose(found, expected, rtol=1e-6)
        else:
            assert_array_equal(X.data[X.indptr[i] : X.indptr[i + 1]], expected)
    assert (rows.scaled is None) == (feature_scaling is None)


def test_second_fit_keeps_the_limit_and_raises_the_largest(outlying):
    X, y = outlying
    model = SparseAdaGradRegressor(warm_start=True, max_iter=1).fit(X, y)
    limit = model._state.totals["column_limit"][0]
    before = model._state.column_max.copy()
    once_more = X.copy()
    once_more.data[X.indices == 3] *= 2
    model.fit(once_more, y)
    assert model._state.totals["column_limit"][0] == limit
    assert_allclose(model._state.column_max[3], 2 * before[3])


def test_a_column_that_outweighs_all_leaves_no_rounding_behind():
    """What it is replaced by is not added to a difference of huge numbers."""
    X, y = bag_of_words(500)
    X = X.tocsc()
    X.data[X.indptr[0] : X.indptr[1]] = 1e12
    X = X.tocsr().astype(float)
    state, problem = prepare(X, y)
    rows = problem.rows
    squares = [
        rows.scaled[start : start + X.indptr[i + 1] - X.indptr[i]] ** 2
        if start >= 0
        else X.data[X.indptr[i] : X.indptr[i + 1]] ** 2
        for i, start in enumerate(rows.scaled_starts)
    ]
    expected = np.concatenate(squares).sum()
    assert_allclose(state.totals["row_sq_sum"], expected, rtol=1e-12)


@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_column_whose_squares_overflow_is_scaled(feature_scaling, weighted):
    X, y = bag_of_words(500)
    X = X.tocsc().astype(float)
    X.data[X.indptr[0] : X.indptr[1]] = 1e200
    X = X.tocsr()
    weights = np.arange(500) % 3 if weighted else None
    model = SparseAdaGradRegressor(feature_scaling=feature_scaling, dtype="float64")
    with_huge = model.fit(X, y, weights)
    assert np.isfinite(with_huge.predict(X)).all()
    X.data[X.indices == 0] = 1e3
    without = SparseAdaGradRegressor(feature_scaling=feature_scaling, dtype="float64")
    expected = without.fit(X, y, weights)._state.totals["row_sq_sum"]
    assert_allclose(with_huge._state.totals["row_sq_sum"], expected)


def test_a_fit_after_a_stream_measures_all_columns():
    """Of a stream's columns every one may move the limit."""
    X, y = bag_of_words(500)
    model = SparseAdaGradRegressor(warm_start=True, max_iter=1).partial_fit(X, y)
    assert measures_for(model._state, "auto").floor == 0.0
    model.fit(2 * X, y)
    largest = np.asarray(abs(X).max(axis=0).todense()).ravel()
    assert_array_equal(model._state.column_max, (2 * largest).astype("f4"))


@pytest.mark.parametrize("weighted", [False, True])
def test_measured_targets_and_lengths(weighted):
    rng = np.random.default_rng(0)
    X = sp.random(100, 30, 0.2, format="csr", random_state=0)
    y = rng.normal(1e6, [1, 10], (100, 2))
    weights = rng.integers(0, 3, 100).astype(float) if weighted else np.ones(100)
    state, _ = prepare(X, y, weights if weighted else None)
    mean = np.average(y, axis=0, weights=weights)
    squares = np.asarray(X.multiply(X).sum(axis=1)).ravel()
    assert_allclose(state.outputs["y_mean"], mean, rtol=1e-15)
    assert_allclose(state.outputs["y_sq_sum"], weights @ (y - mean) ** 2, rtol=1e-9)
    assert_allclose(state.totals["row_sq_sum"], weights @ squares)
    assert state.totals["weight_sum"] == weights.sum()
    # Of a target that is constant, not even rounding makes a spread.
    state, _ = prepare(X, np.full(100, 0.1), weights)
    assert state.outputs["y_sq_sum"] == 0
    assert state.outputs["y_mean"] == 0.1
