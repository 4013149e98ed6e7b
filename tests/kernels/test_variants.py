"""Every CPU variant agrees with the portable one, around the vector widths."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse as sp

from sparse_adagrad import SparseAdaGradRegressor, cpu_variant
from sparse_adagrad.kernels import cpu


@pytest.fixture
def restore_variant():
    before = cpu_variant()
    yield
    cpu.use_variant(before)


@pytest.mark.parametrize("variant", cpu.variants())
@pytest.mark.parametrize("state", ["float32", "float64"])
@pytest.mark.parametrize("data", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize(
    ("n_outputs", "row_nnz"),
    [
        *((1, n) for n in (0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65)),
        # Half a register of each type, a whole one, and one more.
        *((n, 17) for n in (2, 3, 4, 5, 7, 8, 9, 15, 16, 17)),
        *((n, 16) for n in (2, 3, 8)),
        *((3, n) for n in (0, 1, 2)),
    ],
)
def test_agrees_with_portable(
    variant, state, data, index, n_outputs, row_nnz, restore_variant
):
    rng = np.random.default_rng(row_nnz)
    columns = [rng.choice(100, row_nnz, replace=False) for _ in range(30)]
    X = sp.csr_matrix((30, 100), dtype=data)
    X.indices = np.concatenate(columns).astype(index)
    X.data = rng.normal(size=30 * row_nnz).astype(data)
    X.indptr = np.arange(31, dtype=index) * row_nnz
    y = rng.normal(size=(30, n_outputs))
    coefs = []
    for name in ("portable", variant):
        cpu.use_variant(name)
        assert cpu_variant() == name
        model = SparseAdaGradRegressor(
            dtype=state, alpha=1e-3, l1_ratio=0.5, random_state=0, max_iter=2
        )
        coefs.append(model.fit(X, y).coef_)
    tolerance = 1e-10 if state == "float64" else 1e-3
    assert_allclose(coefs[1], coefs[0], rtol=tolerance, atol=tolerance)
    assert np.any(coefs[0]) == (row_nnz > 0)


def test_portable_always_runs_and_unknown_never():
    assert cpu.variants()[0] == "portable"
    before = cpu_variant()
    with pytest.raises(ValueError, match="'avx3' does not run here; these do"):
        cpu.use_variant("avx3")
    assert cpu_variant() == before


@pytest.mark.parametrize("variant", cpu.variants())
def test_environment_forces_a_variant(variant):
    printed = subprocess.run(
        [sys.executable, "-c", "import sparse_adagrad as s; print(s.cpu_variant())"],
        env=os.environ | {"SPARSE_ADAGRAD_CPU": variant},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == variant
