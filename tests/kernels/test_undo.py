"""What rows have changed is given back, from what was logged before each."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse as sp

from sparse_adagrad import SparseAdaGradRegressor
from sparse_adagrad.kernels import undo


def keep(kept, pairs):
    """What is kept of a row: blocks of u, s and w of one output, else all pairs."""
    kept[:] = np.nan
    if pairs.shape[2] > 1:
        kept[: pairs.size] = pairs.ravel()
        return
    # The places that a row leaves in its last block hold anything.
    lanes = 32 // pairs.itemsize
    blocks = kept[: -(-len(pairs) // lanes) * 3 * lanes].reshape(-1, 3, lanes)
    for k, (u, s) in enumerate(pairs[:, :, 0]):
        blocks[k // lanes, :2, k % lanes] = u, s


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("order", [[], [3, 1, 7, 0, 5]])
@pytest.mark.parametrize("scaled", [True, False])
def test_restored_columns(scaled, order, index, dtype, n_outputs, variant):
    rng = np.random.default_rng(0)
    X = sp.random(10, 20, 0.35, format="csr", random_state=0)
    assert {0, 1} <= set(np.diff(X.indptr) // 8)
    arrays = X.indices.astype(index), X.indptr
    order = np.array(order, np.int64)
    pairs = rng.random((20, 2, n_outputs)).astype(dtype)
    largest = rng.random(20 if scaled else 0).astype(dtype)
    before = pairs.copy(), largest.copy()
    log_pairs = np.full(undo.log_size(X.nnz, 10, n_outputs), np.nan, dtype)
    log_max = np.full(X.nnz if scaled else 0, np.nan, dtype)
    visited = order[:4] if len(order) else range(4)
    for i in visited:
        entries = slice(X.indptr[i], X.indptr[i + 1])
        columns = X.indices[entries]
        kept, end = (undo.log_size(int(X.indptr[j]), j, n_outputs) for j in (i, i + 1))
        keep(log_pairs[kept:end], pairs[columns])
        pairs[columns] += 1
        if scaled:
            log_max[entries] = largest[columns]
            largest[columns] += 1
    assert (pairs != before[0]).any()
    undo.restore(*arrays, order, len(visited), log_pairs, log_max, pairs, largest)
    assert_array_equal(pairs, before[0])
    assert_array_equal(largest, before[1])


@pytest.mark.parametrize("state", ["float32", "float64"])
@pytest.mark.parametrize("data", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("row_nnz", [0, 1, 3, 4, 5, 7, 8, 9, 16, 17, 65])
def test_stream_raises_columns_and_gives_them_back(
    state, data, index, row_nnz, variant
):
    rng = np.random.default_rng(row_nnz)
    dense = np.zeros((40, 3000), data)
    for row in dense:
        columns = rng.choice(70, row_nnz, replace=False)
        row[columns] = rng.normal(size=row_nnz)
    X = sp.csr_array(dense)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    y = rng.normal(size=40)
    model = SparseAdaGradRegressor(dtype=state).partial_fit(X[:20], y[:20])
    kept = model._state.copy()
    assert_array_equal(kept.column_max, np.abs(dense[:20]).max(axis=0).astype(state))
    y[35] = 1e200
    with pytest.raises(ValueError, match=r"overflow|diverged"):
        model.partial_fit(X[20:], y[20:])
    assert_array_equal(model._state.column_max, kept.column_max)
    assert_array_equal(model._state.pairs, kept.pairs)
    if row_nnz:
        y[35] = 0
        model.partial_fit(X[20:], y[20:])
        largest = np.abs(dense).max(axis=0).astype(state)
        assert_array_equal(model._state.column_max, largest)
        assert (largest > kept.column_max).any()
