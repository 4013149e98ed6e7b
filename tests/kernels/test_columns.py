"""Columns measured and scaled, against NumPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sparse_adagrad.kernels import columns, scales
from tests.strategies import csr_matrices

ALL = np.empty(0, np.int64)


@given(csr_matrices(), st.sampled_from([np.float32, np.float64]))
def test_largest_of_the_columns(X, dtype):
    dense = np.abs(X.toarray()).astype(dtype)
    largest = np.zeros(X.shape[1], dtype)
    columns.raise_largest(X.data, X.indices, X.indptr, ALL, largest)
    assert_array_equal(largest, dense.max(axis=0, initial=0))
    # What there is stays, and rows that are not visited do not count.
    largest[:] = before = 1.0
    last = np.array([X.shape[0] - 1])
    columns.raise_largest(X.data, X.indices, X.indptr, last, largest)
    assert_array_equal(largest, np.maximum(dense[-1], before))


@given(csr_matrices())
def test_counted_entries(X):
    counts = np.zeros(X.shape[1], np.int64)
    columns.count_entries(X.data, X.indices, X.indptr, ALL, counts)
    present = X.toarray() != 0
    assert_array_equal(counts, present.sum(axis=0))
    last = np.array([X.shape[0] - 1])
    columns.count_entries(X.data, X.indices, X.indptr, last, counts)
    assert_array_equal(counts, present.sum(axis=0) + present[-1])


@given(
    st.lists(
        st.tuples(
            st.floats(0, allow_infinity=False, allow_nan=False), st.integers(0, 5)
        ),
        max_size=30,
    )
)
def test_median_is_exact(figures):
    values = np.array([value for value, _ in figures], float)
    counts = np.array([count for _, count in figures], np.int64)
    entries = np.sort(np.repeat(values, counts))
    expected = entries[(len(entries) - 1) // 2] if len(entries) else 0.0
    assert columns.weighted_median(values, counts) == expected


@given(csr_matrices(max_columns=150), st.data())
def test_scaled_rows(X, data):
    n_columns = X.shape[1]
    # Few columns are found another way than many.
    chosen = st.lists(st.integers(0, n_columns - 1), unique=True, max_size=10)
    with_unit = np.array(data.draw(chosen), np.int64)
    units = np.ones(n_columns)
    units[with_unit] = np.resize([0.5, 3.0, 7.0], len(with_unit))
    starts, squares = np.zeros(X.shape[0], np.int64), np.full(X.shape[0], np.nan)
    scaled = columns.scale_rows(
        X.data,
        X.indices,
        X.indptr,
        n_columns,
        with_unit,
        units[with_unit],
        starts,
        squares,
    )
    assert scaled.dtype == X.dtype
    end = 0
    for i in range(X.shape[0]):
        row = slice(X.indptr[i], X.indptr[i + 1])
        expected = (X.data[row] / units[X.indices[row]]).astype(X.dtype)
        if not np.isin(X.indices[row], with_unit).any():
            assert starts[i] == -1 and np.isnan(squares[i])
            continue
        assert starts[i] == end
        end += len(expected)
        assert_array_equal(scaled[starts[i] : end], expected)
        assert_allclose(squares[i], (expected.astype(float) ** 2).sum())
    assert end == len(scaled)


@pytest.mark.parametrize("n_with_unit", [1, 4, 5, 30])
def test_rows_to_scale_are_found_among_many(n_with_unit):
    rng = np.random.default_rng(0)
    X = sp.random_array((500, 300), density=0.02, format="csr", rng=rng)
    with_unit = rng.choice(300, n_with_unit, replace=False)
    starts = np.zeros(500, np.int64)
    units = np.full(n_with_unit, 2.0)
    arrays = X.data, X.indices, X.indptr
    columns.scale_rows(*arrays, 300, with_unit, units, starts, np.zeros(500))
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_merged_copies(dtype, n_outputs):
    """Squares add up, moves as far as the copies have not learned the same."""
    rng = np.random.default_rng(0)
    n_hot, n_places = 4, 7
    outputs = np.zeros(n_outputs, scales.OUTPUT_DTYPE)
    outputs["eps"], outputs["l1"], outputs["l2"] = 1e-3, 0.05, 0.4
    pull = np.linspace(0.1, 1.0, n_outputs)

    def weights(pairs):
        u, s = pairs[:, 0].astype(float), pairs[:, 1].astype(float)
        size = np.maximum(np.abs(u) - outputs["l1"], 0)
        return -np.sign(u) * size / (s + outputs["eps"] + outputs["l2"])

    merged = rng.normal(size=(n_hot, 2, n_outputs)).astype(dtype)
    merged[:, 1] = np.abs(merged[:, 1])
    pairs = rng.normal(size=(n_places + 2 * n_hot, 2, n_outputs)).astype(dtype)
    at = [slice(0, n_hot), slice(n_places, n_places + n_hot), slice(-n_hot, None)]
    for copy in at:
        added = rng.random((n_hot, n_outputs)) + 0.1
        pairs[copy, 1] = np.sqrt(merged[:, 1] ** 2 + added)
    # One copy has not been touched, and one feature in none of them.
    pairs[at[1]] = merged
    pairs[[0, n_places, n_places + n_hot]] = merged[0]
    before, others = merged.copy(), pairs[n_hot:n_places].copy()
    added = [pairs[c, 1].astype(float) ** 2 - before[:, 1] ** 2.0 for c in at]
    moved = [weights(pairs[c]) - weights(before) for c in at]
    roots = [pairs[c, 1].astype(float) for c in at]
    # In two parts, as two threads do it.
    for first, last in ((0, 3), (3, n_hot)):
        columns.merge_copies(pairs, merged, first, last, n_places, outputs, pull)

    assert_array_equal(pairs[0], before[0])
    assert_array_equal(pairs[n_hot:n_places], others)
    for copy in at:
        assert_array_equal(pairs[copy], merged)
    total = np.sum(added, axis=0)
    s = np.sqrt(before[:, 1] ** 2.0 + total)
    assert_allclose(merged[:, 1], s, rtol=1e-6)
    pulls = [
        2 * pull * a / (root + outputs["eps"] + outputs["l2"])
        for a, root in zip(added, roots, strict=True)
    ]
    together = np.sum(pulls, axis=0)
    apart = np.sum([k / (1 + k) for k in pulls], axis=0)
    apart[0] = 1.0
    # Two copies have moved, so that twice the mean is their sum.
    factor = np.minimum(together / (1 + together) / apart, 1.0)
    expected = weights(before) + np.sum(moved, axis=0) * factor
    assert_allclose(weights(merged), expected, rtol=1e-5, atol=1e-6)


def test_moves_that_are_small_add_up_and_large_ones_are_averaged():
    outputs = np.zeros(1, scales.OUTPUT_DTYPE)
    outputs["eps"] = 1e-3
    start = np.array([[[0.0], [1.0]]])

    def merged_weight(n_copies, pull):
        pairs = np.repeat(start, n_copies + 1, axis=0)
        pairs[[0, *range(2, n_copies + 1)]] = [[-0.5], [2.0]]
        merged = start.copy()
        columns.merge_copies(pairs, merged, 0, 1, 2, outputs, np.array([pull]))
        s = np.sqrt(1 + 3.0 * n_copies)
        assert_allclose(merged[0, 1], s)
        return -merged[0, 0, 0] / (s + 1e-3)

    one = 0.5 / (2 + 1e-3)
    assert_allclose(merged_weight(2, 0.0), 2 * one)
    assert_allclose(merged_weight(2, 1e-6), 2 * one, rtol=1e-5)
    assert_allclose(merged_weight(2, 1e9), one, rtol=1e-5)
    # Four copies' moves add up to twice their mean at most.
    assert_allclose(merged_weight(4, 1e-6), 2 * one)
    assert_allclose(merged_weight(4, 1e9), one, rtol=1e-5)


@given(
    st.lists(st.integers(0, 299), max_size=200), st.sampled_from([np.int32, np.int64])
)
def test_distinct_columns_come_in_the_order_of_their_first(indices, index):
    found = columns.distinct(np.array(indices, index), 300)
    assert found.dtype == index
    assert found.tolist() == list(dict.fromkeys(indices))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gathered_columns(dtype, n_outputs, scaled):
    rng = np.random.default_rng(0)
    pairs = rng.random((50, 2, n_outputs)).astype(dtype)
    column_max = rng.random(50 if scaled else 0).astype(dtype)
    indices = rng.integers(0, 50, 200).astype(np.int32)
    out = np.empty((200, 2, n_outputs), dtype)
    out_max = np.empty(200 if scaled else 0, dtype)
    columns.gather(pairs, column_max, indices, out, out_max)
    assert_array_equal(out, pairs[indices])
    if scaled:
        assert_array_equal(out_max, column_max[indices])
