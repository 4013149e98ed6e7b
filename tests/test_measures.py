"""The pass that checks rows and measures them, against NumPy and all entries."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sparse_adagrad import _measures
from sparse_adagrad._measures import Measures, lower_median, sample_rows
from sparse_adagrad._problem import Rows
from sparse_adagrad.kernels import csr
from tests.test_regressor import bag_of_words

ALL = np.empty(0, np.int64)


@pytest.fixture
def rows():
    X, _ = bag_of_words(5000)
    return Rows(X.data, X.indices, X.indptr, X.shape[1])


def largest_of(rows, visited):
    largest = np.zeros(rows.n_features, rows.data.dtype)
    taken = rows.take(np.flatnonzero(visited))
    np.maximum.at(largest, taken.indices, np.abs(taken.data))
    return largest


def far_apart(rows):
    """The same columns among so many that what is kept of them lies far."""
    places = rows.indices * np.int32(700)
    return replace(rows, indices=places, n_features=rows.n_features * 700)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("share", [0.05, 2])
def test_median_of_columns_is_exact(monkeypatch, rows, weighted, share, far):
    """Though most entries are passed over."""
    rows = far_apart(rows) if far else rows
    # Some that stand out, in the sample or not.
    data = rows.data.copy()
    data[rows.indices // (700 if far else 1) % 8 == 1] *= 9
    rows = replace(rows, data=data)
    monkeypatch.setattr(_measures, "SAMPLE_ENTRIES", int(rows.nnz * share))
    monkeypatch.setattr(_measures, "LEAST_ENTRIES", rows.nnz // 16)
    weights = np.arange(5000.0) % 3 if weighted else np.empty(0)
    visited = weights > 0 if weighted else np.ones(5000, bool)
    measures = Measures(columns=True, floor=None)
    places = np.flatnonzero(visited) if weighted else ALL
    found = measures.read(rows, visited=places, weights=weights[places])
    assert found == (csr.OK, -1, -1, True)
    largest = largest_of(rows, visited)
    sample = sample_rows(rows, places, _measures.SAMPLE_ENTRIES)
    assert measures.floor == lower_median(largest[sample.indices])
    above = largest > measures.floor
    assert 0 < above.sum() < len(above)
    # Beyond twice the median all are exact, and up to it those of the sample.
    exact = above & np.isin(np.arange(rows.n_features), sample.indices)
    exact |= largest > 2 * measures.floor
    assert 0 < exact.sum() <= above.sum()
    assert_array_equal(measures.column_max[exact], largest[exact])
    assert (measures.column_max <= largest).all()
    squares = np.add.reduceat(rows.data.astype(float) ** 2, rows.indptr[:-1])
    factors = weights if weighted else np.ones(5000)
    assert measures.sq_sum == pytest.approx(factors @ squares)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("row", [0, 1, 2499, 4999])
def test_a_fault_is_told_wherever_it_is(monkeypatch, rows, columns, row, far):
    """In the sample, at any stage, and as it is told without measuring."""
    rows = far_apart(rows) if far else rows
    monkeypatch.setattr(_measures, "SAMPLE_ENTRIES", rows.nnz // 100)
    monkeypatch.setattr(_measures, "LEAST_ENTRIES", rows.nnz // 16)
    # In a column that is hardly in the sample.
    row_columns = rows.indices[rows.indptr[row] : rows.indptr[row + 1]]
    counts = np.bincount(rows.indices)[row_columns]
    place = int(rows.indptr[row] + counts.argmin())
    wrong = rows.indices.copy()
    wrong[place] = rows.n_features
    measures = Measures(columns, floor=None)
    found = measures.read(replace(rows, indices=wrong))
    assert found[:3] == (csr.INDEX_RANGE, row, place)
    most = float(np.finfo(rows.data.dtype).max)
    # Where twice the floor is beyond all numbers, too.
    for value, unit in product((np.nan, -np.inf), (1.0, 3 * most)):
        wrong = np.minimum(rows.data.astype(float) * unit, most).astype(np.float32)
        wrong[place] = value
        found = Measures(columns, floor=None).read(replace(rows, data=wrong), most)
        assert found[:3] == (csr.NOT_FINITE, row, place)


def test_an_infinity_is_above_a_floor_that_few_numbers_are(rows):
    largest = float(np.finfo(np.float32).max)
    rows.data[1234] = np.inf
    found = Measures(columns=True, floor=2 * largest).read(rows, largest)
    assert found[0] == csr.NOT_FINITE
    assert found[2] == 1234


def test_unsorted_rows_are_seen_at_any_stage(monkeypatch, rows):
    monkeypatch.setattr(_measures, "SAMPLE_ENTRIES", rows.nnz // 10)
    monkeypatch.setattr(_measures, "LEAST_ENTRIES", rows.nnz // 16)
    for row in (3, 4998):
        swapped = rows.indices.copy()
        start = rows.indptr[row]
        swapped[[start, start + 1]] = swapped[[start + 1, start]]
        found = Measures(columns=True, floor=None).read(replace(rows, indices=swapped))
        assert found == (csr.OK, -1, -1, False)


@pytest.mark.parametrize("weighted", [False, True])
def test_few_rows_may_have_all_that_is_not_zero(monkeypatch, rows, weighted):
    monkeypatch.setattr(_measures, "SAMPLE_ENTRIES", 100)
    visited = np.arange(1 if weighted else 0, 5000, 2 if weighted else 1)
    data = np.zeros_like(rows.data)
    for row in (1001, 4321):
        data[rows.indptr[row] : rows.indptr[row + 1]] = 3.0
    measures = Measures(columns=True, floor=None)
    measures.read(replace(rows, data=data), visited=visited if weighted else ALL)
    assert measures.floor == 3.0


def test_nothing_but_zeros_has_a_median_of_zero(rows):
    measures = Measures(columns=True, floor=None)
    measures.read(replace(rows, data=np.zeros_like(rows.data)))
    assert measures.floor == measures.sq_sum == 0
    assert not measures.column_max.any()


@pytest.mark.parametrize("least", [1000, 10**9])
def test_rows_left_out_leave_no_trace(monkeypatch, rows, least):
    """To the last bit, though rows are inspected together."""
    monkeypatch.setattr(_measures, "LEAST_ENTRIES", least)
    monkeypatch.setattr(_measures, "MOST_ENTRIES", 20_000)
    visited = np.flatnonzero(np.arange(5000) % 3)
    one, other = (Measures(columns=True, floor=None) for _ in range(2))
    one.read(rows, visited=visited, weights=np.ones(len(visited)))
    other.read(rows.take(visited))
    assert (one.sq_sum, one.floor) == (other.sq_sum, other.floor)
    assert_array_equal(one.column_max, other.column_max)


def test_spans_grow_and_end_with_the_rows(rows, monkeypatch):
    assert _measures.span_ends(rows, ALL) == [5000]
    monkeypatch.setattr(_measures, "LEAST_ENTRIES", 1)
    monkeypatch.setattr(_measures, "MOST_ENTRIES", int(0.3 * rows.nnz))
    shares = rows.indptr[_measures.span_ends(rows, ALL)] / rows.nnz
    expected = [1 / 16, 1 / 4, 0.55, 0.85, 1]
    np.testing.assert_allclose(shares, expected, rtol=0.01)
    assert _measures.span_ends(rows, np.array([7, 9]))[-1] == 2


def test_sample_is_spread_and_of_rows_to_visit(rows):
    visited = np.flatnonzero(np.arange(5000) % 7 > 2)
    marked = replace(rows, data=np.repeat(np.arange(5000.0), np.diff(rows.indptr)))
    taken = sample_rows(marked, visited, rows.nnz // 20)
    numbers = np.unique(taken.data).astype(int)
    assert 230 <= taken.n_samples <= 251
    assert np.isin(numbers, visited).all()
    # Few rows are near no other, and no part of the data is passed over.
    assert np.diff(numbers).max() <= 60
    assert len(set(numbers % 7)) == 4
    assert sample_rows(rows, ALL, rows.nnz // 20).n_samples < 300
    assert sample_rows(rows, ALL, rows.nnz) is rows
    few = sample_rows(marked, visited, rows.nnz)
    assert_array_equal(np.unique(few.data), visited)
