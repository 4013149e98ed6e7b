"""Columns measured and scaled, against NumPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sparse_adagrad.kernels import columns
from tests.strategies import csr_matrices

ALL = np.empty(0, np.int64)


@given(csr_matrices())
def test_counted_entries(X):
    counts = np.zeros(X.shape[1], np.int64)
    columns.count_entries(X.data, X.indices, X.indptr, ALL, counts)
    present = X.toarray() != 0
    assert_array_equal(counts, present.sum(axis=0))
    last = np.array([X.shape[0] - 1])
    columns.count_entries(X.data, X.indices, X.indptr, last, counts)
    assert_array_equal(counts, present.sum(axis=0) + present[-1])


@given(csr_matrices(max_columns=150), st.data())
def test_scaled_rows(X, data):
    n_columns = X.shape[1]
    # Few columns are found another way than many.
    chosen = st.lists(st.integers(0, n_columns - 1), unique=True, max_size=20)
    with_unit = np.array(data.draw(chosen), np.int64)
    units = np.ones(n_columns)
    units[with_unit] = np.resize([0.5, 3.0, 7.0], len(with_unit))
    starts = np.zeros(X.shape[0], np.int64)
    factors = np.arange(1.0, X.shape[0] + 1)
    weights = data.draw(st.sampled_from([factors, factors[:0]]))
    scaled, replaced, added = columns.scale_rows(
        X.data,
        X.indices,
        X.indptr,
        weights,
        n_columns,
        with_unit,
        units[with_unit],
        starts,
    )
    assert scaled.dtype == X.dtype
    end = 0
    sums = np.zeros(2)
    for i in range(X.shape[0]):
        row = slice(X.indptr[i], X.indptr[i + 1])
        expected = (X.data[row] / units[X.indices[row]]).astype(X.dtype)
        if not np.isin(X.indices[row], with_unit).any():
            assert starts[i] == -1
            continue
        assert starts[i] == end
        end += len(expected)
        assert_array_equal(scaled[starts[i] : end], expected)
        both = np.array([X.data[row], expected], float)
        sums += (weights[i] if len(weights) else 1.0) * (both**2).sum(axis=1)
    assert end == len(scaled)
    assert_allclose([replaced, added], sums)


@pytest.mark.parametrize("n_with_unit", [1, 4, 5, 16, 30])
def test_rows_to_scale_are_found_among_many(n_with_unit):
    rng = np.random.default_rng(0)
    X = sp.random_array((500, 300), density=0.02, format="csr", rng=rng)
    with_unit = rng.choice(300, n_with_unit, replace=False)
    starts = np.zeros(500, np.int64)
    units = np.full(n_with_unit, 2.0)
    arrays = X.data, X.indices, X.indptr
    columns.scale_rows(*arrays, np.empty(0), 300, with_unit, units, starts)
    copied = X[:, with_unit].count_nonzero(axis=1) > 0
    assert 0 < copied.sum() < 500
    assert_array_equal(starts >= 0, copied)
    lengths = np.diff(X.indptr)[copied]
    assert_array_equal(starts[copied], np.cumsum(lengths) - lengths)


def test_frequent_columns_come_first_and_absent_ones_not_at_all():
    counts = np.array([0, 1, 9, 2, 0, 15, 3, 1, 8])
    ordered = columns.by_frequency(counts)
    assert_array_equal(ordered, [2, 5, 8, 3, 6, 1, 7])


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_places_of_hot_columns_are_in_the_copy_of_the_row(dtype):
    indices = np.array([0, 2, 1, 3, 2], np.int32)
    indptr = np.array([0, 2, 4, 5])
    place_of = np.array([3, 0, 1, 2], dtype)
    places = np.full(5, -1, dtype)
    columns.renumber(indices, indptr, np.array([0, 2]), place_of, 2, 10, places)
    assert_array_equal(places, [3, 11, -1, -1, 11])
    columns.renumber(indices, indptr, ALL, place_of, 0, 0, places)
    assert_array_equal(places, [3, 1, 0, 2, 1])
