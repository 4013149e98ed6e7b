"""What `fit` measures and scales before it learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem
from sparse_adagrad._state import ModelState
from sparse_adagrad.kernels import adagrad, columns, scales

# Memory streams along a run of neighbouring rows, as it does not to rows in fully
# random order, which take 1.8 times as long to learn. On eight real tasks the test
# error after runs of 8 is a full shuffle's.
LONG_RUN = 8
# Neighbours whose targets correlate more are no sample of the data, as where rows are
# sorted by target or come by group.
LIKENESS = 0.1


def run_length(problem: Problem) -> int:
    """How many neighbouring rows a shuffled epoch may visit one after the other."""
    y = problem.y[problem.rows_to_visit] if len(problem.rows_to_visit) else problem.y
    deviations = y - y.mean(axis=0)
    products = (deviations[1:] * deviations[:-1]).sum(axis=0)
    squares = (deviations**2).sum(axis=0)
    return LONG_RUN if (np.abs(products) <= LIKENESS * squares).all() else 1


def column_units(state: ModelState) -> NDArray[np.float64] | None:
    """Unit of every column, shape (n_features,), or None where all are 1."""
    if not state.scales_columns:
        return None
    largest = state.column_max[: state.n_features].astype(np.float64)
    if state.totals["column_scaling"][0] == scales.SCALINGS["max_abs"]:
        return np.where(largest > 0, largest, 1.0)
    limit = state.totals["column_limit"][0]
    if limit <= 0 or largest.max() <= limit:
        return None
    return np.asarray(np.maximum(largest / limit, 1.0))


def observe_columns(
    problem: Problem, largest: NDArray[Any] | float = 0.0
) -> NDArray[np.void]:
    """Largest |x| and count of every column, `columns.COLUMN_DTYPE`, (n_features,).

    `largest` is what a model has seen before.
    """
    rows = problem.rows
    found = np.zeros(rows.n_features, columns.COLUMN_DTYPE)
    found["largest"] = largest
    columns.observe_columns(
        rows.data, rows.indices, rows.indptr, problem.rows_to_visit, found
    )
    return found


def measure_scales(
    state: ModelState, problem: Problem, settings: adagrad.Settings
) -> tuple[Problem, NDArray[np.void] | None]:
    """Measure what `fit` holds fixed; a warm start keeps the scales it has.

    Among it, how far a shuffle may leave neighbours together.

    Returns the problem in the units of its columns, and what was found of them. The
    values are copied only where a column is scaled. What is held out stays in the
    user's units, as what `predict` is given.
    """
    rows, visited = problem.rows, problem.rows_to_visit
    problem = replace(problem, run=run_length(problem))
    first = state.totals["weight_sum"][0] == 0
    found = None
    if state.scales_columns:
        found = observe_columns(problem, state.column_max[: state.n_features])
        state.column_max[: state.n_features] = found["largest"]
        if first:
            state.totals["column_limit"] = 2 * columns.median_largest(found)
    units = column_units(state)
    if units is not None:
        scaled = np.empty(rows.nnz, rows.data.dtype)
        columns.scale_columns(rows.data, rows.indices, units, scaled)
        problem = replace(problem, rows=replace(rows, data=scaled))
    if first:
        scales.observe_targets(
            problem.y, visited, problem.weights, state.totals, state.outputs
        )
        state.totals["row_sq_sum"] = scales.row_sq_sum(
            problem.rows.data, rows.indptr, visited, problem.weights
        )
        adagrad.start_at_mean(settings, state.outputs)
    return problem, found
