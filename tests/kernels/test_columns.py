"""Columns measured and scaled, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sparse_adagrad.kernels import columns
from tests.strategies import csr_matrices

ALL = np.empty(0, np.int64)


@given(csr_matrices())
def test_observed_columns_are_their_largest_and_their_count(X):
    found = np.zeros(X.shape[1], columns.COLUMN_DTYPE)
    columns.observe_columns(X.data, X.indices, X.indptr, ALL, found)
    dense = np.abs(X.toarray())
    assert_array_equal(found["largest"], dense.max(axis=0, initial=0))
    assert_array_equal(found["count"], (dense > 0).sum(axis=0))
    once_more = found.copy()
    last = np.array([X.shape[0] - 1])
    columns.observe_columns(X.data, X.indices, X.indptr, last, once_more)
    assert_array_equal(once_more["largest"], found["largest"])
    assert_array_equal(once_more["count"] - found["count"], dense[-1] > 0)


@given(
    st.lists(
        st.tuples(
            st.floats(0, allow_infinity=False, allow_nan=False), st.integers(0, 5)
        ),
        max_size=30,
    )
)
def test_median_is_exact(figures):
    found = np.array(figures, columns.COLUMN_DTYPE)
    entries = np.sort(np.repeat(found["largest"], found["count"]))
    expected = entries[(len(entries) - 1) // 2] if len(entries) else 0.0
    assert columns.median_largest(found) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scaled_copy(dtype):
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 200, 1000).astype(np.int32)
    data = rng.normal(size=1000).astype(dtype)
    units = np.where(rng.random(200) < 0.1, rng.random(200) + 1, 1.0)
    out = np.empty_like(data)
    columns.scale_columns(data, indices, units, out)
    assert_array_equal(out, (data / units[indices]).astype(dtype))
