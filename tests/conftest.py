"""What several test files share."""

import numpy as np
import pytest
from scipy import sparse as sp

from sparse_adagrad.demo import library_functions


@pytest.fixture
def problem():
    """200 rows, 40 columns, a linear target far from 0 with little noise."""
    rng = np.random.default_rng(0)
    X = sp.random(200, 40, 0.2, format="csr", random_state=0)
    return X, X @ rng.normal(size=40) + 0.01 * rng.normal(size=200) + 7.0


@pytest.fixture(scope="session")
def functions():
    """Source and length of the standard library's functions: ten seconds to read."""
    return list(library_functions())
