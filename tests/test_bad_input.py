"""Bad input raises what names the fault, and changes nothing."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse as sp

from sparse_adagrad import SparseAdaGradRegressor


def matrix(**arrays):
    """2 x 3 CSR with some of its arrays replaced, as SciPy lets one do."""
    X = sp.csr_matrix(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))
    for name, array in arrays.items():
        setattr(X, name, np.asarray(array))
    return X


GOOD = matrix()
Y = np.array([1.0, 2.0])

BAD_MATRICES = {
    "indptr starts at 1": (matrix(indptr=[1, 2, 3]), "start at 0.*starts at 1"),
    "indptr falls": (matrix(indptr=[0, 3, 2]), "falls from 3 to 2 at row 1"),
    "indptr below 0": (matrix(indptr=[0, -1, 3]), "falls from 0 to -1 at row 0"),
    "indptr beyond the data": (matrix(indptr=[0, 2, 9]), "reaches 9 at row 1"),
    "indptr huge": (matrix(indptr=[0, 2**40, 2**41]), "beyond the 3 values"),
    "indptr too short": (matrix(indptr=[0, 3]), "indptr has 2 entries; 2 rows need 3"),
    "index too large": (matrix(indices=[0, 3, 1]), r"has 3 in row 0, outside \[0, 3\)"),
    "index below 0": (matrix(indices=[0, 2, -1]), "has -1 in row 1"),
    "indices too short": (matrix(indices=[0, 2]), "data has 3 entries.*indices 2"),
    "data too short": (matrix(data=[1.0, 2.0]), "data has 2 entries.*indices 3"),
    "data of two dimensions": (matrix(data=[[1.0], [2.0], [3.0]]), "data has 2 dim"),
    "indices of two dimensions": (matrix(indices=[[0], [2], [1]]), "indices has 2 dim"),
    "indptr of two dimensions": (matrix(indptr=[[0], [2], [3]]), "indptr has 2 dim"),
    "float indices": (matrix(indices=[0.0, 2.0, 1.0]), "must hold integers"),
    "NaN": (matrix(data=[1.0, np.nan, 3.0]), "NaN or infinity: nan in row 0, column 2"),
    "infinity": (matrix(data=[1.0, 2.0, np.inf]), "infinity: inf in row 1, column 1"),
    "too large for float32": (matrix(data=[1.0, 2.0, 1e200]), "too large for dtype"),
    "data no array": (matrix(data=[1.0]), "X.data is of type list, not a NumPy"),
    "no indptr": (matrix(indptr=[0]), "X.indptr is of type NoneType"),
    "no rows": (sp.csr_matrix((0, 3)), "0 sample"),
    "no columns": (sp.csr_matrix((2, 0)), "0 feature"),
    "complex": (GOOD.astype(complex), "[Cc]omplex"),
    "objects": (
        matrix(data=np.array([1, 2, 3], object)),
        "dtype object.*convert it with",
    ),
    "dense NaN": (np.array([[1.0, np.nan, 0], [0, 0, 0]]), "NaN or infinity"),
    "one dimension": (np.zeros(3), "2D array"),
    "sparse, one dimension": (sp.coo_array(np.arange(3.0)), r"2D array.*\(3,\)"),
    "text": (np.array([["a", "b", "c"]] * 2), "could not convert|dtype"),
}
BAD_CONVERSIONS = {
    "csc": sp.csc_matrix(GOOD),
    "bsr": sp.bsr_matrix(GOOD, blocksize=(1, 1)),
}
BAD_MATRICES["data no array"][0].data = [1.0, 2.0, 3.0]
BAD_MATRICES["no indptr"][0].indptr = None
for broken in BAD_CONVERSIONS.values():
    broken.indices = np.full_like(broken.indices, 10**6)
BAD_CONVERSIONS["coo"] = sp.coo_matrix(GOOD)
BAD_CONVERSIONS["coo"].coords = (np.array([0, 0, 9]), np.array([0, 1, 2]))
BAD_MATRICES |= {name: (X, "outside") for name, X in BAD_CONVERSIONS.items()}

BAD_TARGETS = {
    "NaN": ([1.0, np.nan], "y contains NaN or infinity: nan at row 1"),
    "infinity": (np.array([np.inf, 0]), "y contains NaN or infinity: inf at row 0"),
    "length": ([1.0, 2.0, 3.0], "X has 2 rows and y 3"),
    "dimensions": (np.zeros((2, 1, 1)), "y must have the shape|dim 3"),
    "no outputs": (np.zeros((2, 0)), "y must have the shape"),
    "none": (None, "y is None"),
    "complex": (np.array([1j, 2j]), "[Cc]omplex"),
    "objects": (np.array([1.0, 2.0], object), "dtype object"),
    "strings": (["a", "b"], "could not convert|dtype"),
}
BAD_WEIGHTS = {
    "negative": ([1.0, -2.0], "-2.0 at row 1"),
    "NaN": ([np.nan, 1.0], "sample_weight contains NaN or infinity: nan at row 0"),
    "length": ([1.0], r"expected \(2,\)"),
    "shape": ([[1.0], [1.0]], "1D array"),
}
BAD_PARAMETERS = [
    {"loss": "hinge"}, {"eta0": 0.0}, {"eta0": -1.0}, {"alpha": -1e-9},
    {"alpha": "none"}, {"l1_ratio": 1.5}, {"l1_ratio": -0.1}, {"eps": 0.0},
    {"batch_size": 0}, {"batch_size": 2.5}, {"batch_size": 2**63},
    {"quantile": 0.0}, {"quantile": 1.0},
    {"learning_rate": 0.1}, {"feature_scaling": "std"}, {"dtype": "float16"},
    {"max_iter": 0}, {"tol": -1.0}, {"n_iter_no_change": 0}, {"epsilon": -0.1},
    {"validation_fraction": 1.0}, {"initial_accumulator_value": -1.0},
    {"random_state": "seed"}, {"shuffle": "no"}, {"n_jobs": 0},
]  # fmt: skip


def snapshot(model):
    """All there is of a model, as bytes."""
    return pickle.dumps(model.__dict__)


def refuses(model, method, *args, match, error=(ValueError, TypeError), **kwargs):
    before = snapshot(model)
    with pytest.raises(error, match=match):
        getattr(model, method)(*args, **kwargs)
    assert snapshot(model) == before


def fresh_and_fitted(**parameters):
    yield SparseAdaGradRegressor(**parameters)
    yield SparseAdaGradRegressor(**parameters).fit(GOOD, Y)


@pytest.mark.parametrize("name", BAD_MATRICES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_matrix(name, method):
    X, message = BAD_MATRICES[name]
    for model in fresh_and_fitted():
        refuses(model, method, X, Y, match=message)
    refuses(model, "predict", X, match=message)


@pytest.mark.parametrize("name", BAD_TARGETS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_target(name, method):
    y, message = BAD_TARGETS[name]
    for model in fresh_and_fitted():
        refuses(model, method, GOOD, y, match=message)


@pytest.mark.parametrize("name", BAD_WEIGHTS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_weights(name, method):
    weights, message = BAD_WEIGHTS[name]
    for model in fresh_and_fitted():
        refuses(model, method, GOOD, Y, weights, match=message)


@pytest.mark.parametrize("parameter", BAD_PARAMETERS, ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_parameter(parameter, method):
    (name,) = parameter
    refuses(SparseAdaGradRegressor(**parameter), method, GOOD, Y, match=f"'{name}'")
    model = SparseAdaGradRegressor().fit(GOOD, Y).set_params(**parameter)
    refuses(model, method, GOOD, Y, match=f"'{name}'")


def test_unknown_parameter():
    with pytest.raises(TypeError, match="eta"):
        SparseAdaGradRegressor(eta=0.1)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_poisson_with_negative_targets(method):
    model = SparseAdaGradRegressor("poisson")
    refuses(model, method, GOOD, [1.0, -1.0], match="-1.0 at row 1")


@pytest.mark.parametrize("width", [2, 4])
def test_another_number_of_columns(width):
    model = SparseAdaGradRegressor().partial_fit(GOOD, Y)
    X = sp.csr_matrix((2, width))
    message = f"X has {width} features, but SparseAdaGradRegressor is expecting 3"
    refuses(model, "partial_fit", X, Y, match=message)
    refuses(model, "predict", X, match=message)


def test_another_number_of_outputs():
    model = SparseAdaGradRegressor().partial_fit(GOOD, Y)
    refuses(model, "partial_fit", GOOD, np.zeros((2, 2)), match="2 outputs")


@pytest.mark.parametrize(
    "change",
    [{"dtype": "float64"}, {"feature_scaling": None}, {"feature_scaling": "max_abs"}],
)
def test_state_that_does_not_fit_the_parameters(change):
    model = SparseAdaGradRegressor().partial_fit(GOOD, Y).set_params(**change)
    refuses(model, "partial_fit", GOOD, Y, match="fit a new model")


def test_validation_data():
    model = SparseAdaGradRegressor()
    refuses(model, "fit", GOOD, Y, None, GOOD, match="X_val is given but not y_val")
    refuses(model, "fit", GOOD, Y, None, None, Y, match="y_val is given but not X_val")
    refuses(model, "fit", GOOD, Y, None, GOOD[:, :2], Y, match="2 features")
    refuses(model, "fit", GOOD, Y, None, GOOD, Y[:1], match="y_val 1")
    model = SparseAdaGradRegressor(early_stopping=True)
    refuses(model, "fit", GOOD[:1], Y[:1], match="hold out all 1 rows")


def test_overflow_leaves_the_model_as_it_was(problem):
    X, y = problem
    model = SparseAdaGradRegressor("poisson", learning_rate="constant")
    model.partial_fit(X, np.abs(y))
    model.set_params(eta0=1e6)
    refuses(model, "partial_fit", X, np.abs(y), match="eta0", error=ValueError)
    refuses(model, "fit", X, np.abs(y), match="eta0", error=ValueError)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("of_y", [True, False])
@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e-22), ("float64", 1e-160)])
def test_gradients_whose_squares_vanish_are_refused(problem, dtype, size, of_y, method):
    X, y = problem
    tiny = (X, size * y) if of_y else (size * X, y)
    model = SparseAdaGradRegressor(dtype=dtype)
    refuses(model, method, *tiny, match=f"vanishes in dtype='{dtype}'.*Scale y or X up")
    # A constant target has no spread, but nothing to be learned either.
    getattr(model, method)(X, np.full(len(y), size)).predict(X)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_products_that_vanish_are_refused(problem, method):
    """Where squares of gradients do not, but rates times gradients or weights do."""
    X, y = problem
    model = SparseAdaGradRegressor()
    refuses(model, method, 1e8 * X, 1e-25 * y, match="vanishes in dtype='float32'")
    weights = np.full(len(y), 1e-25)
    refuses(model, method, X, y, weights, match="vanishes in dtype='float32'")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_targets_that_differ_by_a_rounding_are_constant(problem, dtype, method):
    X, y = problem
    y = np.full(len(y), 0.3)
    y[::2] = 0.1 + 0.2
    model = getattr(SparseAdaGradRegressor(dtype=dtype), method)(1e-3 * X, y)
    assert_allclose(model.predict(1e-3 * X), y, rtol=1e-12)
    both = np.column_stack([y, problem[1]])
    model = getattr(SparseAdaGradRegressor(dtype=dtype), method)(X, both)
    assert_allclose(model.predict(X)[:, 0], y, rtol=1e-12)
    assert np.corrcoef(model.predict(X)[:, 1], problem[1])[0, 1] > 0.5


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("size", [1e150, 1e160, 1e307])
def test_numbers_that_overflow_end_in_an_error_without_warnings(problem, size, method):
    X, y = problem
    for huge in ((X, size * y), (size * X, y)):
        model = SparseAdaGradRegressor(dtype="float64", random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                getattr(model, method)(*huge)
            except ValueError as error:
                assert "overflow" in str(error) or "diverged" in str(error)
            else:
                assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("learning_rate", ["scaled", "constant"])
def test_divergence_is_never_silent(problem, loss, learning_rate):
    X, y = problem
    model = SparseAdaGradRegressor(loss, learning_rate=learning_rate)
    model.partial_fit(X, y)
    model.set_params(eta0=1e6)
    refuses(model, "partial_fit", X, y, match="diverged.*eta0", error=ValueError)
    with pytest.warns(UserWarning, match="diverged.*eta0"):
        model.fit(X, y)
    assert np.isfinite(model.coef_).all()


def test_files_of_another_kind(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"not a model at all, but long enough to look like one")
    with pytest.raises(ValueError, match="no complete model file"):
        SparseAdaGradRegressor.load(path)
    with pytest.raises(FileNotFoundError):
        SparseAdaGradRegressor.load(tmp_path / "nothing")


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(("fitted", "n_columns"), [(3, 3), (3, 2), (9, 9), (9, 3)])
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"indices": [0, 0, "N"]}, r"has N in row 1, outside \[0, N\)"),
        ({"indices": [0, -5, 1]}, "has -5 in row 0"),
        ({"indices": [0, 0, 1], "data": [1, 2, np.nan]}, "nan in row 1, column 1"),
        ({"indptr": [0, 3, 2]}, "falls from 3 to 2 at row 1"),
    ],
)
def test_predictions_look_at_every_entry(n_jobs, fitted, n_columns, arrays, message):
    """By way of all weights, or of the entries' alone where these are fewer."""
    model = SparseAdaGradRegressor(n_jobs=n_jobs, allow_growth=True)
    model.fit(np.eye(fitted), np.arange(float(fitted)))
    arrays = {
        name: [n_columns if value == "N" else value for value in values]
        for name, values in arrays.items()
    }
    X = matrix(**arrays)
    X._shape = (2, n_columns)
    with pytest.raises(ValueError, match=message.replace("N", str(n_columns), 2)):
        model.predict(X)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_predictions_may_overflow_where_values_are_sound(n_outputs):
    """Which values are not is asked only where predictions are not finite."""
    X = sp.csr_array(np.eye(3, dtype=np.float64))
    y = np.tile([[1e3], [2e3], [3e3]], n_outputs)
    model = SparseAdaGradRegressor(learning_rate="constant", eta0=1e3).fit(X, y)
    predicted = model.predict(sp.csr_array(np.full((4, 3), 3e38)))
    # Beyond what the sums in float32 hold.
    coef = np.reshape(model.coef_, (-1, 3)).astype(float)
    assert_allclose(predicted, np.tile(3e38 * coef.sum(axis=1), (4, 1)), rtol=1e-6)
    for value in (np.nan, np.inf, 4e38):
        X = sp.csr_array(np.ones((4, 3)))
        X.data[7] = value
        with pytest.raises(ValueError, match="in row 2, column 1"):
            model.predict(X)
