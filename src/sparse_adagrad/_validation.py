"""User input to the kernel contract: the one place where arrays are checked.

What leaves here is CSR in range and finite, without a column twice in a row, and
float64 targets and weights of the right shape. The caller's matrix is never changed,
and copied only where a row repeats a column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names

from sparse_adagrad._measures import Measures
from sparse_adagrad._problem import Rows
from sparse_adagrad.kernels import csr

FLOAT_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in FLOAT_TYPES}
INDEX_TYPES = (np.dtype(np.int32), np.dtype(np.int64))


def check_rows(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    state_dtype: np.dtype[Any],
    width: Literal["equal", "narrower", "any"] = "equal",
    measures: Measures | None = None,
) -> Rows:
    """Check a matrix and bring it into the kernel's form.

    Parameters
    ----------
    estimator : estimator
        Its names and number of features are checked, or set where `reset`.
    X : {sparse matrix, sparse array, array-like, DataFrame}
        Shape (n_samples, n_features).
    reset : bool
        Whether this is the first data that the estimator sees.
    state_dtype : dtype
        Values have to fit into it.
    width : {"equal", "narrower", "any"}
        Which numbers of columns pass: that of the fitted model, up to it, or all.
    measures : Measures, optional
        What is measured by the way.

    Raises
    ------
    ValueError, TypeError
        If anything is wrong; the message names the place.
    """
    X = _csr_of_width(estimator, X, reset=reset, width=width)
    rows = _arrays(X)
    rows_sorted = _check_entries(rows, state_dtype, measures)
    # Order is of no account to the kernels, but the step is not linear.
    if not rows_sorted and csr.has_duplicates(
        rows.indices, rows.indptr, rows.n_features
    ):
        nnz = rows.nnz
        summed = sp.csr_array(
            (rows.data[:nnz].copy(), rows.indices[:nnz].copy(), rows.indptr.copy()),
            shape=X.shape,
        )
        summed.sum_duplicates()
        rows = _arrays(summed)
        # A sum of finite values need not be finite.
        _check_entries(rows, state_dtype, measures)
    return rows


def check_rows_to_multiply(
    estimator: Any,
    X: Any,
    *,
    state_dtype: np.dtype[Any],
    width: Literal["equal", "narrower"],
) -> tuple[Rows, Callable[[], None]]:
    """Check all of a matrix but its entries, which a product checks as it reads them.

    Looking at each twice would take longer than multiplying it.

    Parameters
    ----------
    estimator, X, state_dtype, width
        See `check_rows`.

    Returns
    -------
    rows : Rows
        A column may come twice in a row.
    check : callable
        Checks the entries too; raises if any is wrong, and names it.

    Raises
    ------
    ValueError, TypeError
        If anything else is wrong.
    """
    rows = _arrays(_csr_of_width(estimator, X, reset=False, width=width))
    _check_offsets(rows)

    def check() -> None:
        _check_entries(rows, state_dtype)

    return rows, check


def _csr_of_width(estimator: Any, X: Any, *, reset: bool, width: str) -> Any:
    """CSR of floating-point numbers and of a shape that fits the estimator."""
    if sp.issparse(X):
        _check_are_arrays(X)
    plain = (
        _is_csr(X)
        and X.dtype in FLOAT_TYPES
        and X.dtype.isnative
        and "feature_names_in_" not in vars(estimator)
    )
    if not plain:
        X = _as_csr(estimator, X, reset=reset)
    n_samples, n_features = X.shape
    for kind, n in (("sample", n_samples), ("feature", n_features)):
        if n < 1:
            raise ValueError(
                f"Found array with {n} {kind}(s) (shape={X.shape}) while a minimum of "
                f"1 is required by {type(estimator).__name__}."
            )
    if reset:
        estimator.n_features_in_ = n_features
    else:
        _check_width(estimator, n_features, width)
    return X


def _check_are_arrays(X: Any) -> None:
    """See that what SciPy lets be set to anything is what it was."""
    names = ("data", "indices", "indptr") if X.format in ("csr", "csc", "bsr") else ()
    for name in names:
        array = getattr(X, name)
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"X.{name} is of type {type(array).__name__}, not a NumPy array; make "
                "the matrix anew from its arrays."
            )


def _is_csr(X: Any) -> bool:
    return bool(sp.issparse(X) and X.format == "csr" and X.ndim == 2)


def _as_csr(estimator: Any, X: Any, *, reset: bool) -> Any:
    """CSR of anything that scikit-learn takes."""
    if sp.issparse(X):
        if X.ndim != 2:
            raise ValueError(
                f"Expected 2D array, got a sparse array of shape {X.shape} instead. "
                "Reshape it to one row a sample."
            )
        if X.dtype.kind == "c":
            raise TypeError("Complex data not supported: X must hold real numbers.")
        if X.dtype.kind not in "fiub":
            raise TypeError(
                f"X has dtype {X.dtype}, which cannot be learned from; convert it with "
                "X.astype(np.float64)."
            )
        _check_before_conversion(X)
    _check_feature_names(estimator, X, reset=reset)
    X = check_array(
        X,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
        estimator=estimator,
        input_name="X",
    )
    return X if sp.issparse(X) else sp.csr_array(X)


def _check_before_conversion(X: Any) -> None:
    """SciPy's conversions trust indices; see that they can be trusted."""
    if X.format == "coo":
        for axis, name in enumerate(("row", "col")):
            index = getattr(X, name)
            if len(index) != len(X.data):
                raise ValueError(
                    f"X.{name} has {len(index)} entries but X.data {len(X.data)}."
                )
            if len(index) and not 0 <= index.min() <= index.max() < X.shape[axis]:
                raise ValueError(
                    f"X.{name} has an index outside [0, {X.shape[axis]}); "
                    f"found {index.min()} to {index.max()}."
                )
    elif X.format in ("csr", "csc", "bsr"):
        arrays = _arrays(X)
        places = replace(arrays, data=np.zeros(len(arrays.data)))
        _check_entries(places, np.dtype(np.float64))


