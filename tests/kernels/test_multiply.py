"""Rows times coefficients, in every CPU variant, around the vector widths."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sparse_adagrad.kernels import predict

N_FEATURES = 50


def multiply(data, indices, coef):
    """Both of two rows: the first is empty."""
    n_outputs = coef.shape[1]
    indptr = np.array([0, 0, len(data)], np.int32)
    intercept = np.arange(1.0, n_outputs + 1)
    out = np.full((2, n_outputs), np.nan)
    n_done = predict.multiply(data, indices, indptr, coef, intercept, out)
    return n_done, out


@pytest.mark.parametrize("state", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(
    "row_nnz", [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 256, 257, 700]
)
def test_products(variant, state, dtype, index, n_outputs, row_nnz):
    rng = np.random.default_rng(row_nnz)
    data = rng.normal(size=row_nnz).astype(dtype)
    # A column may come twice: the product is linear.
    indices = rng.integers(0, N_FEATURES, row_nnz).astype(index)
    coef = rng.normal(size=(N_FEATURES, n_outputs)).astype(state)
    n_done, out = multiply(data, indices, coef)
    assert n_done == 2
    intercept = np.arange(1.0, n_outputs + 1)
    expected = intercept + data.astype(float) @ coef[indices].astype(float)
    tolerance = 1e-12 if state == np.float64 else 1e-5 * max(1, row_nnz) ** 0.5
    assert_allclose(out[1], expected, rtol=tolerance, atol=tolerance)
    assert_allclose(out[0], intercept)


@pytest.mark.parametrize("state", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("row_nnz", [1, 8, 17, 257])
def test_every_place_is_checked(variant, state, dtype, index, n_outputs, row_nnz):
    rng = np.random.default_rng(0)
    data = rng.normal(size=row_nnz).astype(dtype)
    indices = rng.integers(0, N_FEATURES, row_nnz).astype(index)
    # Not even where a weight is 0 is a value that is not finite hidden.
    coef = rng.choice(np.array([0, 1], state), (N_FEATURES, n_outputs))
    places = range(row_nnz) if row_nnz < 100 else (0, 255, 256)
    limits = np.iinfo(index)
    for k in places:
        for column in (-1, N_FEATURES, limits.max, limits.min):
            wrong = indices.copy()
            wrong[k] = column
            assert multiply(data, wrong, coef)[0] == 1
        values = [np.nan, -np.nan, np.inf, -np.inf]
        if dtype == np.float64 and state == np.float32:
            values.append(4e38)
        for value in values:
            wrong = data.copy()
            wrong[k] = value
            n_done, out = multiply(wrong, indices, coef)
            assert n_done == 2
            assert not np.isfinite(out[1]).any()
    assert np.isfinite(multiply(data, indices, coef)[1]).all()


def test_no_column_is_in_range_of_none(variant):
    coef = np.empty((0, 1), np.float32)
    assert multiply(np.ones(1, np.float32), np.zeros(1, np.int32), coef)[0] == 1
