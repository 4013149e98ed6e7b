"""What users see: streams, stopping, weights, growth, units, scikit-learn's habits."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter
from concurrent.futures import wait
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse as sp
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

from sparse_adagrad import SparseAdaGradRegressor, _layout
from sparse_adagrad._state import ModelState
from sparse_adagrad._training import Trainer


def assert_same(a, b):
    """Two models are the same, bit for bit."""
    for name in ("coef_", "intercept_", "grad_sq_sum_", "t_"):
        assert_array_equal(getattr(a, name), getattr(b, name))


# ------------------------------------------------------------------------- streams


@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs", None])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", ["auto", 0.01])
def test_any_cut_of_a_stream_gives_the_same_bits(
    problem, feature_scaling, dtype, alpha
):
    X, y = problem
    parameters = {"feature_scaling": feature_scaling, "dtype": dtype, "alpha": alpha}
    whole = SparseAdaGradRegressor(**parameters).partial_fit(X, y)
    for size in (1, 7, 64):
        cut = SparseAdaGradRegressor(**parameters)
        for start in range(0, len(y), size):
            cut.partial_fit(X[start : start + size], y[start : start + size])
        assert_same(whole, cut)
        assert len(cut.loss_curve_) == -(-len(y) // size)
        assert_allclose(
            np.average(cut.loss_curve_, weights=np.diff([*range(0, 200, size), 200])),
            whole.loss_curve_[0],
        )


def test_one_epoch_in_order_equals_partial_fit_at_a_constant_rate(problem):
    X, y = problem
    parameters = {"learning_rate": "constant", "alpha": 0.1, "l1_ratio": 0.5}
    parameters["eta0"] = 0.3
    streamed = SparseAdaGradRegressor(**parameters).partial_fit(X, y)
    fitted = SparseAdaGradRegressor(shuffle=False, max_iter=1, **parameters).fit(X, y)
    assert_same(streamed, fitted)


def test_automatic_rates(problem):
    X, y = problem
    for method, eta0 in (("fit", 0.35), ("partial_fit", 0.2)):
        models = [
            getattr(SparseAdaGradRegressor(eta0=rate, random_state=0), method)(X, y)
            for rate in ("auto", eta0, eta0 / 2)
        ]
        assert_same(models[0], models[1])
        assert np.any(models[0].coef_ != models[2].coef_)


def test_progressive_loss_is_of_predictions_made_before_learning(problem):
    X, y = problem
    model = SparseAdaGradRegressor(learning_rate="constant", dtype="float64")
    model.partial_fit(X[:50], y[:50])
    for i in range(50, 60):
        expected = 0.5 * (model.predict(X[i : i + 1])[0] - y[i]) ** 2
        model.partial_fit(X[i : i + 1], y[i : i + 1])
        assert_allclose(model.loss_curve_[-1], expected, rtol=1e-12)


def test_weight_zero_is_no_sample_at_all(problem):
    X, y = problem
    weight = np.ones(len(y))
    weight[::3] = 0
    wild = y.copy()
    wild[::3] = 1e9
    kept = weight > 0
    for method in ("fit", "partial_fit"):
        for batch_size in (1, 8):
            model = SparseAdaGradRegressor(random_state=0, batch_size=batch_size)
            without = clone(model)
            getattr(model, method)(X, wild, weight)
            # The same rows in the same order, from a generator of the same seed.
            if method == "fit":
                model.set_params(shuffle=False).fit(X, wild, weight)
                without.set_params(shuffle=False)
            getattr(without, method)(X[kept], y[kept])
            assert_same(model, without)


def test_a_batch_of_weight_zero_changes_nothing(problem):
    X, y = problem
    model = SparseAdaGradRegressor().partial_fit(X, y)
    before = clone(model).partial_fit(X, y)
    model.partial_fit(X, 1e9 + y, np.zeros(len(y)))
    assert_same(model, before)
    first = SparseAdaGradRegressor().partial_fit(X, y, np.zeros(len(y)))
    assert_array_equal(first.predict(X), 0)
    assert_same(first.partial_fit(X, y), before)


def test_weight_scales_the_gradient(problem):
    X, y = problem
    parameters = {"learning_rate": "constant", "alpha": 0, "dtype": "float64"}
    # AdaGrad's step does not depend on the gradient's scale, but its mixture does.
    model = SparseAdaGradRegressor(**parameters).partial_fit(X, y, 3.0)
    assert_allclose(
        model.coef_,
        SparseAdaGradRegressor(**parameters).partial_fit(X, y).coef_,
        rtol=1e-5,
    )
    uneven = SparseAdaGradRegressor(**parameters).partial_fit(X, y, 1 + np.arange(200))
    assert np.abs(uneven.coef_ - model.coef_).max() > 1e-3


def test_growth(problem):
    X, y = problem
    model = SparseAdaGradRegressor(allow_growth=True)
    wide = SparseAdaGradRegressor()
    narrow = sp.csr_matrix(X[:100, :25])
    model.partial_fit(narrow, y[:100])
    wide.partial_fit(sp.hstack([narrow, sp.csr_matrix((100, 15))], "csr"), y[:100])
    model.partial_fit(X[100:], y[100:])
    wide.partial_fit(X[100:], y[100:])
    assert_same(model, wide)
    assert model.n_features_in_ == 40
    padded = sp.hstack([narrow, sp.csr_matrix((100, 15))], "csr")
    assert_allclose(model.predict(narrow), model.predict(padded), rtol=1e-6)
    for width in range(41, 60):
        model.partial_fit(sp.csr_matrix(np.eye(1, width, width - 1)), [1.0])
        assert model.coef_.shape == (width,)
    with pytest.raises(ValueError, match="61 features"):
        model.predict(sp.csr_matrix((1, 61)))


def test_failed_growth_leaves_no_trace_in_spare_room(problem):
    X, y = problem
    wider = sp.csr_array((X.data, X.indices, X.indptr), shape=(len(y), X.shape[1] + 9))
    models = []
    for fails in (False, True):
        model = SparseAdaGradRegressor(allow_growth=True).partial_fit(X, y)
        # Room for more comes with the first that is added.
        model.partial_fit(wider[:, : X.shape[1] + 1], y)
        if fails:
            model.set_params(initial_accumulator_value=4.0)
            with pytest.raises(ValueError, match=r"overflow|diverged"):
                model.partial_fit(wider, np.where(np.arange(len(y)) == 7, 1e200, y))
            model.set_params(initial_accumulator_value=0.0)
        models.append(model.partial_fit(wider, y))
    assert_array_equal(models[1].grad_sq_sum_, models[0].grad_sq_sum_)


@pytest.mark.parametrize("number", [np.float16, np.float32, np.float64, int])
def test_share_of_l1_is_of_any_type(problem, number):
    X, y = problem
    share = number(1 if number is int else 0.5)
    models = [
        SparseAdaGradRegressor(alpha=0.1, l1_ratio=l1_ratio).partial_fit(X, y)
        for l1_ratio in (share, float(share))
    ]
    assert_array_equal(models[0].coef_, models[1].coef_)


@pytest.mark.parametrize("n_features", [80, 100_000])
def test_failed_growth_leaves_the_model_as_it_was(problem, n_features):
    """Whether there are fewer columns than entries, or more."""
    X, y = problem
    model = SparseAdaGradRegressor(allow_growth=True).partial_fit(X, y)
    before = clone(model).partial_fit(X, y)
    model.set_params(eta0=1e6)
    wider = sp.csr_matrix((X.data, 2 * X.indices, X.indptr), (200, n_features))
    with pytest.raises(ValueError, match="diverged"):
        model.partial_fit(wider, y)
    assert model.n_features_in_ == 40
    assert_same(model, before)


# ----------------------------------------------------------------- units of X and y


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson"])
def test_unit_of_the_weights_does_not_matter(problem, loss):
    """But for eps, which is in the unit of the gradients of weight 1."""
    X, y = problem
    weights = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    new = lambda: SparseAdaGradRegressor(  # noqa: E731
        loss, random_state=0, dtype="float64", eps=1e-12
    )
    expected = new().fit(X, y, weights).predict(X)
    for unit in (1e-4, 1 / len(y), 1e3):
        found = new().fit(X, y, unit * weights).predict(X)
        assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "squared_epsilon_insensitive"]
)
@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs", None])
def test_units_do_not_matter(problem, method, loss, feature_scaling):
    X, y = problem
    new = lambda epsilon: SparseAdaGradRegressor(  # noqa: E731
        loss,
        random_state=0,
        dtype="float64",
        feature_scaling=feature_scaling,
        epsilon=epsilon,
        alpha="auto",
    )
    expected = getattr(new(0.1), method)(X, y).predict(X)
    times = getattr(new(0.1), method)(1000 * X, y).predict(1000 * X)
    assert_allclose(times, expected, rtol=1e-6)
    moved = getattr(new(0.1e6), method)(X, 1e6 * y + 1e6).predict(X)
    assert_allclose((moved - 1e6) / 1e6, expected, rtol=1e-6)


def test_poisson_does_not_mind_the_unit_of_counts(problem):
    X, y = problem
    new = lambda: SparseAdaGradRegressor(  # noqa: E731
        "poisson", random_state=0, dtype="float64"
    )
    y = np.abs(y)
    expected = new().fit(X, y).predict(X)
    assert_allclose(new().fit(X, 1e4 * y).predict(X) / 1e4, expected, rtol=1e-6)
    assert (expected > 0).all()


def test_max_abs_makes_every_column_s_unit_irrelevant(problem):
    X, y = problem
    units = sp.diags(10.0 ** np.random.default_rng(0).uniform(-4, 4, 40))
    for method in ("fit", "partial_fit"):
        new = lambda: SparseAdaGradRegressor(  # noqa: E731
            feature_scaling="max_abs", dtype="float64", random_state=0
        )
        plain = getattr(new(), method)(X, y)
        scaled = getattr(new(), method)(sp.csr_matrix(X @ units), y)
        assert_allclose(scaled.predict(X @ units), plain.predict(X), rtol=1e-6)
        assert_allclose(units @ scaled.coef_, plain.coef_, rtol=1e-5, atol=1e-9)


def test_relabelling_columns_permutes_the_weights(problem):
    X, y = problem
    order = np.random.default_rng(0).permutation(40)
    parameters = {"random_state": 0, "dtype": "float64"}
    model = SparseAdaGradRegressor(**parameters).fit(X, y)
    permuted = SparseAdaGradRegressor(**parameters).fit(X[:, order], y)
    assert_allclose(permuted.coef_, model.coef_[order], rtol=1e-9)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("scale", [1e12, 1e-12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_and_tiny_targets(problem, method, scale, dtype):
    X, y = problem
    model = SparseAdaGradRegressor(random_state=0, dtype=dtype)
    small = getattr(clone(model), method)(X, y).predict(X)
    large = getattr(model, method)(X, scale * y).predict(X)
    assert_allclose(large / scale, small, rtol=1e-3)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("value", [0.0, 3.3, -1e12, 1e-12])
def test_constant_target(problem, method, value):
    X, _ = problem
    for model in (SparseAdaGradRegressor(), SparseAdaGradRegressor(batch_size=7)):
        getattr(model, method)(X, np.full(200, value))
        assert_array_equal(model.predict(X), value)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_smallest_problems(method):
    for X in (sp.csr_matrix([[2.0]]), sp.csr_matrix((1, 1)), sp.csr_matrix((1, 50))):
        model = getattr(SparseAdaGradRegressor(), method)(X, [5.0])
        assert_array_equal(model.predict(X), 5.0)
    empty = sp.csr_matrix((4, 3))
    model = getattr(SparseAdaGradRegressor(), method)(empty, [1.0, 2.0, 3.0, 4.0])
    assert_allclose(model.predict(empty), 2.5, atol=1.0)
    assert_array_equal(model.coef_, 0)


# ---------------------------------------------------------------- stopping and goals


def test_learns_what_there_is_to_learn(problem):
    X, y = problem
    assert SparseAdaGradRegressor(random_state=0).fit(X, y).score(X, y) > 0.95
    # Without an intercept the weights have to carry the mean.
    assert (
        SparseAdaGradRegressor(random_state=0, fit_intercept=False).fit(X, y).intercept_
        == 0
    )


def test_l1_makes_weights_zero(problem):
    X, y = problem
    counts = [
        np.count_nonzero(
            SparseAdaGradRegressor(alpha=alpha, l1_ratio=1.0, random_state=0)
            .fit(X, y)
            .coef_
        )
        for alpha in (0.0, 0.02, 10.0)
    ]
    assert counts[0] == 40 > counts[1] > counts[2] == 0


def test_tol_stops(problem):
    X, y = problem
    eager = SparseAdaGradRegressor(tol=0.5, n_iter_no_change=2, random_state=0)
    assert eager.fit(X, y).n_iter_ < 10
    assert len(eager.loss_curve_) == eager.n_iter_
    assert eager.t_ == eager.n_iter_ * 200
    never = SparseAdaGradRegressor(tol=None, max_iter=30, random_state=0).fit(X, y)
    assert never.n_iter_ == 30


def test_early_stopping_holds_out_rows_and_returns_to_the_best(problem):
    X, y = problem
    noise = np.random.default_rng(0).normal(size=200) * 5
    model = SparseAdaGradRegressor(
        early_stopping=True,
        alpha=0,
        max_iter=50,
        tol=0,
        n_iter_no_change=3,
        random_state=0,
        validation_fraction=0.25,
    ).fit(X, y + noise)
    curve = model.validation_loss_curve_
    assert len(curve) == model.n_iter_ < 50
    best = int(np.argmin(curve))
    assert best == model.n_iter_ - 4
    assert model.t_ == (best + 1) * 150


def test_validation_data_of_the_user(problem):
    X, y = problem
    model = SparseAdaGradRegressor(random_state=0).fit(
        X[:150], y[:150], X_val=X[150:], y_val=y[150:]
    )
    assert model.n_iter_ == 10 == len(model.validation_loss_curve_)
    expected = 0.5 * np.mean((model.predict(X[150:]) - y[150:]) ** 2)
    assert_allclose(model.validation_loss_curve_[-1], expected, rtol=1e-6)
    stopped = SparseAdaGradRegressor(
        random_state=0, early_stopping=True, tol=0.9, n_iter_no_change=1
    ).fit(X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    assert stopped.n_iter_ < 10
    assert stopped.t_ % 150 == 0


def test_warm_start_goes_on(problem):
    X, y = problem
    parameters = {"tol": None, "shuffle": False, "alpha": 0.01}
    whole = SparseAdaGradRegressor(max_iter=6, **parameters).fit(X, y)
    parts = SparseAdaGradRegressor(max_iter=3, warm_start=True, **parameters)
    parts.fit(X, y).fit(X, y)
    assert_same(parts, whole)
    assert len(parts.loss_curve_) == 6
    cold = SparseAdaGradRegressor(max_iter=3, **parameters).fit(X, y).fit(X, y)
    assert len(cold.loss_curve_) == 3


def test_fit_forgets_and_random_state_repeats(problem):
    X, y = problem
    model = SparseAdaGradRegressor(random_state=3).fit(X, 100 - y)
    assert_same(model.fit(X, y), SparseAdaGradRegressor(random_state=3).fit(X, y))
    other = SparseAdaGradRegressor(random_state=4).fit(X, y)
    assert np.any(other.coef_ != model.coef_)


def test_verbose_prints_a_line_an_epoch(problem, capsys):
    X, y = problem
    SparseAdaGradRegressor(verbose=1, max_iter=3, random_state=0).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("-- epoch 3: progressive loss ")
    assert lines[2].endswith("rows/s")


# ---------------------------------------------------------------------- interrupts


def interrupt_soon(seconds):
    # A shell's background jobs are started with the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


@pytest.fixture
def long_problem():
    X = sp.random(20_000, 500, 0.1, format="csr", random_state=0)
    return X, np.asarray(X.sum(axis=1)).ravel()


def test_interrupted_fit_stops_soon_and_keeps_what_it_saw(long_problem):
    X, y = long_problem
    model = SparseAdaGradRegressor(max_iter=10_000, tol=None)
    interrupt_soon(0.5)
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    # Not a target of speed: a fit to its end takes minutes.
    assert time.perf_counter() - start < 10
    assert model.t_ > 0
    assert model.score(X, y) > 0.5
    model.partial_fit(X, y)


def test_interrupted_partial_fit_leaves_the_model_as_it_was(long_problem):
    X, y = long_problem
    model = SparseAdaGradRegressor().partial_fit(X[:10], y[:10])
    before = pickle.dumps(model.__dict__)
    # One call of a few seconds: the same million entries over and over.
    many = sp.vstack([X] * 60, format="csr")
    targets = np.tile(y, 60)
    interrupt_soon(0.3)
    with pytest.raises(KeyboardInterrupt):
        for _ in range(100):
            kept = pickle.dumps(model.__dict__)
            model.partial_fit(many, targets)
    assert pickle.dumps(model.__dict__) == kept
    assert before


# ------------------------------------------------------- at home in scikit-learn


def test_matrix_is_used_in_place_and_kept(problem):
    X, y = problem
    kinds = [
        X, sp.csr_array(X), sp.csc_matrix(X), sp.coo_array(X), sp.lil_matrix(X),
        X.toarray(), pd.DataFrame.sparse.from_spmatrix(X), sp.bsr_matrix(X),
    ]  # fmt: skip
    expected = SparseAdaGradRegressor(random_state=0).fit(X, y)
    for kind in kinds:
        model = SparseAdaGradRegressor(random_state=0).fit(kind, y)
        assert_allclose(model.coef_, expected.coef_, rtol=1e-5)
        assert_allclose(model.predict(kind), expected.predict(X), rtol=1e-6)


def test_integer_matrix_and_targets(problem):
    X, y = problem
    X = X.copy()
    X.data = np.ceil(4 * X.data)
    expected = SparseAdaGradRegressor(random_state=0).fit(X, np.round(y))
    model = SparseAdaGradRegressor(random_state=0)
    assert_same(model.fit(X.astype(np.int64), np.round(y).astype(int)), expected)


def test_unsorted_rows_are_read_as_they_are(problem):
    X, y = problem
    mixed = X[:, ::-1][:, ::-1]
    mixed.indices[: mixed.indptr[1]] = mixed.indices[: mixed.indptr[1]][::-1]
    mixed.data[: mixed.indptr[1]] = mixed.data[: mixed.indptr[1]][::-1]
    mixed.has_sorted_indices = False
    indices = mixed.indices.copy()
    model = SparseAdaGradRegressor(random_state=0, dtype="float64").fit(mixed, y)
    expected = SparseAdaGradRegressor(random_state=0, dtype="float64").fit(X, y)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
    assert_array_equal(mixed.indices, indices)


def test_feature_names(problem):
    X, y = problem
    frame = pd.DataFrame(X.toarray(), columns=[f"w{j}" for j in range(40)])
    model = SparseAdaGradRegressor(random_state=0).fit(frame, y)
    assert list(model.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"w0": "other"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def test_shapes_of_outputs(problem):
    X, y = problem
    one = SparseAdaGradRegressor().fit(X, y)
    assert one.coef_.shape == (40,) and one.intercept_.shape == (1,)
    column = SparseAdaGradRegressor().fit(X, y[:, None])
    assert column.coef_.shape == (1, 40) and column.predict(X).shape == (200, 1)
    two = SparseAdaGradRegressor().fit(X, np.column_stack([y, y]))
    assert two.coef_.shape == (2, 40) == two.grad_sq_sum_.shape
    assert two.predict(X).shape == (200, 2) and two.intercept_.shape == (2,)


def test_nothing_is_there_before_fit():
    model = SparseAdaGradRegressor()
    for name in ("coef_", "intercept_", "grad_sq_sum_", "t_", "n_iter_"):
        assert not hasattr(model, name)


def test_pickle_and_joblib_go_on_with_the_same_bits(problem, tmp_path):
    X, y = problem
    model = SparseAdaGradRegressor().partial_fit(X[:100], y[:100])
    joblib.dump(model, tmp_path / "model")
    copies = [pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model")]
    model.partial_fit(X[100:], y[100:])
    for copy in copies:
        assert_same(copy.partial_fit(X[100:], y[100:]), model)


def test_grid_search_in_two_processes(problem):
    X, y = problem
    # More than a megabyte, so that joblib hands the workers a read-only memory map.
    X, y = sp.vstack([X] * 100, format="csr"), np.tile(y, 100)
    search = GridSearchCV(
        SparseAdaGradRegressor(max_iter=2, random_state=0),
        {"eta0": [1e-4, 0.2]},
        n_jobs=2,
        cv=2,
    )
    assert search.fit(X, y).best_params_ == {"eta0": 0.2}


def test_read_only_memory_map(problem, tmp_path):
    X, y = problem
    joblib.dump((X, y), tmp_path / "data")
    mapped, target = joblib.load(tmp_path / "data", mmap_mode="r")
    assert not mapped.data.flags.writeable
    for method in ("fit", "partial_fit"):
        model = getattr(SparseAdaGradRegressor(random_state=0), method)
        expected = getattr(SparseAdaGradRegressor(random_state=0), method)(X, y)
        assert_same(model(mapped, target), expected)


def bag_of_words(n_rows, n_columns=3000, seed=0):
    """Rows of some 20 words, few of them frequent, of length 1; a noisy target."""
    rng = np.random.default_rng(seed)
    words = np.minimum(rng.pareto(0.7, n_rows * 20).astype(int), n_columns - 1)
    X = sp.csr_matrix(
        (rng.random(len(words)) + 0.5, words, np.arange(0, len(words) + 1, 20)),
        shape=(n_rows, n_columns),
    )
    X.sum_duplicates()
    X = normalize(X).astype(np.float32)
    return X, X @ np.random.default_rng(1).normal(size=n_columns) + rng.normal(
        scale=0.3, size=n_rows
    )


def rmse(model, X, y):
    return np.sqrt(np.mean((model.predict(X) - y) ** 2))


def ask_in_time(self, state, *, blocking, ask=_layout.LayoutToCome.ask):
    """Have the layout at the second look, whatever else the machine does."""
    if self._places is not None:
        wait([self._places])
    return ask(self, state, blocking=blocking)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"batch_size": 16}, {"shuffle": False}, {"early_stopping": True}],
    ids=str,
)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_threads_learn_one_model(monkeypatch, parameters, n_outputs):
    # So few rows would be left to one thread.
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    X, y = bag_of_words(12_000)
    target = y if n_outputs == 1 else np.column_stack([y, -2 * y, y + 5])
    parameters = {"random_state": 0, "max_iter": 8, **parameters}
    alone = SparseAdaGradRegressor(**parameters).fit(X[:10_000], target[:10_000])
    rows = learners_by_rows(monkeypatch)
    monkeypatch.setattr(_layout.LayoutToCome, "ask", ask_in_time)
    many = SparseAdaGradRegressor(n_jobs=3, **parameters)
    many.fit(X[:10_000], target[:10_000])
    # The caller's begins, and then waits, ready for an interrupt.
    assert len(set(rows) - {threading.get_ident()}) == 3
    n_epochs, n_rows = many.n_iter_, 10_000
    if "early_stopping" in parameters:
        # The model is that of the best epoch.
        n_epochs, n_rows = 1 + np.argmin(many.validation_loss_curve_), 9_000
    assert many.t_ == n_epochs * n_rows
    held_out = X[10_000:], target[10_000:]
    assert rmse(many, *held_out) <= 1.005 * rmse(alone, *held_out)
    # Of twelve seeds in batches of 16, 4.4 % above on average, and 7 % at most.
    assert_allclose(many.loss_curve_[0], alone.loss_curve_[0], rtol=0.08)


@pytest.fixture
def made_beside(monkeypatch):
    """A layout that is made once it is released, or not at all: the stops that came."""
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    monkeypatch.setattr(Trainer, "_rows_at_once", lambda self: 100)
    find = _layout.find_places
    made = SimpleNamespace(released=threading.Event(), stops=[])

    def find_later(rows, parts, n_threads, is_stopped):
        while not (made.released.wait(0.01) or is_stopped()):
            pass
        made.stops.append(is_stopped())
        return find(rows, parts, n_threads)

    monkeypatch.setattr(_layout, "find_places", find_later)
    return made


def learners_by_rows(monkeypatch, then=lambda n_rows: None):
    """Rows that each thread learns from; `then` is called before, with how many."""
    learn, rows = Trainer._learn, Counter()

    def watched(self, order, first, last, *others):
        then(rows.total())
        learn(self, order, first, last, *others)
        rows[threading.get_ident()] += last - first

    monkeypatch.setattr(Trainer, "_learn", watched)
    return rows


def test_one_thread_learns_until_there_is_a_layout(monkeypatch, made_beside):
    def release(n_rows):
        if n_rows == 2500 and not made_beside.released.is_set():
            made_beside.released.set()
            wait([to_come[0]._places])

    X, y = bag_of_words(1_000)
    to_come, ask = [], _layout.LayoutToCome.ask
    monkeypatch.setattr(
        _layout.LayoutToCome,
        "ask",
        lambda self, *state, **how: to_come.append(self) or ask(self, *state, **how),
    )
    rows = learners_by_rows(monkeypatch, release)
    model = SparseAdaGradRegressor(n_jobs=2, max_iter=5, tol=None, random_state=0)
    model.fit(X, y)
    assert rows[threading.get_ident()] == 2600
    assert rows.total() == model.t_ == 5000
    # What is left of the epoch is shared as evenly as the others.
    assert sorted(rows.values()) == [1200, 1200, 2600]
    alone = SparseAdaGradRegressor(max_iter=5, tol=None, random_state=0).fit(X, y)
    assert rmse(model, X, y) <= 1.05 * rmse(alone, X, y)


def test_a_fit_may_end_before_there_is_a_layout(made_beside):
    X, y = bag_of_words(1_000)
    model = SparseAdaGradRegressor(n_jobs=2, max_iter=5, tol=None).fit(X, y)
    assert model.t_ == 5000
    assert made_beside.stops == [True]


def test_an_interrupt_ends_what_makes_a_layout(monkeypatch, made_beside):
    def interrupt(n_rows):
        if n_rows == 300:
            raise KeyboardInterrupt

    X, y = bag_of_words(1_000)
    model = SparseAdaGradRegressor(n_jobs=2, max_iter=5, tol=None)
    learners_by_rows(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert made_beside.stops == [True]
    assert model.t_ == 300


def test_a_fit_goes_on_when_the_interpreter_ends():
    """Where no more threads are to be had: one that has them, and one that has none."""
    fit = """
