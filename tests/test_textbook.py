"""The published run, and our defaults on the same split."""

import numpy as np
import pytest

from sparse_adagrad.optimizers import SGD
from sparse_adagrad.textbook import defaults_run, published_run
from tests.commands import run


@pytest.mark.parametrize("seed", range(10))
def test_published_figures(seed):
    losses = published_run(seed=seed)
    assert losses[0] == pytest.approx(29525.43, rel=0.03)
    assert losses[99] == pytest.approx(28177.07, rel=0.03)
    first, second = -np.diff(losses[:3])
    assert second / first == pytest.approx(0.810, abs=0.002)


@pytest.mark.parametrize("seed", range(10))
def test_defaults_reach_least_squares(seed):
    errors = defaults_run(seed)
    assert errors.least_squares == pytest.approx(2900, rel=0.01)
    assert errors.estimator <= 1.02 * errors.least_squares


def test_mini_batches_learn_more_in_an_epoch():
    assert published_run(epochs=5, batch_size=16)[-1] < published_run(epochs=5)[-1]
    whole = published_run(epochs=3, batch_size=353, optimizer=SGD(0.1))
    np.testing.assert_allclose(whole, published_run(epochs=3, optimizer=SGD(0.1)))
    with pytest.raises(ValueError, match="from 1 to 353, got 354"):
        published_run(batch_size=354)


def test_command():
    done = run(["textbook", "--epochs", "3", "--seed", "1"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    expected = published_run(seed=1, epochs=3)
    shown = [f"Epoch {k}, Loss: {loss:.2f}" for k, loss in enumerate(expected, 1)]
    assert lines[:3] == shown
    assert "LinearRegression()        2900.2" in done.output
    refused = run(["textbook", "--batch-size", "0"])
    assert refused.exit_code == 1 and "batch_size must be" in refused.output
