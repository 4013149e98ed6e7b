"""Where the features of a fit lie, and how threads find their copies of them."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sparse_adagrad import _places
from sparse_adagrad._layout import LayoutToCome, useful_threads
from sparse_adagrad._problem import Problem, Rows
from sparse_adagrad._state import ModelState
from sparse_adagrad._team import Team

N_ROWS, N_COLUMNS = 300, 70


def laid_out(monkeypatch, n_threads, n_outputs=1):
    """A layout of trained features, for two rows of three, and its matrix."""
    # Copies of what comes in most of the rows.
    monkeypatch.setattr(_places, "MEETINGS_OF_TWO", 32)
    monkeypatch.setattr(_places, "MEETINGS", 8)
    rng = np.random.default_rng(0)
    share = np.linspace(1.0, 0.0, N_COLUMNS)
    X = sp.csr_array(rng.random((N_ROWS, N_COLUMNS)) < rng.permutation(share))
    rows = Rows(np.ones(X.nnz), X.indices, X.indptr, N_COLUMNS)
    problem = Problem.of(rows, np.zeros((N_ROWS, n_outputs)), np.empty(0))
    state = ModelState.allocate(
        N_COLUMNS,
        n_outputs,
        np.dtype(np.float64),
        scaling=None,
        initial_accumulator_value=0.0,
    )
    state.pairs[:N_COLUMNS] = rng.random((N_COLUMNS, 2, n_outputs)) + 1
    visited = np.flatnonzero(np.arange(N_ROWS) % 3)
    parts = [np.sort(p) for p in np.array_split(rng.permutation(visited), n_threads)]
    return X, LayoutToCome(problem, parts).ask(state, blocking=True)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_every_row_finds_its_columns(monkeypatch, n_threads):
    X, layout = laid_out(monkeypatch, n_threads, n_outputs=2)
    columns, n_hot = layout.places.columns, len(layout.merged)
    counts = np.bincount(X.indices, minlength=N_COLUMNS)
    assert_array_equal(np.sort(columns), np.flatnonzero(counts))
    # Frequent ones come first, within a factor of two.
    assert (counts[columns][1:] < 2 * counts[columns][:-1]).all()
    assert (n_hot == 0) == (n_threads == 1)
    assert n_hot < len(columns)
    for thread, part in enumerate(layout.parts):
        copy = 0 if thread == 0 else len(columns) + (thread - 1) * n_hot
        column_at = dict(enumerate(columns))
        for place in range(n_hot):
            del column_at[place]
        column_at.update(enumerate(columns[:n_hot], start=copy))
        for row in part:
            entries = slice(X.indptr[row], X.indptr[row + 1])
            found = [column_at[place] for place in layout.problem.rows.indices[entries]]
            assert_array_equal(found, X.indices[entries])
        pairs = layout.by_place.pairs[list(column_at)]
        assert_array_equal(pairs, layout.state.pairs[list(column_at.values())])


@pytest.mark.parametrize("n_threads", [2, 3])
def test_merged_copies_are_the_same_and_others_as_they_were(monkeypatch, n_threads):
    _, layout = laid_out(monkeypatch, n_threads)
    n_present, n_hot = len(layout.places.columns), len(layout.merged)
    pairs = layout.by_place.pairs
    # The second thread has learned of the first feature, which moves by that alone.
    pairs[n_present] += 1.0
    before = pairs.copy()
    team = Team(n_threads)
    pull = np.zeros(1)
    team.run(lambda: layout.merge(pull, team))
    assert_array_equal(pairs[n_hot:n_present], before[n_hot:n_present])
    expected = before[:n_hot].copy()
    expected[0] = before[n_present]
    np.testing.assert_allclose(layout.merged, expected)
    for copy in [0, *(n_present + t * n_hot for t in range(n_threads - 1))]:
        assert_array_equal(pairs[copy : copy + n_hot], layout.merged)
    layout.publish()
    assert_array_equal(layout.state.pairs[layout.places.columns], pairs[:n_present])


@pytest.mark.parametrize(
    ("entries", "n_rows", "n_outputs", "batch_size", "n_epochs", "n_jobs", "n_threads"),
    [
        (1 << 22, 100, 1, 1, 10, 8, 2),
        ((1 << 22) - 1, 100, 1, 1, 10, 8, 1),
        (1 << 21, 100, 2, 1, 10, 8, 2),
        (1 << 30, 100, 1, 1, 10, 8, 8),
        (1 << 30, 100, 1, 1, 3, 2, 2),
        (1 << 30, 100, 1, 1, 2, 2, 1),
        (1 << 30, 100, 1, 1, 1, 4, 4),
        (1 << 30, 100, 1, 1, 1, 3, 1),
        # A row or a batch for each thread in each half of an epoch.
        (1 << 30, 7, 1, 1, 10, 8, 3),
        (1 << 30, 1, 1, 1, 10, 8, 1),
        (1 << 30, 100, 1, 12, 10, 8, 4),
        (1 << 30, 100, 1, 100, 10, 8, 1),
        (0, 100, 1, 1, 10, 2, 1),
    ],
)
def test_as_many_threads_as_gain(
    entries, n_rows, n_outputs, batch_size, n_epochs, n_jobs, n_threads
):
    offsets = np.append(np.zeros(n_rows, np.int64), entries)
    rows = Rows(np.empty(0), np.empty(0, np.int32), offsets, 1)
    problem = Problem.of(rows, np.zeros(n_rows), np.empty(0))
    useful = useful_threads(problem, n_outputs, batch_size, n_epochs, n_jobs)
    assert useful == n_threads
