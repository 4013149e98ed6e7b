"""Fixtures of the kernels' tests."""

import pytest

from sparse_adagrad import cpu_variant
from sparse_adagrad.kernels import cpu


@pytest.fixture(params=cpu.variants())
def variant(request):
    """Each CPU variant that runs here, in turn."""
    before = cpu_variant()
    cpu.use_variant(request.param)
    yield
    cpu.use_variant(before)
