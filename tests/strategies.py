"""Hypothesis strategies for small nasty CSR matrices."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy import sparse as sp


@st.composite
def csr_matrices(draw, max_rows=12, max_columns=9, canonical=True):
    """Small CSR with empty rows and columns, explicit zeros and any dtypes.

    Where not `canonical`, rows are unsorted and repeat columns, and data and indices
    are longer than the end of indptr.
    """
    n_rows = draw(st.integers(1, max_rows))
    n_columns = draw(st.integers(1, max_columns))
    data_dtype = draw(st.sampled_from([np.float32, np.float64]))
    index_dtype = draw(st.sampled_from([np.int32, np.int64]))
    values = st.sampled_from([0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-3, 100.0])
    rows = []
    for _ in range(n_rows):
        columns = draw(
            st.lists(
                st.integers(0, n_columns - 1), max_size=n_columns, unique=canonical
            )
        )
        columns = sorted(columns) if canonical else columns
        rows.append([(j, draw(values)) for j in columns])
    spare = 0 if canonical else draw(st.integers(0, 3))
    entries = [entry for row in rows for entry in row]
    X = sp.csr_matrix((n_rows, n_columns), dtype=data_dtype)
    X.data = np.array([x for _, x in entries] + [7.0] * spare, data_dtype)
    X.indices = np.array([j for j, _ in entries] + [0] * spare, index_dtype)
    X.indptr = np.cumsum([0] + [len(row) for row in rows]).astype(index_dtype)
    return X


def targets(n):
    """Targets that are neither tiny nor huge, with repeats."""
    return st.lists(
        st.sampled_from([-3.0, -1.0, 0.0, 0.25, 1.0, 2.0, 10.0]), min_size=n, max_size=n
    ).map(np.array)
