"""Columns measured and scaled, against NumPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sparse_adagrad.kernels import columns
from tests.strategies import csr_matrices


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@given(X=csr_matrices())
def test_counted_entries(dtype, X):
    counts = np.zeros(X.shape[1], dtype)
    nnz = X.indptr[-1]
    columns.count_entries(X.indices[:nnz], counts)
    expected = np.bincount(X.indices[:nnz], minlength=X.shape[1])
    assert_array_equal(counts, expected)
    columns.count_entries(X.indices[: X.indptr[1]], counts)
    expected += np.bincount(X.indices[: X.indptr[1]], minlength=X.shape[1])
    assert_array_equal(counts, expected)


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


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_frequent_columns_come_first_and_absent_ones_not_at_all(dtype):
    counts = np.array([0, 1, 9, 2, 0, 15, 3, 1, 8], dtype)
    place_of = np.full(9, -1, dtype)
    ordered = columns.by_frequency(counts, place_of)
    assert_array_equal(ordered, [2, 5, 8, 3, 6, 1, 7])
    assert_array_equal(place_of[ordered], np.arange(7))


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_rows_find_hot_columns_in_their_copy(dtype):
    indices = np.array([0, 2, 1, 3, 2, 1], np.int32)
    indptr = np.array([0, 2, 4, 6])
    place_of = np.array([3, 0, 1, 2], dtype)
    copies = np.array([10, 0, 20], dtype)
    places = np.full(6, -1, dtype)
    columns.renumber(indices, indptr, 0, 2, place_of, 2, copies, places)
    assert_array_equal(places, [3, 11, 0, 2, -1, -1])
    columns.renumber(indices, indptr, 2, 3, place_of, 2, copies, places)
    assert_array_equal(places, [3, 11, 0, 2, 21, 20])
    columns.renumber(indices, indptr, 0, 3, place_of, 0, copies, places)
    assert_array_equal(places, [3, 1, 0, 2, 1, 0])


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_columns_beyond_the_caches_are_counted_and_renumbered(dtype):
    rng = np.random.default_rng(0)
    n_columns, n_entries = 1 << 24, 5000
    indices = rng.integers(n_columns, size=n_entries)
    counts = np.zeros(n_columns, dtype)
    columns.count_entries(indices, counts)
    assert_array_equal(np.flatnonzero(counts), np.unique(indices))
    assert counts.sum() == n_entries
    places = np.empty(n_entries, dtype)
    offsets = np.array([0, 1000, n_entries])
    copies = np.array([0, 7], dtype)
    columns.renumber(indices, offsets, 0, 2, counts, 2, copies, places)
    expected = counts[indices]
    expected[1000:] += 7 * (expected[1000:] < 2)
    assert_array_equal(places, expected)
