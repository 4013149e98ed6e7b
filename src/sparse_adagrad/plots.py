"""Pictures that explain: how the loss fell, which rates and weights came of it.

Every function draws on the axes it is given, or on the current ones, and returns them.
They need matplotlib: ``pip install 'sparse-adagrad[plot]'``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from matplotlib import pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError(
        "sparse_adagrad.plots needs matplotlib; install it with "
        "pip install 'sparse-adagrad[plot]'."
    ) from error

from sparse_adagrad.optimizers import SGD, AdaGrad, Momentum, Optimizer
from sparse_adagrad.regressor import SparseAdaGradRegressor

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

Surface = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


def loss_curve(
    models: SparseAdaGradRegressor | Mapping[str, Any], ax: Axes | None = None
) -> Axes:
    """Draw the progressive loss of each epoch or batch, and the validation loss.

    Parameters
    ----------
    models : SparseAdaGradRegressor or dict of str to SparseAdaGradRegressor or to \
            array-like of shape (n_epochs,)
        A fitted model, or several with their names, or losses themselves.
    ax : Axes, default=None

    Returns
    -------
    ax : Axes
    """
    ax = plt.gca() if ax is None else ax
    named = models if isinstance(models, Mapping) else {"": models}
    for k, (name, model) in enumerate(named.items()):
        colour, prefix = COLOURS[k % len(COLOURS)], f"{name}: " if name else ""
        curve = getattr(model, "loss_curve_", model)
        epochs = np.arange(1, len(curve) + 1)
        label = f"{prefix}training, progressive" if curve is not model else name
        ax.plot(epochs, curve, color=colour, label=label)
        held_out = getattr(model, "validation_loss_curve_", [])
        if len(held_out):
            last = epochs[-len(held_out) :]
            ax.plot(last, held_out, "--", color=colour, label=f"{prefix}validation")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel="mean loss")
    ax.legend(frameon=False)
    return ax


def learning_rates(
    model: SparseAdaGradRegressor, counts: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Draw every feature's effective rate over how often it was seen.

    The rate is 1 / sqrt(G), that of a model whose base rate is 1: rare features keep
    large rates.

    Parameters
    ----------
    model : SparseAdaGradRegressor
        Fitted, of one output.
    counts : array-like of shape (n_features,)
        Rows that have each feature, as ``X.getnnz(axis=0)`` tells.
    ax : Axes, default=None

    Returns
    -------
    ax : Axes

    Raises
    ------
    ValueError
        If there is not one count for each feature.
    """
    ax = plt.gca() if ax is None else ax
    counts, grad_sq_sum = np.asarray(counts), model.grad_sq_sum_
    if counts.shape != grad_sq_sum.shape:
        raise ValueError(
            f"counts has the shape {counts.shape}, but the model's features "
            f"{grad_sq_sum.shape}."
        )
    seen = (grad_sq_sum > 0) & (counts > 0)
    rates = 1 / np.sqrt(grad_sq_sum[seen].astype(float))
    ax.loglog(counts[seen], rates, ".", color=COLOURS[0], markersize=2.5, alpha=0.3)
    ax.set(xlabel="rows that have the feature", ylabel="effective rate, 1 / sqrt(G)")
    return ax


