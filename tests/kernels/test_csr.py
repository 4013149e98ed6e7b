"""The check of CSR arrays, in every CPU variant, around the vector widths."""

import numpy as np
import pytest

from sparse_adagrad.kernels import csr

FLOAT32_MAX = float(np.finfo(np.float32).max)


def check(data, indices, n_features, squares=None, column_max=None):
    indptr = np.array([0, 0, len(data)], np.int32)
    squares = np.empty(0) if squares is None else squares
    column_max = np.empty(0, data.dtype) if column_max is None else column_max
    return csr.check_csr(
        data, indices, indptr, n_features, FLOAT32_MAX, squares, column_max
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("row_nnz", [1, 2, 7, 8, 9, 15, 16, 17, 33])
def test_every_place_of_a_row_is_checked(variant, dtype, index, row_nnz):
    rng = np.random.default_rng(0)
    data = rng.normal(size=row_nnz).astype(dtype)
    indices = np.arange(row_nnz, dtype=index)
    squares = np.full(2, np.nan)
    column_max = np.zeros(row_nnz, dtype)
    column_max[0] = 9.0
    assert check(data, indices, row_nnz, squares, column_max) == (csr.OK, 1, -1, True)
    np.testing.assert_array_equal(column_max, [9.0, *np.abs(data[1:])])
    np.testing.assert_allclose(squares, [0, (data.astype(float) ** 2).sum()])
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
            assert check(data, twice, row_nnz)[::3] == (csr.OK, False)


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
