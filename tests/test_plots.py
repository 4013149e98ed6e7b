"""What is drawn, not how it looks."""

import matplotlib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse as sp

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from sparse_adagrad import SparseAdaGradRegressor, plots
from sparse_adagrad.optimizers import SGD


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    assert fig.axes == [ax]
    plt.close(fig)


@pytest.fixture
def fitted():
    X = sp.random(200, 30, 0.1, format="csr", random_state=0)
    y = X @ np.arange(-15, 15) + 1
    model = SparseAdaGradRegressor(early_stopping=True, max_iter=5, random_state=0)
    return model.fit(X, y), X.getnnz(axis=0)


def test_loss_curve(fitted, ax):
    model, _ = fitted
    assert plots.loss_curve({"ours": model, "given": [3.0, 2.0]}, ax) is ax
    training, validation, given = ax.lines
    assert_array_equal(training.get_ydata(), model.loss_curve_)
    assert_array_equal(validation.get_ydata(), model.validation_loss_curve_)
    assert_array_equal(given.get_xdata(), [1, 2])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:2] == ["ours: training, progressive", "ours: validation"]
    assert plots.loss_curve(model) is plt.gca()


def test_learning_rates_fall_with_what_was_seen(fitted, ax):
    model, counts = fitted
    assert plots.learning_rates(model, counts, ax) is ax
    (points,) = ax.lines
    seen = model.grad_sq_sum_ > 0
    assert_allclose(points.get_ydata(), model.grad_sq_sum_[seen] ** -0.5, rtol=1e-6)
    assert_array_equal(points.get_xdata(), counts[seen])
    with pytest.raises(ValueError, match="counts has the shape"):
        plots.learning_rates(model, counts[1:], ax)


def test_weights(fitted, ax):
    model, _ = fitted
    names = [f"word {j}" for j in range(30)]
    assert plots.weights(model, names, 3, ax) is ax
    widths = [bar.get_width() for bar in ax.patches]
    order = np.sort(model.coef_)
    assert_allclose(widths, [*order[:3], *order[-3:]])
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown[-1] == names[int(np.argmax(model.coef_))]
    with pytest.raises(ValueError, match="2 names for 30"):
        plots.weights(model, ["a", "b"], ax=ax)


def test_trajectories(ax):
    assert plots.trajectories(ax=ax, n_steps=20) is ax
    *paths, gradient = ax.lines
    assert [line.get_label() for line in paths] == ["SGD", "Momentum", "AdaGrad"]
    for path in paths:
        assert_array_equal([path.get_xdata()[0], path.get_ydata()[0]], [-9, 2])
        assert len(path.get_xdata()) == 21
    slope = np.diff(gradient.get_ydata()) / np.diff(gradient.get_xdata())
    assert_allclose(slope, 20 * 2 / -9)
    plots.trajectories({"mine": SGD(0.1)}, start=(1.0, 1.0), n_steps=1, ax=ax)
    assert_allclose(ax.lines[-2].get_xydata(), [[1, 1], [0.9, -1]])


def test_animation_has_a_frame_a_step(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    plots.animate_trajectories(tmp_path / "paths.gif", n_steps=4)
    with image.open(tmp_path / "paths.gif") as gif:
        assert gif.format == "GIF" and gif.n_frames == 5
    assert not plt.get_fignums()
    with pytest.raises(OSError):
        plots.animate_trajectories(tmp_path / "none" / "paths.gif", n_steps=1)