import atexit, threading
import numpy as np
import scipy.sparse as sp
from sparse_adagrad import SparseAdaGradRegressor, _layout

_layout.ENTRIES_PER_THREAD = 1 << 10
X = sp.random_array((20_000, 500), density=0.02, rng=0, format="csr")
begun = threading.Event()

class Begun:
    def setup(self, estimator, context): pass
    def teardown(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context, **given): pass
    def on_fit_task_end(self, estimator, context, **given):
        begun.set()

def fit():
    model = SparseAdaGradRegressor(n_jobs=2, max_iter=60, tol=None, random_state=0)
    print(model.set_callbacks(Begun()).fit(X, X.sum(axis=1)).t_)

atexit.register(fit)
threading.Thread(target=fit).start()
begun.wait()
"""
    done = subprocess.run(
        [sys.executable, "-c", fit], capture_output=True, text=True, timeout=300
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["1200000"] * 2


def test_a_layout_that_cannot_be_made_fails_the_fit(monkeypatch, made_beside):
    def fail(*_):
        raise MemoryError("no room for the places")

    X, y = bag_of_words(1_000)
    model = SparseAdaGradRegressor(n_jobs=2, max_iter=50, tol=None)
    monkeypatch.setattr(_layout, "find_places", fail)
    with pytest.raises(MemoryError, match="no room"):
        model.fit(X, y)
    assert not hasattr(model, "n_iter_")


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_threads_come_as_far_at_a_constant_rate(monkeypatch, n_jobs):
    """Whatever they have learned apart of a mean that is far from 0 adds up."""
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    X, y = bag_of_words(10_000)
    parameters = {"learning_rate": "constant", "eta0": 0.1, "random_state": 0}
    alone = SparseAdaGradRegressor(**parameters).fit(X, y + 100)
    many = SparseAdaGradRegressor(n_jobs=n_jobs, **parameters).fit(X, y + 100)
    assert 0.9 * alone.intercept_[0] < many.intercept_[0] < 100
    assert rmse(many, X, y + 100) <= 1.5 * rmse(alone, X, y + 100)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"feature_scaling": None, "initial_accumulator_value": 0.1},
        {"batch_size": 7, "loss": "huber", "l1_ratio": 0.5},
        {"early_stopping": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_many_features_are_laid_out_without_a_trace(monkeypatch, parameters, n_outputs):
    X, y = bag_of_words(400)
    X.data[::17] = 0.0  # entries that are stored though they are 0
    X.data[X.indices < 5] = 0.0
    target = y if n_outputs == 1 else np.column_stack([y, -2 * y, y + 5])
    weights = np.arange(400) % 3
    parameters = {"random_state": 0, "max_iter": 6, "warm_start": True, **parameters}
    plain, laid_out = (SparseAdaGradRegressor(**parameters) for _ in range(2))
    for _ in range(2):
        plain.fit(X, target, weights)
    used = []
    of = _layout.Layout.of
    monkeypatch.setattr(
        _layout.Layout, "of", lambda *given: used.append(given) or of(*given)
    )
    monkeypatch.setattr("sparse_adagrad.regressor.MANY_FEATURES", 1)
    for _ in range(2):
        laid_out.fit(X, target, weights)
    assert len(used) == 2
    assert_same(laid_out, plain)
    assert_array_equal(laid_out.coef_, plain.coef_)
    assert_array_equal(laid_out.predict(X), plain.predict(X))


def test_many_features_without_entries():
    X = sp.csr_matrix((10, _layout.MANY_FEATURES), dtype=np.float32)
    model = SparseAdaGradRegressor().fit(X, np.arange(10.0))
    assert_allclose(model.predict(X[:2]), 4.5, rtol=0.2)
    assert not model.coef_.any()


@pytest.mark.parametrize("n_jobs", [4, 40])
def test_more_threads_than_rows_learn_from_no_others(monkeypatch, n_jobs):
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1)
    X, y = bag_of_words(12)
    weights = np.arange(12) % 2
    parameters = {"random_state": 0, "tol": None, "n_jobs": n_jobs}
    model = SparseAdaGradRegressor(**parameters).fit(X, y, weights)
    assert model.t_ == 10 * 6


def test_one_thread_is_deterministic():
    X, y = bag_of_words(5_000)
    fits = [
        SparseAdaGradRegressor(random_state=0, max_iter=3, n_jobs=n_jobs).fit(X, y)
        for n_jobs in (None, None, 1)
    ]
    assert_same(fits[0], fits[1])
    assert_same(fits[0], fits[2])


def test_overflow_in_a_thread_leaves_the_model_as_it_was(monkeypatch):
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    X, y = bag_of_words(10_000)
    model = SparseAdaGradRegressor(random_state=0, max_iter=5, n_jobs=2).fit(X, y)
    before = clone(model).set_params(n_jobs=None)
    before.__dict__.update(pickle.loads(pickle.dumps(model)).__dict__)
    model.set_params(learning_rate="constant", eta0=1e38, alpha=0.0)
    with pytest.raises(ValueError, match="overflow at row"):
        model.fit(X, y * 1e30)
    assert_same(model, before)


def test_shuffling_serves_data_sorted_by_target():
    X, y = bag_of_words(12_000)
    # Grades of 1 to 10, all rows of one after all of the last, as in film reviews.
    grades = 1 + np.floor(10 * np.argsort(np.argsort(y)) / len(y))
    train, held_out = np.arange(10_000), np.arange(10_000, 12_000)
    errors = []
    for order in (train, train[np.argsort(grades[train], kind="stable")]):
        model = SparseAdaGradRegressor(random_state=0).fit(X[order], grades[order])
        errors.append(rmse(model, X[held_out], grades[held_out]))
    assert errors[1] <= 1.005 * errors[0]
    unshuffled = SparseAdaGradRegressor(shuffle=False).fit(X[order], grades[order])
    assert rmse(unshuffled, X[held_out], grades[held_out]) > 1.05 * errors[0]


@pytest.mark.parametrize("n_jobs", [2, 7, -1])
@pytest.mark.parametrize("n_columns", [40, 100_000])
def test_threads_predict_the_same(problem, n_jobs, n_columns):
    X, y = problem
    # Wider than it has entries, the weights are read entry by entry.
    X = sp.hstack([X, sp.csr_matrix((200, n_columns - 40))], format="csr")
    X = sp.vstack([X, sp.csr_matrix((30, n_columns))], format="csr")
    y = np.column_stack([np.append(y, np.zeros(30))] * 2)
    model = SparseAdaGradRegressor(random_state=0).fit(X, y)
    alone = model.predict(X)
    assert_array_equal(model.set_params(n_jobs=n_jobs).predict(X), alone)
    assert_allclose(alone, X @ model.coef_.T + model.intercept_, rtol=1e-4)
    for rows in (X[:1], X[-1:]):
        assert_allclose(model.predict(rows)[0], alone[0 if rows.nnz else -1], rtol=1e-5)


def test_pipeline():
    texts = ["good film", "bad film", "very good", "very bad"]
    pipeline = make_pipeline(TfidfVectorizer(), SparseAdaGradRegressor(random_state=0))
    guess = pipeline.fit(texts, [9.0, 2.0, 10.0, 1.0]).predict(["good", "bad"])
    assert guess[0] > 5.5 > guess[1]


def test_callbacks(problem):
    X, y = problem
    monitor = ScoringMonitor(scoring="r2")
    model = SparseAdaGradRegressor(max_iter=4, random_state=0).set_callbacks(monitor)
    model.fit(X, y)
    logs = monitor.get_logs()
    scores = [row["r2"] for row in logs.data if row["task_name"].startswith("epoch")]
    assert len(scores) == 4
    # Each score is of the model as it was after that epoch.
    assert_allclose(scores[-1], model.score(X, y), rtol=1e-9)
    assert scores[0] < scores[-1]


class StopAfterTwo:
    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...
    def on_fit_task_end(self, estimator, context):
        return estimator.n_iter_ == 2


def test_a_callback_may_stop_the_fit(problem):
    X, y = problem
    model = SparseAdaGradRegressor().set_callbacks(StopAfterTwo())
    assert model.fit(X, y).n_iter_ == 2


def test_memory_of_the_state(problem):
    X, y = problem
    for dtype, size in (("float32", 4), ("float64", 8)):
        for feature_scaling, numbers in (("auto", 3), (None, 2)):
            state = (
                SparseAdaGradRegressor(feature_scaling=feature_scaling, dtype=dtype)
                .fit(X, y)
                ._state
            )
            assert state.pairs.nbytes + state.column_max.nbytes == 40 * numbers * size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weight_of_an_unseen_feature_does_not_move_while_gradients_fade(dtype):
    X = sp.csr_array(np.array([[1.0, 1.0], *[[0.0, 1.0]] * 5000]))
    y = np.r_[3.0, np.random.default_rng(0).normal(size=5000)]
    model = SparseAdaGradRegressor(
        learning_rate="constant", decay=0.2, dtype=dtype, fit_intercept=False
    )
    model.partial_fit(X[:1], y[:1])
    weight = model.coef_[0]
    assert weight != 0
    model.partial_fit(X[1:], y[1:])  # 1600 powers of two
    assert_allclose(model.coef_[0], weight, rtol=1e-6)
    assert np.isfinite(model.coef_[1])


def interrupt_after(monkeypatch, n_rows):
    """Let Ctrl-C come once so many rows have been learned from, in portions of 100."""
    learn = Trainer._learn

    def interrupted(self, order, first, *others):
        if first > n_rows:
            raise KeyboardInterrupt
        learn(self, order, first, *others)

    monkeypatch.setattr(Trainer, "_learn", interrupted)
    monkeypatch.setattr(Trainer, "_rows_at_once", lambda self: 100)


@pytest.mark.parametrize("n_features", [3_000, 500_000])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_refused_batch_leaves_the_model_as_it_was(monkeypatch, n_features, decay):
    """Whether there are fewer columns than entries, or more."""
    X, y = bag_of_words(600)
    X = sp.csr_matrix((X.data, X.indices, X.indptr), (600, n_features))
    model = SparseAdaGradRegressor(decay=decay).partial_fit(X, y)
    before = clone(model).partial_fit(X, y)
    interrupt_after(monkeypatch, 300)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, -y)
    monkeypatch.undo()
    assert_array_equal(model.coef_, before.coef_)
    assert_allclose(model.grad_sq_sum_, before.grad_sq_sum_)
    rtol = 1e-5 if decay else 0
    model.partial_fit(X, y)
    assert_allclose(model.coef_, before.partial_fit(X, y).coef_, rtol=rtol)


def test_an_interrupt_while_a_batch_is_taken_back_leaves_no_half_of_it(monkeypatch):
    X, y = bag_of_words(600)
    model = SparseAdaGradRegressor().partial_fit(X, y)
    before = pickle.dumps(model.__dict__)
    interrupt_after(monkeypatch, 300)
    forget, times = ModelState.forget, []

    def interrupted(self):
        times.append(1)
        # Not the first time, which is when the batch begins.
        if 1 < len(times) < 4:
            raise KeyboardInterrupt
        forget(self)

    monkeypatch.setattr(ModelState, "forget", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, -y)
    assert len(times) == 4
    assert pickle.dumps(model.__dict__) == before


def test_a_second_interrupt_reverts_a_fit_at_once_or_not_at_all(long_problem):
    """Wherever it comes on the way out: nothing is left to the garbage collector."""
    X, y = long_problem
    X, y = X[:2000], y[:2000]
    gc.disable()
    try:
        for count in range(1, 60):
            model = SparseAdaGradRegressor(max_iter=1000, tol=None, random_state=0)
            calls = []

            def interrupt_again(frame, event, argument, calls=calls, count=count):
                if Path(frame.f_code.co_filename).parent.name in ("tests", "callback"):
                    return
                calls.append(event)
                if len(calls) == count:
                    sys.setprofile(None)
                    raise KeyboardInterrupt

            def run(*arguments, interrupt_again=interrupt_again):
                sys.setprofile(interrupt_again)
                raise KeyboardInterrupt

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Trainer, "run_measuring", run)
                try:
                    model.fit(X, y)
                except KeyboardInterrupt as raised:
                    sys.setprofile(None)
                    kept = model._state
                    del raised
            assert model._state is kept
    finally:
        sys.setprofile(None)
        gc.enable()
    assert len(calls) < count, "there were more places to interrupt"


def test_a_coefficient_beyond_all_numbers_spoils_no_prediction():
    rng = np.random.default_rng(0)
    X = sp.csr_array((rng.random((300, 40)) < 0.2) * np.float32(1e-37))
    y = 1e3 * rng.normal(size=300)
    model = SparseAdaGradRegressor(feature_scaling="max_abs", max_iter=2).fit(X, y)
    few = np.concatenate([model.predict(X[i : i + 1]) for i in range(300)])
    with np.errstate(over="ignore"):
        assert np.isinf(model.coef_).any()
        assert_allclose(model.predict(X), few)


class AtEpochEnds:
    """A callback that calls a function with the estimator after each epoch."""

    def __init__(self, function):
        self.function = function

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **given):
        pass

    def on_fit_task_end(self, estimator, context, **given):
        self.function(estimator)


@pytest.mark.parametrize("n_jobs", [1, 3])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_error_holds_neither_rows_nor_threads(monkeypatch, kind, n_jobs):
    """Nor is anything left to the garbage collector."""
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    monkeypatch.setattr(_layout.LayoutToCome, "ask", ask_in_time)
    X, y = bag_of_words(12_000)
    rows = weakref.ref(X.data)

    def fail(estimator):
        if estimator.n_iter_ == 3:
            raise kind

    model = SparseAdaGradRegressor(n_jobs=n_jobs).set_callbacks(AtEpochEnds(fail))
    before = set(threading.enumerate())
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(kind) as kept:
            model.fit(X, y)
        # Threads of the team end, though the error is kept.
        for thread in set(threading.enumerate()) - before:
            if not thread.name.startswith("sparse_adagrad_"):  # those that stay
                thread.join(timeout=60)
                assert not thread.is_alive()
        del kept, X
        assert rows() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_callback_finds_the_model_as_it_is(monkeypatch, n_jobs):
    """Though its features lie elsewhere."""
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    monkeypatch.setattr(_layout.LayoutToCome, "ask", ask_in_time)
    monkeypatch.setattr("sparse_adagrad.regressor.MANY_FEATURES", 1)
    X, y = bag_of_words(10_000)
    errors = []
    look = AtEpochEnds(lambda model: errors.append(rmse(model, X, y)))
    model = SparseAdaGradRegressor(max_iter=8, tol=None, n_jobs=n_jobs, random_state=0)
    model.set_callbacks(look).fit(X, y)
    assert len(errors) == 9  # the fit's own end, too
    assert errors[-1] == errors[-2] == rmse(model, X, y)
    assert (np.diff(errors[:4]) < 0).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_at_the_end_keeps_what_was_learned(monkeypatch, n_jobs):
    monkeypatch.setattr(_layout, "ENTRIES_PER_THREAD", 1 << 12)
    monkeypatch.setattr(_layout.LayoutToCome, "ask", ask_in_time)
    monkeypatch.setattr("sparse_adagrad.regressor.MANY_FEATURES", 1)
    publish, times = _layout.Layout.publish, []

    def interrupted(self):
        times.append(1)
        if len(times) < 3:
            raise KeyboardInterrupt
        publish(self)

    X, y = bag_of_words(10_000)
    monkeypatch.setattr(_layout.Layout, "publish", interrupted)
    model = SparseAdaGradRegressor(max_iter=8, tol=None, n_jobs=n_jobs)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert len(times) == 3
    assert model.n_iter_ == 8
    assert rmse(model, X, y) < 0.8 * y.std()


@pytest.mark.filterwarnings("always")
def test_a_fit_that_diverges_warns_where_it_was_called():
    X, y = bag_of_words(200)
    # Of a hundred seeds three do not diverge that far.
    model = SparseAdaGradRegressor(
        learning_rate="constant", eta0=100.0, max_iter=2, tol=None, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="diverged or did not learn") as seen:
        model.fit(X, y)
    assert seen[0].filename == __file__


@pytest.mark.parametrize("feature_scaling", ["auto", "max_abs", None])
@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_interrupted_batch_is_undone_to_the_bit(
    monkeypatch, n_outputs, batch_size, feature_scaling
):
    """Rows that share columns, some of weight 0, one of them not reached."""
    rng = np.random.default_rng(0)
    X = sp.random(600, 100, 0.1, format="csr", random_state=0)
    X.data *= 10.0 ** rng.integers(-2, 3, X.nnz)
    X = sp.csr_matrix((X.data, 100 * X.indices, X.indptr), (600, 10_000))
    y = rng.normal(size=(600, n_outputs)) + X[:, :200].sum(axis=1)
    weights = rng.integers(0, 3, 600).astype(float)
    model = SparseAdaGradRegressor(
        batch_size=batch_size, feature_scaling=feature_scaling
    )
    model.partial_fit(X[:100], np.asarray(y[:100]), weights[:100])
    before = pickle.dumps(model.__dict__)
    coef = model.coef_
    interrupt_after(monkeypatch, 250)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(100 * X, np.asarray(y), weights)
    assert pickle.dumps(model.__dict__) == before
    # The test is of rows that did change it.
    monkeypatch.undo()
    model.partial_fit(100 * X, np.asarray(y), weights)
    assert (model.coef_ != coef).any()


def states_are_equal(one, other):
    for name in ("pairs", "column_max", "totals", "outputs", "bins"):
        ours, theirs = (getattr(model._state, name) for model in (one, other))
        assert ours.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("n_rows", [40, 1_500, 4_000])
@pytest.mark.parametrize("width", [2_000, 3_000])
def test_refused_batch_is_undone_where_the_past_fades(n_rows, width):
    """By so many octaves that columns without entries in it lose all their digits."""
    rng = np.random.default_rng(0)
    model = SparseAdaGradRegressor(decay=0.05, alpha=1e-3, allow_growth=True)
    X = sp.random(300, 2_000, 0.002, format="csr", random_state=0)
    model.partial_fit(X, rng.normal(size=300))
    before = pickle.loads(pickle.dumps(model))
    wider = sp.random(n_rows, width, 0.0005, format="csr", random_state=1)
    y = rng.normal(size=n_rows)
    y[-1] = 1e300
    with pytest.raises(ValueError, match="overflow"):
        model.partial_fit(wider, y)
    states_are_equal(model, before)
    model.partial_fit(X, y[0] + rng.normal(size=300))
    assert np.isfinite(model.coef_).all()


def test_columns_that_come_late_start_alike_with_a_file_between(tmp_path):
    rng = np.random.default_rng(0)
    model = SparseAdaGradRegressor(
        decay=0.05, allow_growth=True, initial_accumulator_value=1.0
    )
    for width in (10, 11):
        model.partial_fit(sp.csr_matrix(rng.random((100, width))), rng.random(100))
    model.save(tmp_path / "m")
    loaded = SparseAdaGradRegressor.load(tmp_path / "m")
    X, y = sp.csr_matrix(rng.random((100, 12))), rng.random(100)
    assert_array_equal(model.partial_fit(X, y).coef_, loaded.partial_fit(X, y).coef_)


def test_refused_rows_without_entries_leave_the_model_as_it_was(problem):
    X, y = problem[0], np.abs(problem[1])
    model = SparseAdaGradRegressor("poisson", learning_rate="constant")
    model.partial_fit(X, y)
    before = model.intercept_
    model.set_params(eta0=1e6)
    with pytest.raises(ValueError, match="eta0"):
        model.partial_fit(sp.csr_matrix(X.shape), y + 1e3)
    assert_array_equal(model.intercept_, before)


def test_mini_batch_that_overflows_leaves_no_trace(problem):
    X, y = problem[0], np.abs(problem[1])
    model = SparseAdaGradRegressor("poisson", learning_rate="constant", batch_size=7)
    model.partial_fit(X, y)
    before = pickle.loads(pickle.dumps(model))
    model.set_params(eta0=1e6)
    with pytest.raises(ValueError, match="eta0"):
        model.partial_fit(X, y)
    model.set_params(eta0=before.eta0)
    assert_array_equal(model.coef_, before.coef_)
    # Features that were taken for active ones would not be stepped.
    assert_array_equal(model.partial_fit(X, y).coef_, before.partial_fit(X, y).coef_)


def test_fading_follows_weights_that_change():
    X, y = bag_of_words(8_000)
    y = y - y.mean()
    y[4_000:] *= -1
    losses = []
    for decay in (0.0, 1e-3):
        model = SparseAdaGradRegressor(decay=decay)
        for start in range(0, 8_000, 500):
            model.partial_fit(X[start : start + 500], y[start : start + 500])
        losses.append(model.loss_curve_)
    assert losses[1][-1] < 0.9 * losses[0][-1]


def test_fading_is_not_turned_on_or_off(problem):
    X, y = problem[:2]
    for first, second in ((0.0, 0.1), (0.1, 0.0)):
        model = SparseAdaGradRegressor(decay=first).partial_fit(X, y)
        coef = model.coef_
        with pytest.raises(ValueError, match=r"decay=.*fitted with"):
            model.set_params(decay=second).partial_fit(X, y)
        assert_array_equal(model.coef_, coef)
    with pytest.raises(ValueError, match=r"decay=0.5.*batch_size=1000"):
        SparseAdaGradRegressor(decay=0.5, batch_size=1000).fit(X, y)


def test_a_call_does_not_read_what_all_calls_have_left(problem):
    """Or a stream's calls would take the longer, the more there have been."""

    class Unread(list):
        def __iter__(self):
            raise AssertionError("the curve has been read")

    X, y = problem
    model = SparseAdaGradRegressor().partial_fit(X, y)
    model.loss_curve_ = curve = Unread([1.0, 2.0])
    model.partial_fit(X, y)
    assert len(curve) == 3
    with pytest.raises(ValueError):
        model.partial_fit(X, np.full(len(y), 1e300))
    assert model.loss_curve_ is curve
    assert len(curve) == 3
