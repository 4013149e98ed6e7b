"""What `fit` measures and scales before it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._measures import Measures
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
# Where more than this of the rows' squares is replaced, what is left of their sum would
# be but rounding.
MOST_REPLACED = 1 - 2.0**-10


def run_length(deviations: NDArray[np.float64]) -> int:
    """How many neighbouring rows a shuffled epoch may visit one after the other.

    `deviations`: of their targets from the mean, (n_visited, n_outputs).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # Einsum makes no arrays of products.
        products = np.einsum("ij,ij->j", deviations[1:], deviations[:-1])
        squares = np.einsum("ij,ij->j", deviations, deviations)
        return LONG_RUN if (np.abs(products) <= LIKENESS * squares).all() else 1


def measures_for(before: ModelState | None, scaling: str | None) -> Measures:
    """What a fit measures that goes on from a state, or from none."""
    if before is None or is_untrained(before):
        return Measures(scaling is not None, None if scaling == "auto" else 0.0)
    floor = 0.0
    if has_fixed_limit(before):
        # A little less than it, lest it be rounded up.
        floor = float(before.totals["column_limit"][0]) * (1 - 2.0**-20)
    return Measures(before.scales_columns, floor)


def is_untrained(state: ModelState) -> bool:
    return bool(state.totals["weight_sum"][0] == 0)


def has_fixed_limit(state: ModelState) -> bool:
    """Whether columns are compared with a limit that a fit settles, not a stream."""
    totals = state.totals[0]
    auto = totals["column_scaling"] == scales.SCALINGS["auto"]
    return bool(auto and totals["column_reference"] == 0)


def measure_scales(
    state: ModelState, problem: Problem, settings: adagrad.Settings, measures: Measures
) -> Problem:
    """Measure what `fit` holds fixed; a warm start keeps the scales it has.

    Among it, how far a shuffle may leave neighbours together. Returns the problem in
    the units of its columns. Only rows with an entry in a scaled column are copied.
    What is held out stays in the user's units, as what `predict` is given.
    """
    y_mean, deviations = targets_about_mean(problem)
    problem = replace(problem, run=run_length(deviations))
    sq_sum = measures.sq_sum
    first = is_untrained(state)
    if state.scales_columns:
        raised = raise_columns(state, measures)
        scaled = raised if first else scaled_columns(state)
        rows, sq_sum = in_units(problem, scaled, units_of(state, scaled), sq_sum)
        problem = replace(problem, rows=rows)
    if first:
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(deviations, out=deviations)
            state.outputs["y_sq_sum"] = weighted_sum(problem, squares)
        state.totals["weight_sum"] = problem.weight_sum
        state.outputs["y_mean"] = y_mean
        state.totals["row_sq_sum"] = sq_sum
        adagrad.start_at_mean(settings, state.outputs)
    state.check_precision(settings, problem.mean_weight)
    return problem


def targets_about_mean(
    problem: Problem,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted means of the targets to visit, and their deviations from these.

    Shapes (n_outputs,) and (n_visited, n_outputs).
    """
    y = problem.y
    if len(problem.rows_to_visit):
        y = y[problem.rows_to_visit]
    # What overflows is found by the kernel, at the row where it does.
    with np.errstate(over="ignore", invalid="ignore"):
        # From one of them: a constant target has no spread, not one of rounding.
        deviations = y - y[0]
        mean = weighted_sum(problem, deviations) / problem.weight_sum
        deviations -= mean
        return y[0] + mean, deviations


def weighted_sum(problem: Problem, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the rows to visit. Shape (n_outputs,)."""
    weights = problem.visited_weights()
    if len(weights):
        values = values * weights[:, np.newaxis]
    # Not a product of matrices, whose order follows the number of cores.
    return np.asarray(values.sum(axis=0))


def raise_columns(state: ModelState, measures: Measures) -> NDArray[np.int64]:
    """Let a fit's entries raise the largest |x| of their columns; those that matter.

    The first fit settles the limit of "auto": twice the median, over entries, of the
    largest |x| of their column. From then on only columns above it count.
    """
    least = 0.0
    if has_fixed_limit(state):
        if is_untrained(state):
            state.totals["column_limit"] = 2 * measures.floor
        least = state.totals["column_limit"][0]
    # Few columns, as a rule: most of the state's pages are not touched.
    above = np.flatnonzero(measures.column_max > least)
    largest = state.column_max
    largest[above] = np.maximum(largest[above], measures.column_max[above])
    return above


def scaled_columns(state: ModelState) -> NDArray[np.int64]:
    """Columns that have a unit of their own."""
    largest = state.column_max[: state.n_features]
    if state.totals["column_scaling"][0] == scales.SCALINGS["max_abs"]:
        return np.flatnonzero(largest)
    limit = state.totals["column_limit"][0]
    return np.flatnonzero(largest > limit) if limit > 0 else np.empty(0, np.int64)


def units_of(state: ModelState, scaled: NDArray[np.int64]) -> NDArray[np.float64]:
    """Units of columns."""
    limit = 1.0
    if state.totals["column_scaling"][0] != scales.SCALINGS["max_abs"]:
        limit = state.totals["column_limit"][0]
    return np.asarray(state.column_max[scaled] / np.float64(limit))


def in_units(
    problem: Problem,
    scaled: NDArray[np.int64],
    units: NDArray[np.float64],
    sq_sum: float,
) -> tuple[Rows, float]:
    """The rows with the entries of scaled columns in these units, and their squares."""
    rows = problem.rows
    if len(scaled) == 0:
        return rows, sq_sum
    starts = np.empty(rows.n_samples, np.int64)
    copies, replaced, added = columns.scale_rows(
        rows.data,
        rows.indices,
        rows.indptr,
        problem.row_weights(),
        rows.n_features,
        scaled,
        units,
        starts,
    )
    if replaced <= MOST_REPLACED * sq_sum < np.inf:
        sq_sum -= replaced
    else:
        visited = problem.all_to_visit()
        sq_sum = squares_of(problem, visited[starts[visited] < 0])
    return replace(rows, scaled=copies, scaled_starts=starts), sq_sum + added


def squares_of(problem: Problem, some: NDArray[np.int64]) -> float:
    """Weighted sum of the squares of some rows, which may be none."""
    if len(some) == 0:
        return 0.0
    weights = problem.weights[some] if len(problem.weights) else problem.weights
    measures = Measures(columns=False)
    measures.read(problem.rows, visited=some, weights=weights)
    return measures.sq_sum
