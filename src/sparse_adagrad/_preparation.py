"""What `fit` measures and scales before it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem, Rows
from sparse_adagrad._state import ModelState
from sparse_adagrad.kernels import adagrad, columns, scales

# Memory streams along a run of neighbouring rows, as it does not to rows in fully
# random order, which take 1.8 times as long to learn. On eight real tasks the test
# error after runs of 8 is a full shuffle's.
LONG_RUN = 8
# Neighbours whose targets correlate more are no sample of the data, as where rows are
# sorted by target or come by group.
LIKENESS = 0.1
# Entries that columns are weighed by. On real text the limit comes out within 0.2 % of
# what all entries give.
SAMPLE_ENTRIES = 1 << 17
GOLDEN_SECTION = (5**0.5 - 1) / 2
ALL = np.empty(0, np.int64)


def run_length(problem: Problem) -> int:
    """How many neighbouring rows a shuffled epoch may visit one after the other."""
    y = problem.y[problem.rows_to_visit] if len(problem.rows_to_visit) else problem.y
    with np.errstate(over="ignore", invalid="ignore"):
        deviations = y - y.mean(axis=0)
        products = (deviations[1:] * deviations[:-1]).sum(axis=0)
        squares = (deviations**2).sum(axis=0)
        return LONG_RUN if (np.abs(products) <= LIKENESS * squares).all() else 1


def measure_scales(
    state: ModelState, problem: Problem, settings: adagrad.Settings
) -> Problem:
    """Measure what `fit` holds fixed; a warm start keeps the scales it has.

    Among it, how far a shuffle may leave neighbours together. Returns the problem in
    the units of its columns. Only rows with an entry in a scaled column are copied.
    What is held out stays in the user's units, as what `predict` is given.
    """
    problem = replace(problem, run=run_length(problem))
    first = state.totals["weight_sum"][0] == 0
    if state.scales_columns:
        measure_columns(state, problem)
        problem = replace(problem, rows=in_units(problem.rows, *column_units(state)))
    if first:
        measure_rows(state, problem)
        adagrad.start_at_mean(settings, state.outputs)
    state.check_precision(settings, problem.mean_weight)
    return problem


def measure_rows(state: ModelState, problem: Problem) -> None:
    """Measure the weighted mean and spread of the targets, and the rows' lengths."""
    y, squares, weights = problem.y, problem.rows.squares, problem.weights
    visited = problem.rows_to_visit
    if len(visited):
        y, squares = y[visited], squares[visited]
        weights = weights[visited] if len(weights) else weights
    if len(weights) == 0:
        weights = np.ones(len(y))
    # What overflows is found by the kernel, at the row where it does.
    with np.errstate(over="ignore", invalid="ignore"):
        # From one of them: a constant target has no spread, not one of rounding. Sums,
        # not products of matrices, whose order follows the number of cores.
        shifted = y - y[0]
        shares = weights[:, np.newaxis] / problem.weight_sum
        mean = (shares * shifted).sum(axis=0)
        state.totals["weight_sum"] = problem.weight_sum
        state.totals["row_sq_sum"] = (weights * squares).sum()
        state.outputs["y_mean"] = y[0] + mean
        variance = (shares * (shifted - mean) ** 2).sum(axis=0)
        state.outputs["y_sq_sum"] = problem.weight_sum * variance


def measure_columns(state: ModelState, problem: Problem) -> None:
    """Let a fit's entries raise the largest |x| of their columns.

    The first fit settles the limit: twice the median, over entries, of the largest |x|
    of their column. The entries of a sample of the rows stand for all.
    """
    rows, visited, largest = problem.rows, problem.rows_to_visit, state.column_max
    if len(visited) or rows.column_max is None:
        columns.raise_largest(rows.data, rows.indices, rows.indptr, visited, largest)
    else:
        np.maximum(largest, rows.column_max, out=largest, casting="same_kind")
    auto = state.totals["column_scaling"][0] == scales.SCALINGS["auto"]
    if auto and state.totals["weight_sum"][0] == 0:
        counts = count_entries(sample_rows(problem), ALL)
        met = np.flatnonzero(counts > 0)
        median = columns.weighted_median(largest[met].astype(np.float64), counts[met])
        state.totals["column_limit"] = 2 * median


def sample_rows(problem: Problem) -> Rows:
    """Rows to visit, of so many entries or few more, spread evenly; or all of them."""
    rows, n_visited = problem.rows, problem.n_visited
    n_rows = min(n_visited, SAMPLE_ENTRIES * rows.n_samples // max(1, rows.nnz) + 1)
    if n_rows == rows.n_samples:
        return rows
    if n_rows == n_visited:
        return rows.take(problem.rows_to_visit)
    # Steps of the golden section (Weyl) meet no period that the data may have.
    spread = np.arange(n_rows) * GOLDEN_SECTION % 1
    places = np.unique((spread * n_visited).astype(np.int64))
    return rows.take(problem.all_to_visit()[places])


def count_entries(rows: Rows, visited: NDArray[np.int64]) -> NDArray[np.int64]:
    """Entries of each column that are not 0, shape (n_features,)."""
    counts = np.zeros(rows.n_features, np.int64)
    columns.count_entries(rows.data, rows.indices, rows.indptr, visited, counts)
    return counts


def column_units(state: ModelState) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Columns that have a unit of their own, and these units."""
    largest = state.column_max[: state.n_features]
    limit = 1.0
    if state.totals["column_scaling"][0] == scales.SCALINGS["max_abs"]:
        scaled = np.flatnonzero(largest)
    else:
        limit = state.totals["column_limit"][0]
        scaled = np.flatnonzero(largest > limit) if limit > 0 else ALL
    return scaled, largest[scaled] / np.float64(limit)


def in_units(rows: Rows, scaled: NDArray[np.int64], units: NDArray[np.float64]) -> Rows:
    """The rows with the entries of scaled columns in these units."""
    if len(scaled) == 0:
        return rows
    starts, squares = np.empty(rows.n_samples, np.int64), rows.squares.copy()
    copies = columns.scale_rows(
        rows.data,
        rows.indices,
        rows.indptr,
        rows.n_features,
        scaled,
        units,
        starts,
        squares,
    )
    return replace(rows, squares=squares, scaled=copies, scaled_starts=starts)
