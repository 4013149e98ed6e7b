"""The textbook's optimisers on dense arrays, in plain NumPy.

What sparse updates are compared with, and what the tests hold the kernel to. Each keeps
its state by the name of a parameter, from the first call on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


class Optimizer(ABC):
    """Steps a dict of arrays by a dict of gradients.

    Parameters
    ----------
    learning_rate : float
        eta, above 0.
    """

    def __init__(self, learning_rate: float) -> None:
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {learning_rate}.")
        self.learning_rate = learning_rate
        self._state: dict[str, Arrays] = {}

    def update(self, params: Arrays, grads: Mapping[str, NDArray[Any]]) -> Arrays:
        """Step every parameter in place.

        Parameters
        ----------
        params : dict of str to ndarray
            Floating point, of any shape; changed.
        grads : dict of str to ndarray
            The gradients: the same names and shapes.

        Returns
        -------
        params : dict of str to ndarray
            The dict that was given.

        Raises
        ------
        ValueError
            If names or shapes differ from each other or from those of the calls
            before, or a parameter is not floating point. Nothing is changed then.
        """
        self._check(params, grads)
        for name, theta in params.items():
            state = self._state.setdefault(name, self._start(theta))
            self._step(theta, np.asarray(grads[name]), state)
        return params

    def _check(self, params: Arrays, grads: Mapping[str, NDArray[Any]]) -> None:
        if params.keys() != grads.keys():
            raise ValueError(
                f"params has the names {sorted(params)}, but grads {sorted(grads)}."
            )
        for name, theta in params.items():
            if not isinstance(theta, np.ndarray) or theta.dtype.kind != "f":
                raise ValueError(f"{name!r} must be an array of floating point.")
            shapes = [np.shape(grads[name])]
            shapes += [array.shape for array in self._state.get(name, {}).values()]
            for shape in shapes:
                # Adam's count of steps has no shape.
                if shape != theta.shape and shape != (1,) * (theta.ndim + 1):
                    raise ValueError(
                        f"{name!r} has the shape {theta.shape}, but its gradient or "
                        f"what is kept of it {shape}."
                    )

    def _start(self, theta: NDArray[Any]) -> Arrays:
        """What is kept of a parameter, before its first step."""
        return {}

    @abstractmethod
    def _step(self, theta: NDArray[Any], g: NDArray[Any], state: Arrays) -> None:
        """Step one parameter in place."""


class SGD(Optimizer):
    """Gradient descent: theta <- theta - eta g.

    Parameters
    ----------
    learning_rate : float, default=0.01
    """

    def __init__(self, learning_rate: float = 0.01) -> None:
        super().__init__(learning_rate)

    def _step(self, theta: NDArray[Any], g: NDArray[Any], state: Arrays) -> None:
        theta -= self.learning_rate * g


class Momentum(Optimizer):
    """Velocity v <- alpha v - eta g; theta <- theta + v.

    Parameters
    ----------
    learning_rate : float, default=0.01
    alpha : float, default=0.9
        What a step keeps of the velocity, in [0, 1).

    References
    ----------
    Polyak, Some methods of speeding up the convergence of iteration methods, 1964.
    """

    def __init__(self, learning_rate: float = 0.01, alpha: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.alpha = _share(alpha, "alpha")

    def _start(self, theta: NDArray[Any]) -> Arrays:
        return {"v": np.zeros_like(theta)}

    def _step(self, theta: NDArray[Any], g: NDArray[Any], state: Arrays) -> None:
        state["v"] *= self.alpha
        state["v"] -= self.learning_rate * g
        theta += state["v"]


class AdaGrad(Optimizer):
    """Squares r <- r + g^2 from 0; theta <- theta - eta g / (sqrt(r) + epsilon).

    Parameters
    ----------
    learning_rate : float, default=0.01
    epsilon : float, default=1e-7

    References
    ----------
    Duchi, Hazan, Singer, Adaptive Subgradient Methods, JMLR 12, 2011,
    https://jmlr.org/papers/v12/duchi11a.html
    """

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-7) -> None:
        super().__init__(learning_rate)
        self.epsilon = _not_negative(epsilon, "epsilon")

    def _start(self, theta: NDArray[Any]) -> Arrays:
        return {"r": np.zeros_like(theta)}

    def _step(self, theta: NDArray[Any], g: NDArray[Any], state: Arrays) -> None:
        state["r"] += g**2
        theta -= _over(self.learning_rate * g, np.sqrt(state["r"]) + self.epsilon)


class RMSProp(Optimizer):
    """Mean square r <- rho r + (1 - rho) g^2; theta <- theta - eta g / (sqrt(r) + eps).

    Parameters
    ----------
    learning_rate : float, default=0.01
    rho : float, default=0.99
        What a step keeps of the mean square, in [0, 1).
    epsilon : float, default=1e-8

    References
    ----------
    Hinton, Neural Networks for Machine Learning, lecture 6e, 2012.
    """

    def __init__(
        self, learning_rate: float = 0.01, rho: float = 0.99, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.rho = _share(rho, "rho")
        self.epsilon = _not_negative(epsilon, "epsilon")

    def _start(self, theta: NDArray[Any]) -> Arrays:
        return {"r": np.zeros_like(theta)}

    def _step(self, theta: NDArray[Any], g: NDArray[Any], state: Arrays) -> None:
        state["r"] *= self.rho
        state["r"] += (1 - self.rho) * g**2
        theta -= _over(self.learning_rate * g, np.sqrt(state["r"]) + self.epsilon)


class Adam(Optimizer):
    """Means m of g and r of g^2, each over what it holds after t steps from 0.

    m <- beta1 m + (1 - beta1) g and r <- beta2 r + (1 - beta2) g^2;
    theta <- theta - eta (m / (1 - beta1^t)) / (sqrt(r / (1 - beta2^t)) + epsilon).

    Parameters
    ----------
    learning_rate : float, default=0.001
    beta1, beta2 : float, default=0.9, 0.999
        What a step keeps of m and of r, in [0, 1).
    epsilon : float, default=1e-8

    References
    ----------
    Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR 2015,
    https://arxiv.org/abs/1412.6980
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta1, self.beta2 = _share(beta1, "beta1"), _share(beta2, "beta2")
        self.epsilon = _not_negative(epsilon, "epsilon")

    def _start(self, theta: NDArray[Any]) -> Arrays:
        return {
            "m": np.zeros_like(theta),
            "r": np.zeros_like(theta),
            "t": np.zeros((1,) * (theta.ndim + 1)),
        }

    def _step(self, theta: NDArray[Any], g: NDArray[Any], state: Arrays) -> None:
        state["t"] += 1
        t = state["t"].item()
        state["m"] *= self.beta1
        state["m"] += (1 - self.beta1) * g
        state["r"] *= self.beta2
        state["r"] += (1 - self.beta2) * g**2
        mean = state["m"] / (1 - self.beta1**t)
        root = np.sqrt(state["r"] / (1 - self.beta2**t))
        theta -= _over(self.learning_rate * mean, root + self.epsilon)


def _share(value: float, name: str) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be in [0, 1), got {value}.")
    return value


def _not_negative(value: float, name: str) -> float:
    if not value >= 0:
        raise ValueError(f"{name} must not be below 0, got {value}.")
    return value


def _over(step: NDArray[Any], size: NDArray[Any]) -> NDArray[Any]:
    """A step over its size; 0 where there has been no gradient and epsilon is 0."""
    out = np.zeros_like(size)
    np.divide(step, size, out=out, where=size > 0)
    return out
