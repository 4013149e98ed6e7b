"""The rows that an epoch visits, and their order."""

from dataclasses import replace

import numpy as np
import pytest

from sparse_adagrad._layout import deal_rows
from sparse_adagrad._preparation import LONG_RUN as RUN
from sparse_adagrad._preparation import run_length, targets_about_mean
from sparse_adagrad._problem import Problem, Rows, shuffle_in_runs


def problem_of(n_rows, weights=None, y=None):
    rows = Rows(np.empty(0), np.empty(0, np.int32), np.zeros(n_rows + 1, np.int32), 1)
    weights = np.empty(0) if weights is None else weights
    return Problem.of(rows, np.zeros(n_rows) if y is None else y, weights)


@pytest.mark.parametrize("n_rows", [1, 2, RUN - 1, RUN, RUN + 1, 1000])
def test_every_row_is_visited_once(n_rows):
    rng = np.random.RandomState(0)
    for _ in range(3):
        order = shuffle_in_runs(3 * np.arange(n_rows), RUN, rng)
        np.testing.assert_array_equal(np.sort(order), 3 * np.arange(n_rows))


def test_neighbours_stay_together_in_other_runs_each_time():
    rng = np.random.RandomState(0)
    cuts = set()
    for _ in range(50):
        order = shuffle_in_runs(np.arange(100 * RUN), RUN, rng)
        starts = order[np.flatnonzero(np.diff(order, prepend=-1) != 1)]
        # Two runs may have met again.
        assert 90 <= len(starts) <= 101
        cuts |= set(starts[starts > 0] % RUN)
        assert (np.abs(np.corrcoef(order, np.arange(len(order)))[0, 1])) < 0.4
    assert cuts == set(range(RUN))


@pytest.mark.parametrize("shuffled", [True, False])
def test_threads_share_the_rows_to_visit(shuffled):
    weights = (np.arange(1000) % 10 > 0).astype(float)
    problem = replace(problem_of(1000, weights), run=RUN)
    parts = deal_rows(problem, 3, np.random.RandomState(0) if shuffled else None)
    assert {len(part) for part in parts} == {300}
    assert all((np.diff(part) > 0).all() for part in parts)
    np.testing.assert_array_equal(
        np.sort(np.concatenate(parts)), np.flatnonzero(weights)
    )
    # Where rows are sorted, each thread has of all.
    assert all(400 < part.mean() < 600 for part in parts)


def test_neighbours_stay_together_only_where_their_targets_differ():
    def run_of(n_rows, weights=None, y=None):
        return run_length(targets_about_mean(problem_of(n_rows, weights, y))[1])

    rng = np.random.default_rng(0)
    y = rng.normal(size=2000) + 50
    others = rng.normal(size=2000)
    assert run_of(2000, y=y) == RUN
    assert run_of(2000, y=np.zeros(2000)) == RUN
    assert run_of(2000, y=np.sort(y)) == 1
    # Groups of four rows; one output of two; what is visited alone counts.
    assert run_of(2000, y=np.repeat(y[:500], 4)) == 1
    assert run_of(2000, y=np.column_stack([others, np.sort(y)])) == 1
    visited = (np.arange(2000) % 2 > 0).astype(float)
    assert run_of(2000, visited, np.repeat(y[:1000], 2)) == RUN
    assert run_of(1, y=np.ones(1)) == RUN


def test_rows_are_cut_into_parts_of_about_as_many_entries():
    indptr = np.array([0, 50, 60, 70, 80, 100])
    rows = Rows(np.ones(100), np.zeros(100, np.int64), indptr, 1)
    assert rows.cut(1) == [0, 5]
    assert rows.cut(2) == [0, 1, 5]
    assert rows.cut(4) == [0, 1, 1, 4, 5]
    assert problem_of(3).rows.cut(2) == [0, 0, 3]
