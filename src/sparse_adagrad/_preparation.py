"""What `fit` measures and scales before it learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._problem import Problem
from sparse_adagrad._state import ModelState
from sparse_adagrad.kernels import adagrad, columns, scales


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

    Returns the problem in the units of its columns, and what was found of them. The
    values are copied only where a column is scaled. What is held out stays in the
    user's units, as what `predict` is given.
    """
    rows, visited = problem.rows, problem.rows_to_visit
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