def weights(
    model: SparseAdaGradRegressor,
    names: Sequence[str] | None = None,
    n: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Draw the largest positive and negative weights as bars.

    Parameters
    ----------
    model : SparseAdaGradRegressor
        Fitted, of one output.
    names : sequence of str, default=None
        What the features are called; None: ``feature_names_in_``, or their numbers.
    n : int, default=10
        Bars of either sign, at most.
    ax : Axes, default=None

    Returns
    -------
    ax : Axes

    Raises
    ------
    ValueError
        If there is not one name for each feature.
    """
    ax = plt.gca() if ax is None else ax
    coef = model.coef_
    if names is None:
        names = getattr(model, "feature_names_in_", [str(j) for j in range(len(coef))])
    if len(names) != len(coef):
        raise ValueError(f"there are {len(names)} names for {len(coef)} features.")
    order = np.argsort(coef)
    low, high = order[:n][coef[order[:n]] < 0], order[-n:][coef[order[-n:]] > 0]
    shown = np.concatenate([low, high])
    colours = [COLOURS[1]] * len(low) + [COLOURS[0]] * len(high)
    ax.barh(np.arange(len(shown)), coef[shown], color=colours)
    ax.set_yticks(np.arange(len(shown)), [str(names[j]) for j in shown])
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(xlabel="weight")
    return ax


def valley(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """A long valley, twenty times as steep across: its height and gradient."""
    steepness = np.array([1.0, 20.0])
    return float(0.5 * steepness @ theta**2), steepness * theta


def trajectories(
    optimizers: Mapping[str, Optimizer] | None = None,
    surface: Surface = valley,
    start: tuple[float, float] = (-9.0, 2.0),
    n_steps: int = 60,
    ax: Axes | None = None,
) -> Axes:
    """Draw the path of each optimiser over a surface of two variables.

    Parameters
    ----------
    optimizers : dict of str to Optimizer, default=None
        Unused ones, by the names to show; None: SGD, Momentum and AdaGrad.
    surface : callable, default=valley
        Gives height and gradient at an ndarray of shape (2,).
    start : tuple of (float, float)
        Where all begin; the gradient there is drawn as a dashed line.
    n_steps : int, default=60
    ax : Axes, default=None

    Returns
    -------
    ax : Axes
    """
    ax = plt.gca() if ax is None else ax
    if optimizers is None:
        optimizers = {"SGD": SGD(0.08), "Momentum": Momentum(0.02, 0.8)}
        optimizers["AdaGrad"] = AdaGrad(1.5)
    x, y = np.meshgrid(np.linspace(-10, 4, 200), np.linspace(-3, 3, 200))
    height = np.array(
        [surface(np.array(at))[0] for at in zip(x.flat, y.flat, strict=True)]
    )
    levels = np.quantile(height, np.linspace(0.02, 1, 15) ** 2)
    ax.contour(
        x, y, height.reshape(x.shape), np.unique(levels), cmap="Greys", alpha=0.6
    )
    for k, (name, optimizer) in enumerate(optimizers.items()):
        params = {"theta": np.array(start, float)}
        path = [params["theta"].copy()]
        for _ in range(n_steps):
            optimizer.update(params, {"theta": surface(params["theta"])[1]})
            path.append(params["theta"].copy())
        theta_1, theta_2 = np.transpose(path)
        colour = COLOURS[k % len(COLOURS)]
        ax.plot(theta_1, theta_2, ".-", color=colour, markersize=3, label=name)
    downhill = -surface(np.array(start, float))[1]
    end = np.array(start) + 4 * downhill / np.linalg.norm(downhill)
    line = zip(start, end, strict=True)
    ax.plot(*line, "--", color="black", linewidth=1, label="against the gradient")
    ax.set(xlabel="theta 1", ylabel="theta 2", xlim=(-10, 4), ylim=(-3, 3))
    ax.legend(frameon=True, fontsize=8, loc="lower right")
    return ax


def animate_trajectories(
    path: str | PathLike[str],
    optimizers: Mapping[str, Optimizer] | None = None,
    surface: Surface = valley,
    start: tuple[float, float] = (-9.0, 2.0),
    n_steps: int = 60,
) -> None:
    """Save `trajectories`, step by step, as a GIF.

    Parameters
    ----------
    path : str or path-like
        Where to; an existing file is replaced.
    optimizers, surface, start, n_steps
        As `trajectories` has them.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    try:
        trajectories(optimizers, surface, start, n_steps, ax)
        lines = ax.lines[:-1]  # all but the gradient
        whole = [np.transpose(line.get_xydata()) for line in lines]

        def show(step: int) -> list[Any]:
            for line, path_ in zip(lines, whole, strict=True):
                line.set_data(*path_[:, : step + 1])
            return list(lines)

        animation = FuncAnimation(figure, show, frames=n_steps + 1, blit=False)
        animation.save(fspath(path), writer=PillowWriter(fps=12), dpi=60)
    finally:
        plt.close(figure)
