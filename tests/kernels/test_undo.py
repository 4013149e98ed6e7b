"""What rows have changed is given back, from what was logged before each."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse as sp

from sparse_adagrad.kernels import undo


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("order", [[], [3, 1, 7, 0, 5]])
@pytest.mark.parametrize("scaled", [True, False])
def test_restored_columns(scaled, order, index, dtype, n_outputs):
    rng = np.random.default_rng(0)
    X = sp.random(10, 20, 0.3, format="csr", random_state=0)
    arrays = X.indices.astype(index), X.indptr
    order = np.array(order, np.int64)
    pairs = rng.random((20, 2, n_outputs)).astype(dtype)
    largest = rng.random(20 if scaled else 0).astype(dtype)
    before = pairs.copy(), largest.copy()
    log_pairs = np.full((X.nnz, 2, n_outputs), np.nan, dtype)
    log_max = np.full(X.nnz if scaled else 0, np.nan, dtype)
    visited = order[:4] if len(order) else range(4)
    for i in visited:
        entries = slice(X.indptr[i], X.indptr[i + 1])
        columns = X.indices[entries]
        log_pairs[entries] = pairs[columns]
        pairs[columns] += 1
        if scaled:
            log_max[entries] = largest[columns]
            largest[columns] += 1
    assert (pairs != before[0]).any()
    undo.restore(*arrays, order, len(visited), log_pairs, log_max, pairs, largest)
    assert_array_equal(pairs, before[0])
    assert_array_equal(largest, before[1])