def _check_width(estimator: Any, n_features: int, width: str) -> None:
    fitted = estimator.n_features_in_
    passes = n_features == fitted or width == "any"
    if not passes and not (width == "narrower" and n_features < fitted):
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting "
            f"{fitted} features as input. Bring X to that width, or train with "
            "allow_growth=True if columns are added as the stream goes on."
        )


def _index_array(index: NDArray[Any], name: str) -> NDArray[Any]:
    if index.dtype.kind not in "iu":
        raise TypeError(f"X.{name} has dtype {index.dtype}; it must hold integers.")
    if index.dtype not in INDEX_TYPES or not index.dtype.isnative:
        index = index.astype(np.int64)
    return np.ascontiguousarray(index)


def _arrays(X: Any) -> Rows:
    """The arrays of a compressed matrix, of the types that the kernels take."""
    n_major, n_minor = X.shape if X.format != "csc" else X.shape[::-1]
    data = X.data
    if X.format == "bsr":
        # Columns and offsets are of blocks, whose values may be anything here.
        n_major //= data.shape[1]
        n_minor //= data.shape[2]
        data = np.zeros(len(data))
    for name, array in (("data", data), ("indices", X.indices), ("indptr", X.indptr)):
        if array.ndim != 1:
            raise ValueError(
                f"X.{name} has {array.ndim} dimensions; a compressed matrix has "
                "arrays of 1."
            )
    indices, indptr = (
        _index_array(X.indices, "indices"),
        _index_array(X.indptr, "indptr"),
    )
    if len(indptr) != n_major + 1:
        raise ValueError(
            f"X.indptr has {len(indptr)} entries; {n_major} rows need {n_major + 1}."
        )
    if len(data) != len(indices) and indptr[-1] > min(len(data), len(indices)):
        raise ValueError(
            f"X.data has {len(data)} entries and X.indices {len(indices)}, fewer "
            f"than the {indptr[-1]} that X.indptr asks for."
        )
    return Rows(np.ascontiguousarray(data), indices, indptr, n_minor)


def _check_offsets(rows: Rows) -> None:
    size = min(len(rows.data), len(rows.indices))
    code, row = csr.check_offsets(rows.indptr, size)
    if code != csr.OK:
        raise ValueError(_structure_message(code, row, -1, rows))


def _check_entries(
    rows: Rows, state_dtype: np.dtype[Any], measures: Measures | None = None
) -> bool:
    """Raise if a compressed matrix is malformed; tell whether its rows are sorted."""
    _check_offsets(rows)
    largest = min(LARGEST[rows.data.dtype], LARGEST[state_dtype])
    measures = Measures(columns=False) if measures is None else measures
    code, row, position, rows_sorted = measures.read(rows, largest)
    if code != csr.OK:
        raise ValueError(_structure_message(code, row, position, rows))
    return rows_sorted


