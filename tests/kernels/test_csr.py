"""The check of CSR arrays, in every CPU variant, around the vector widths."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sparse_adagrad.kernels import csr
from tests.strategies import csr_matrices

FLOAT32_MAX = float(np.finfo(np.float32).max)


NO_WEIGHTS = np.empty(0)
NO_MARKS = np.empty(0, np.uint8)


def check(data, indices, n_features, column_max=None, floor=0.0):
    """Check a matrix of two rows, of which the first has no entries."""
    indptr = np.array([0, 0, len(data)], np.int32)
    column_max = data[:0].copy() if column_max is None else column_max
    return csr.check_entries(
        data,
        indices,
        indptr,
        NO_WEIGHTS,
        0,
        2,
        n_features,
        FLOAT32_MAX,
        floor,
        column_max,
        NO_MARKS,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("row_nnz", [1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 65, 130])
def test_every_place_of_a_row_is_checked(variant, dtype, index, row_nnz):
    rng = np.random.default_rng(0)
    data = rng.normal(size=row_nnz).astype(dtype)
    indices = np.arange(row_nnz, dtype=index)
    *found, sq_sum = check(data, indices, row_nnz)
    assert found == [csr.OK, -1, -1, True]
    assert sq_sum == pytest.approx((data.astype(float) ** 2).sum())
    for k in range(row_nnz):
        for column in (-1, row_nnz, np.iinfo(index).max, np.iinfo(index).min):
            wrong = indices.copy()
            wrong[k] = column
            assert check(data, wrong, row_nnz)[:3] == (csr.INDEX_RANGE, 1, k)
        values = [(np.nan, csr.NOT_FINITE), (-np.inf, csr.NOT_FINITE)]
        if dtype == np.float64:
            values.append((-4e38, csr.TOO_LARGE))
        for value, code in values:
            wrong = data.copy()
            wrong[k] = value
            assert check(wrong, indices, row_nnz)[:3] == (code, 1, k)
        largest = data.copy()
        largest[k] = -FLOAT32_MAX
        assert check(largest, indices, row_nnz)[0] == csr.OK
        if k:
            twice = indices.copy()
            twice[k] = twice[k - 1]
            assert check(data, twice, row_nnz)[0:4:3] == (csr.OK, False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("row_nnz", [1, 5, 64, 65, 200])
def test_entries_above_the_floor_raise_their_columns(variant, dtype, index, row_nnz):
    rng = np.random.default_rng(0)
    data = rng.normal(size=row_nnz).astype(dtype)
    indices = rng.permutation(row_nnz).astype(index)
    for floor in (0.0, 0.5, 3.0):
        largest = np.zeros(row_nnz, dtype)
        largest[indices[0]] = 9.0
        assert check(data, indices, row_nnz, largest, floor)[0] == csr.OK
        expected = np.abs(data)
        expected[0] = 9.0
        above = expected > floor
        np.testing.assert_array_equal(largest[indices][above], expected[above])
        assert (largest[indices][~above] <= floor).all()
        wrong = data.copy()
        wrong[-1] = np.nan
        assert check(wrong, indices, row_nnz, largest, floor)[2] == row_nnz - 1
        # Memory is not written where a column may lead out of it.
        out = np.append(indices[:-1], row_nnz).astype(index)
        assert check(data, out, row_nnz, largest, floor)[2] == row_nnz - 1


@given(csr_matrices(max_columns=150), st.data())
def test_rows_are_inspected_together_as_one_by_one(X, data):
    n_rows, n_columns = X.shape
    first = data.draw(st.integers(0, n_rows))
    last = data.draw(st.integers(first, n_rows))
    some = st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=n_rows, max_size=n_rows)
    weights = np.array(data.draw(st.just([]) | some), float)
    largest = np.zeros(n_columns, X.dtype)
    arrays = X.data, X.indices, X.indptr
    code, *_, is_sorted, sq_sum = csr.check_entries(
        *arrays, weights, first, last, n_columns, FLOAT32_MAX, 0.0, largest, NO_MARKS
    )
    assert code == csr.OK
    assert is_sorted
    rows = [slice(*X.indptr[i : i + 2]) for i in range(first, last)]
    squares = [(X.data[row].astype(float) ** 2).sum() for row in rows]
    factors = weights[first:last] if len(weights) else np.ones(len(rows))
    np.testing.assert_allclose(sq_sum, factors @ np.array(squares), rtol=1e-12)
    expected = np.abs(X[first:last].toarray()).max(axis=0, initial=0)
    np.testing.assert_array_equal(largest, expected)


def test_the_first_fault_of_many_rows_is_found(variant):
    """Rows are inspected many at once, and their faults one by one."""
    X = sp.random_array((9000, 400), density=0.05, format="csr", rng=0)
    arrays = X.data, X.indices, X.indptr
    rest = NO_WEIGHTS, 0, 9000, 400, FLOAT32_MAX, 0.0, X.data[:0], NO_MARKS
    assert csr.check_entries(*arrays, *rest)[:4] == (csr.OK, -1, -1, True)
    for row in (0, 1, 4321, 8999):
        place = int(X.indptr[row + 1]) - 1
        X.data[[place, -1]] = np.inf
        assert csr.check_entries(*arrays, *rest)[:3] == (csr.NOT_FINITE, row, place)
        X.data[[place, -1]] = 1.0
        X.indices[place], kept = -1, X.indices[place]
        assert csr.check_entries(*arrays, *rest)[:3] == (csr.INDEX_RANGE, row, place)
        X.indices[place] = kept


def test_only_falls_within_a_row_count(variant):
    # Of such that rows are looked at together more than once.
    indices = np.tile(np.arange(50, dtype=np.int32), 4000)
    data, indptr = np.ones(200_000), np.arange(0, 200_001, 50)
    rest = NO_WEIGHTS, 0, 4000, 50, FLOAT32_MAX, 0.0, data[:0], NO_MARKS
    assert csr.check_entries(data, indices, indptr, *rest)[3]
    for place in (1, 49, 65_501, 101_001, 199_999):
        twice = indices.copy()
        twice[place] = twice[place - 1]
        assert not csr.check_entries(data, twice, indptr, *rest)[3]


def test_taken_rows():
    X = sp.random_array((50, 20), density=0.2, format="csr", rng=0)
    rows = np.array([7, 7, 49, 0])
    expected = X[rows]
    data, indices = np.empty(expected.nnz), np.empty(expected.nnz, X.indices.dtype)
    csr.take_rows(X.data, X.indices, X.indptr, rows, data, indices)
    np.testing.assert_array_equal(data, expected.data)
    np.testing.assert_array_equal(indices, expected.indices)


def test_taken_runs_end_where_the_rows_do():
    rows = np.array([10, 11, 12, 13, 14])
    shuffled = np.zeros(5, np.int64)
    csr.take_runs(rows, np.array([4, -2, 1]), 3, shuffled)
    np.testing.assert_array_equal(shuffled, [14, 10, 11, 12, 13])


@pytest.mark.parametrize("starts", [[0, 2], [0, 3, 2], [5, -3]])
def test_runs_that_take_other_room_than_there_is_are_refused(starts):
    with pytest.raises(ValueError, match="do not cover the rows"):
        csr.take_runs(np.arange(5), np.array(starts), 2, np.zeros(5, np.int64))


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_no_column_is_in_range_of_none(variant, index):
    assert check(np.ones(1), np.zeros(1, index), 0)[0] == csr.INDEX_RANGE


def test_more_columns_than_an_index_can_tell(variant):
    last = np.array([2**31 - 1], np.int32)
    assert check(np.ones(1), last, 2**40)[0] == csr.OK
    assert check(np.ones(1), -last, 2**40)[0] == csr.INDEX_RANGE


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("n_rows", [1, 3, 70_000])
def test_duplicates_are_found_in_any_row_and_only_there(index, n_rows):
    """More rows than have numbers, all with the same columns."""
    indices = np.tile(np.array([4, 0, 2], index), n_rows)
    indptr = np.arange(0, 3 * n_rows + 1, 3)
    assert not csr.has_duplicates(indices, indptr, 5)
    for row in {0, n_rows // 2, n_rows - 1}:
        twice = indices.copy()
        twice[3 * row + 2] = 4
        assert csr.has_duplicates(twice, indptr, 5)
    assert not csr.has_duplicates(indices[:0], np.zeros(4, np.int64), 5)
