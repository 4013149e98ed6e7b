"""The run that introductions to AdaGrad print, and what our defaults make of it.

Scikit-learn's diabetes data, standardised, a column of ones, four fifths to learn from;
weights from a standard normal; AdaGrad at 0.1 on the full gradient of the mean squared
error. After 100 epochs it has hardly moved: every weight goes at most 0.1 a step, and
ever less, while the bias should go to 152. The rate must carry the unit of y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sparse_adagrad.optimizers import AdaGrad, Optimizer
from sparse_adagrad.regressor import SparseAdaGradRegressor

Split = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]


def diabetes() -> Split:
    """Training and test rows, then their targets.

    Returns
    -------
    X, X_test : ndarray of shape (353, 10) and (89, 10), float64
        Each column of mean 0 and spread 1 over all rows.
    y, y_test : ndarray of shape (353,) and (89,), float64
        A measure of the disease a year later, 25 to 346.
    """
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        StandardScaler().fit_transform(X), y, test_size=0.2, random_state=42
    )
    return X, X_test, y, y_test


def published_run(
    *,
    seed: int = 0,
    epochs: int = 100,
    batch_size: int | None = None,
    optimizer: Optimizer | None = None,
    show: Callable[[str], None] | None = None,
) -> NDArray[np.float64]:
    """Mean squared error on the training part after each epoch.

    Parameters
    ----------
    seed : int, default=0
        Of the first weights, and of the examples that are sampled.
    epochs : int, default=100
        Steps by the full gradient 2/n X^T (X w - y); with mini-batches, passes.
    batch_size : int, default=None
        Examples that are sampled for a step, without replacement; None: all.
    optimizer : Optimizer, default=None
        None: AdaGrad at 0.1.
    show : callable, default=None
        Is given a line an epoch.

    Returns
    -------
    losses : ndarray of shape (epochs,), float64

    Raises
    ------
    ValueError
        If there are not so many examples as a batch should have.

    References
    ----------
    Duchi, Hazan, Singer, Adaptive Subgradient Methods, JMLR 12, 2011.
    """
    X, _, y, _ = diabetes()
    X = np.column_stack([np.ones(len(y)), X])
    size = len(y) if batch_size is None else batch_size
    if not 1 <= size <= len(y):
        raise ValueError(f"batch_size must be from 1 to {len(y)}, got {batch_size}.")
    rng = np.random.RandomState(seed)
    optimizer = AdaGrad(0.1) if optimizer is None else optimizer
    params = {"w": np.asarray(rng.standard_normal(X.shape[1]))}
    losses = np.empty(epochs)
    for epoch in range(epochs):
        for _ in range(-(-len(y) // size)):
            X_m, y_m = X, y
            if batch_size is not None:
                sampled = rng.choice(len(y), size, replace=False)
                X_m, y_m = X[sampled], y[sampled]
            gradient = np.asarray(2 / size * X_m.T @ (X_m @ params["w"] - y_m))
            optimizer.update(params, {"w": gradient})
        losses[epoch] = np.mean((X @ params["w"] - y) ** 2)
        if show is not None:
            show(f"Epoch {epoch + 1}, Loss: {losses[epoch]:.2f}")
    return losses


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean squared errors on the test part."""

    estimator: float
    least_squares: float


def defaults_run(seed: int = 0) -> Comparison:
    """Our estimator with its defaults on the same split, beside least squares.

    Parameters
    ----------
    seed : int, default=0
        Of the order of the rows.

    Returns
    -------
    comparison : Comparison
    """
    X, X_test, y, y_test = diabetes()
    ours, exact = SparseAdaGradRegressor(random_state=seed), LinearRegression()
    errors = [
        float(mean_squared_error(y_test, model.fit(X, y).predict(X_test)))
        for model in (ours, exact)
    ]
    return Comparison(*errors)