def _structure_message(code: int, row: int, position: int, rows: Rows) -> str:
    data, indices, indptr = rows.data, rows.indices, rows.indptr
    advice = (
        "Rebuild the matrix from its entries, e.g. by way of scipy.sparse.coo_array."
    )
    if code == csr.INDPTR_START:
        return f"X.indptr must start at 0, but it starts at {indptr[0]}. {advice}"
    if code == csr.INDPTR_FALLS:
        return (
            f"X.indptr falls from {indptr[row]} to {indptr[row + 1]} at row {row}. "
            f"{advice}"
        )
    if code == csr.INDPTR_END:
        return (
            f"X.indptr reaches {indptr[row + 1]} at row {row}, beyond the {len(data)} "
            f"values and {len(indices)} indices there are. {advice}"
        )
    if code == csr.INDEX_RANGE:
        return (
            f"X.indices has {indices[position]} in row {row}, outside "
            f"[0, {rows.n_features}). {advice}"
        )
    if code == csr.NOT_FINITE:
        return (
            f"Input X contains NaN or infinity: {data[position]} in row {row}, column "
            f"{indices[position]}. Fill or drop such values first."
        )
    return (
        f"X has {data[position]} in row {row}, column {indices[position]}, a value too "
        "large for dtype='float32'; rescale it or use dtype='float64'."
    )


def check_target(
    estimator: Any, y: Any, n_samples: int, *, non_negative: bool, name: str = "y"
) -> NDArray[np.float64]:
    """Check a target; returns float64, (n_samples,) or (n_samples, n_outputs)."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires {name} to be passed, but the target "
            f"{name} is None."
        )
    if not (isinstance(y, np.ndarray) and y.dtype == np.float64 and y.ndim in (1, 2)):
        if getattr(y, "dtype", None) == np.dtype(object):
            raise ValueError(
                f"Unknown label type: {name} has dtype object; convert it to numbers, "
                f"e.g. with {name}.astype(float)."
            )
        y = check_array(
            y,
            ensure_2d=False,
            dtype=np.float64,
            ensure_all_finite=False,
            ensure_min_samples=0,
            estimator=estimator,
            input_name=name,
        )
    if y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] == 0):
        raise ValueError(
            f"{name} must have the shape (n_samples,) or (n_samples, n_outputs); "
            f"got {y.shape}."
        )
    if len(y) != n_samples:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: X has "
            f"{n_samples} rows and {name} {len(y)}."
        )
    _check_finite(y, name)
    if non_negative and y.min() < 0:
        row = int(np.argwhere(y < 0)[0][0])
        raise ValueError(
            f"loss='poisson' needs targets of 0 or more, but {name} is "
            f"{y[row].min()} at row {row}. Remove such rows or choose another loss."
        )
    return np.ascontiguousarray(y)


def check_weights(
    estimator: Any, sample_weight: Any, n_samples: int
) -> NDArray[np.float64]:
    """Check sample weights; returns float64 of shape (n_samples,), (0,) for None."""
    if sample_weight is None:
        return np.empty(0)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    weights = check_array(
        sample_weight,
        ensure_2d=False,
        allow_nd=True,
        dtype=np.float64,
        ensure_all_finite=False,
        ensure_min_samples=0,
        estimator=estimator,
        input_name="sample_weight",
    )
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array of "
            f"shape {weights.shape}."
        )
    if len(weights) != n_samples:
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}: one "
            "weight a row of X."
        )
    _check_finite(weights, "sample_weight")
    if n_samples and weights.min() < 0:
        row = int(np.argmax(weights < 0))
        raise ValueError(
            f"Negative values in data passed to `sample_weight`: {weights[row]} at row "
            f"{row}. Weights must be 0 or more."
        )
    return np.ascontiguousarray(weights)


def _check_finite(values: NDArray[np.float64], name: str) -> None:
    if np.isfinite(values).all():
        return
    row = int(np.argwhere(~np.isfinite(values))[0][0])
    raise ValueError(
        f"Input {name} contains NaN or infinity: {values[row]} at row {row}. Fill or "
        "drop such rows first."
    )
