"""Losses against their textbook form, and their derivatives against differences."""

import numpy as np
import pytest

from sparse_adagrad.kernels import losses
from tests.oracles import dloss_of, loss_of

PARAMETERS = {"huber": 0.7, "quantile": 0.3}
PARAMETERS |= dict.fromkeys(
    ["epsilon_insensitive", "squared_epsilon_insensitive"], 0.25
)
Y, P = (a.ravel() for a in np.meshgrid([0.0, 0.5, 2.0], np.linspace(-3, 3, 25)))


@pytest.mark.parametrize("name", losses.LOSSES)
def test_values_and_derivatives_are_the_textbooks(name):
    parameter = PARAMETERS.get(name, 0.0)
    value = losses.loss(name, Y, P, parameter)
    slope = losses.dloss(name, Y, P, parameter)
    np.testing.assert_allclose(
        value, [loss_of(name, y, p, parameter) for y, p in zip(Y, P, strict=True)]
    )
    np.testing.assert_allclose(
        slope, [dloss_of(name, y, p, parameter) for y, p in zip(Y, P, strict=True)]
    )


@pytest.mark.parametrize("name", losses.LOSSES)
def test_derivative_is_the_limit_of_differences(name):
    parameter, h = PARAMETERS.get(name, 0.0), 1e-6
    # Away from kinks, where there is no derivative to speak of.
    kinks = [0.0, parameter, -parameter]
    smooth = np.min([np.abs(P - Y - kink) for kink in kinks], axis=0) > 10 * h
    y, p = Y[smooth], P[smooth]
    difference = (
        losses.loss(name, y, p + h, parameter) - losses.loss(name, y, p - h, parameter)
    ) / (2 * h)
    np.testing.assert_allclose(
        losses.dloss(name, y, p, parameter), difference, rtol=1e-6, atol=1e-6
    )
    assert smooth.sum() > 40
