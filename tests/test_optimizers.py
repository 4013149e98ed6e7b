"""Dense optimisers against torch's, and the kernel against them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse as sp

from sparse_adagrad import SparseAdaGradRegressor
from sparse_adagrad.optimizers import SGD, AdaGrad, Adam, Momentum, RMSProp

PAIRS = [
    (SGD(0.1), lambda torch, p: torch.optim.SGD(p, lr=0.1)),
    (AdaGrad(0.1, 1e-7), lambda torch, p: torch.optim.Adagrad(p, lr=0.1, eps=1e-7)),
    (RMSProp(0.05, 0.9), lambda torch, p: torch.optim.RMSprop(p, lr=0.05, alpha=0.9)),
    (Adam(0.05, 0.8, 0.9), lambda t, p: t.optim.Adam(p, lr=0.05, betas=(0.8, 0.9))),
]


def shapes(seed):
    rng = np.random.default_rng(seed)
    return {"w": rng.normal(size=(3, 4)), "b": rng.normal(size=()), "e": np.zeros(0)}


@pytest.mark.parametrize(
    ("ours", "theirs"), PAIRS, ids=lambda each: type(each).__name__
)
def test_steps_are_those_of_torch(ours, theirs):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    params = shapes(0)
    copies = {n: torch.tensor(p, requires_grad=True) for n, p in params.items()}
    optimizer = theirs(torch, list(copies.values()))
    for step in range(20):
        grads = shapes(step + 1)
        for name, copy in copies.items():
            copy.grad = torch.tensor(grads[name])
        optimizer.step()
        assert ours.update(params, grads) is params
    for name, copy in copies.items():
        assert_allclose(params[name], copy.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_momentum_by_hand():
    params = {"w": np.array([1.0, 2.0])}
    momentum = Momentum(0.1, 0.5)
    momentum.update(params, {"w": np.array([1.0, -2.0])})
    assert_allclose(params["w"], [0.9, 2.2])
    momentum.update(params, {"w": np.array([1.0, 0.0])})
    assert_allclose(params["w"], [0.9 - 0.05 - 0.1, 2.2 + 0.1])


def test_adagrad_by_hand():
    params = {"w": np.array([1.0, 1.0])}
    adagrad = AdaGrad(epsilon=0.0)
    adagrad.update(params, {"w": np.array([3.0, 0.0])})
    assert_allclose(params["w"], [0.99, 1.0])  # a feature without gradient stays
    adagrad.update(params, {"w": np.array([4.0, 0.0])})
    assert_allclose(params["w"], [0.99 - 0.01 * 4 / 5, 1.0])


@pytest.mark.parametrize("optimizer", [SGD, Momentum, AdaGrad, RMSProp, Adam])
def test_what_does_not_fit_changes_nothing(optimizer):
    learner, params = optimizer(), shapes(0)
    learner.update(params, shapes(1))
    before = {name: array.copy() for name, array in params.items()}
    state = {n: {k: a.copy() for k, a in s.items()} for n, s in learner._state.items()}
    good = shapes(2)
    for bad in (
        {"w": good["w"]},
        {**good, "x": good["b"]},
        {**good, "w": np.ones((4, 3))},
        {**good, "e": np.ones(1)},
    ):
        with pytest.raises(ValueError, match="has the"):
            learner.update(params, bad)
    other = {**before, "w": np.ones((2, 2))}
    if state["w"]:
        with pytest.raises(ValueError, match="what is kept of it"):
            learner.update(other, {**good, "w": np.ones((2, 2))})
    with pytest.raises(ValueError, match="floating point"):
        learner.update({"w": np.arange(3)}, {"w": np.ones(3)})
    for name in params:
        assert_array_equal(params[name], before[name])
        for key, kept in state[name].items():
            assert_array_equal(learner._state[name][key], kept)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SGD(0.0), "learning_rate"),
        (lambda: SGD(float("nan")), "learning_rate"),
        (lambda: Momentum(alpha=1.0), "alpha"),
        (lambda: AdaGrad(epsilon=-1.0), "epsilon"),
        (lambda: RMSProp(rho=-0.1), "rho"),
        (lambda: Adam(beta2=2.0), "beta2"),
    ],
)
def test_bad_constants(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("batch_size", [1, 8])
def test_the_kernel_steps_as_the_dense_optimiser(batch_size):
    X = sp.random(60, 20, 0.2, format="csr", random_state=0)
    y = np.random.default_rng(0).normal(size=60)
    model = SparseAdaGradRegressor(
        learning_rate="constant",
        eta0=0.1,
        alpha=0,
        batch_size=batch_size,
        max_iter=3,
        tol=None,
        shuffle=False,
        dtype="float64",
    ).fit(X, y)
    dense, params = X.toarray(), {"w": np.zeros(20), "b": np.zeros(())}
    adagrad = AdaGrad(0.1, 1e-7)
    for start in [*range(0, 60, batch_size)] * 3:
        rows, target = dense[start : start + batch_size], y[start : start + batch_size]
        residual = rows @ params["w"] + params["b"] - target
        grads = {"w": rows.T @ residual / len(rows), "b": residual.mean()}
        adagrad.update(params, grads)
    assert_allclose(model.coef_, params["w"], rtol=1e-10, atol=1e-10)
    assert_allclose(model.intercept_[0], params["b"], rtol=1e-10)
