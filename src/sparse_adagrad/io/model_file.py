"""Model files: one safetensors file with all state, parameters and a format version."""

from __future__ import annotations

import json
import os
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sparse_adagrad._learner import CURVES, Learner
from sparse_adagrad._state import ModelState
from sparse_adagrad.io.whole import written_whole
from sparse_adagrad.kernels import scales

FORMAT = "sparse_adagrad"
FORMAT_VERSION = 2
NOT_OURS = 0  # in place of a version
# safetensors knows no records; these are float64 throughout and are stored as rows.
RECORDS = {"totals": scales.TOTALS_DTYPE, "outputs": scales.OUTPUT_DTYPE}

# What a file that was not written here may lead to, beside ValueError.
MALFORMED = (
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
PAIR_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
MOST_COUNTED = 2**52  # of entries in a bin, so that their sum is a number too

Tensors = dict[str, NDArray[Any]]
Header = dict[str, Any]


def write(path: str | PathLike[str], tensors: Tensors, header: Header) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        Where to; an existing file is replaced.
    tensors : dict of str to ndarray
        Arrays.
    header : dict
        Anything that JSON holds.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # One entry: safetensors writes several in any order, and equal models shall be
    # equal files.
    metadata = {
        FORMAT: json.dumps({"format_version": FORMAT_VERSION, "header": header})
    }
    with written_whole(path) as beside:
        try:
            save_file(tensors, beside, metadata=metadata)
        except SafetensorError as error:
            raise OSError(f"{os.fspath(path)} cannot be written: {error}.") from error


def read(path: str | PathLike[str]) -> tuple[Tensors, Header]:
    """Read what `write` has written.

    Raises
    ------
    ValueError
        If the file is cut off, of another kind, or of a newer version.
    OSError
        If it cannot be read.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"{os.fspath(path)} is a folder, not a model file.")
    with open(path, "rb"):
        pass
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            version, header = _said(file.metadata() or {})
            # It can be asked for its keys alone.
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if version == 1 and "totals" in tensors:
            # Their last field is gone.
            tensors["totals"] = tensors["totals"][:, :-1]
    except (SafetensorError, *MALFORMED, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} is no complete model file: {error}. Was it cut off, or "
            "is it of another kind?"
        ) from error
    if version == NOT_OURS:
        raise ValueError(
            f"{os.fspath(path)} is a safetensors file, but not one of sparse_adagrad."
        )
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{os.fspath(path)} has format version {version}; this sparse_adagrad "
            f"reads up to {FORMAT_VERSION}. Upgrade it to load the file."
        )
    return tensors, header


def _said(metadata: dict[str, str]) -> tuple[int, Header]:
    """Format version and header of a file, if it is one of these."""
    if metadata.get("format") == FORMAT:
        # As version 1 had it.
        version, header = metadata["format_version"], json.loads(metadata["header"])
    elif FORMAT in metadata:
        said = json.loads(metadata[FORMAT])
        version, header = said["format_version"], said["header"]
    else:
        return NOT_OURS, {}
    return int(version), dict(header)


def pack(model: Any) -> tuple[Tensors, Header]:
    """Arrays and header of a fitted `Learner` or `SparseAdaGradRegressor`."""
    state: ModelState = model._state
    tensors = {
        "pairs": np.ascontiguousarray(state.pairs[: state.n_features]),
        "column_max": np.ascontiguousarray(state.column_max[: state.n_features]),
        "totals": state.totals.view(np.float64).reshape(1, -1),
        "outputs": state.outputs.view(np.float64).reshape(state.n_outputs, -1),
        "bins": state.bins,
    }
    parameters = model.parameters()
    fitted = {"n_iter_": model.n_iter_, "target_ndim": model._target_ndim}
    for curve in CURVES:
        if hasattr(model, curve):
            fitted[curve] = getattr(model, curve)
    if hasattr(model, "feature_names_in_"):
        fitted["feature_names_in_"] = list(model.feature_names_in_)
    parameters["random_state"], generator = _pack_random_state(model.random_state)
    if generator is not None:
        tensors["random_state"] = generator
    return tensors, {"parameters": _plain(parameters), "fitted": _plain(fitted)}


def _plain(values: Any) -> Any:
    """Python numbers for NumPy's, which JSON does not hold."""
    if isinstance(values, dict):
        return {name: _plain(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return values.item() if isinstance(values, np.generic) else values


def _pack_random_state(random_state: Any) -> tuple[Any, NDArray[np.uint32] | None]:
    """What JSON can say of it, and the key of a generator."""
    if not isinstance(random_state, np.random.RandomState):
        return random_state, None
    kind, key, position, has_gauss, cached = random_state.get_state(legacy=True)
    return {"kind": kind, "rest": [position, has_gauss, cached]}, np.asarray(key)


def _unpack_random_state(said: Any, key: Any) -> Any:
    if not isinstance(said, dict):
        return said
    random_state = np.random.RandomState()
    random_state.set_state((said["kind"], key, *said["rest"]))
    return random_state


def unpack(
    cls: Any, tensors: Tensors, header: Header, path: str | PathLike[str]
) -> Any:
    """Inverse of `pack`; raise ValueError if the parts do not fit together.

    `cls` is `Learner` where all parameters are the defaults, which need no check.
    """
    try:
        parameters, fitted = header["parameters"], header["fitted"]
        parameters["random_state"] = _unpack_random_state(
            parameters["random_state"], tensors.get("random_state")
        )
        model = cls(**parameters)
        if cls is not Learner:
            model._validate_params()
        model._state = _unpack_state(tensors)
        model.n_features_in_ = model._state.n_features
        model._target_ndim = int(fitted.pop("target_ndim"))
        names = fitted.pop("feature_names_in_", None)
        if names is not None:
            model.feature_names_in_ = np.asarray(names, dtype=object)
        model.n_iter_ = int(fitted["n_iter_"])
        for name in set(CURVES) & fitted.keys():
            setattr(model, name, [float(loss) for loss in fitted[name]])
    except (*MALFORMED, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} does not hold a whole model: {error}."
        ) from error
    return model


def _unpack_state(tensors: Tensors) -> ModelState:
    """State from arrays; every shape that a kernel relies on is checked."""
    pairs, column_max, bins = (
        tensors[name] for name in ("pairs", "column_max", "bins")
    )
    if pairs.ndim != 3 or pairs.shape[1] != 2 or pairs.dtype not in PAIR_TYPES:
        raise ValueError(f"pairs has the shape {pairs.shape}")
    records = {}
    for name, dtype in RECORDS.items():
        flat = tensors[name]
        if flat.dtype != np.float64 or flat.shape[1:] != (len(dtype.names or ()),):
            raise ValueError(f"{name} has the shape {flat.shape}")
        records[name] = np.ascontiguousarray(flat).view(dtype).ravel()
    state = ModelState(
        pairs=pairs, column_max=column_max, bins=bins, n_features=len(pairs), **records
    )
    if len(state.totals) != 1 or state.n_outputs != pairs.shape[2]:
        raise ValueError("its arrays are of different sizes")
    if state.totals["column_scaling"][0] not in scales.SCALINGS.values():
        raise ValueError("it has an unknown column scaling")
    expected = (len(pairs) if state.scales_columns else 0,)
    if column_max.shape != expected or column_max.dtype != pairs.dtype:
        raise ValueError(f"column_max has the shape {column_max.shape}")
    if bins.shape != (scales.N_HISTOGRAM_BINS,) or bins.dtype != np.int64:
        raise ValueError(f"bins has the shape {bins.shape}")
    if not ((bins >= 0) & (bins <= MOST_COUNTED)).all():
        raise ValueError("bins are not counts")
    return state
