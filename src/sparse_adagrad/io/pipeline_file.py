"""A streaming pipeline in one model file: the regressor's, and what makes its rows."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._learner import Learner
from sparse_adagrad._stream import TextStream
from sparse_adagrad.io import model_file
from sparse_adagrad.text.counter import TfidfCounter
from sparse_adagrad.text.kept import KEPT_DTYPE, KeptTokens


def pack(pipeline: Any) -> tuple[model_file.Tensors, model_file.Header]:
    """Arrays and header of a fitted `TextStream` or `StreamingPipeline`.

    Raises
    ------
    ValueError
        If the vectorizer has a step that is a function, which no file can hold.
    """
    tensors, header = model_file.pack(pipeline.regressor)
    header["target_transform"] = pipeline.target_transform
    if pipeline.vectorizer is not None:
        _pack_vectorizer(pipeline.vectorizer, tensors, header)
    return tensors, header


def unpack_plain(
    tensors: model_file.Tensors, header: model_file.Header, path: str | PathLike[str]
) -> TextStream:
    """Inverse of `pack`, of estimators only where parameters ask for them.

    A file whose parameters are those that the command has itself needs none of
    scikit-learn, for checking them neither.
    """
    said = header.get("vectorizer", {})
    if (
        header.get("parameters") == Learner().parameters()
        and isinstance(said, dict)
        and said.keys() == TfidfCounter().parameters().keys()
        and header.get("target_transform") in (None, "log1p")
    ):
        classes: tuple[Any, Any, Any] = (TextStream, TfidfCounter, Learner)
    else:
        classes = estimators()
    model: TextStream = unpack(classes, tensors, header, path)
    return model


def estimators() -> tuple[Any, Any, Any]:
    """Pipeline, vectorizer and regressor as scikit-learn's estimators."""
    from sparse_adagrad.pipeline import StreamingPipeline
    from sparse_adagrad.regressor import SparseAdaGradRegressor
    from sparse_adagrad.text import HashingTfidfVectorizer

    return StreamingPipeline, HashingTfidfVectorizer, SparseAdaGradRegressor


def unpack(
    classes: tuple[Any, Any, Any],
    tensors: model_file.Tensors,
    header: model_file.Header,
    path: str | PathLike[str],
) -> Any:
    """Inverse of `pack`; raise ValueError if the parts do not fit together.

    `classes` are those of the pipeline, of its vectorizer and of its regressor.
    """
    pipeline_class, vectorizer_class, regressor_class = classes
    regressor = model_file.unpack(regressor_class, tensors, header, path)
    try:
        vectorizer = None
        if "vectorizer" in header:
            vectorizer = _unpack_vectorizer(vectorizer_class, header, tensors)
        pipeline = pipeline_class(
            vectorizer, regressor, target_transform=header.get("target_transform")
        )
        if pipeline_class is not TextStream:
            pipeline._validate_params()
    except (*model_file.MALFORMED, ValueError) as error:
        raise ValueError(
            f"{fspath(path)} does not hold a whole model: {error}."
        ) from error
    return pipeline


def _pack_vectorizer(
    vectorizer: TfidfCounter, tensors: model_file.Tensors, header: model_file.Header
) -> None:
    parameters = vectorizer.parameters()
    for name, value in parameters.items():
        if callable(value) and name != "dtype":
            raise ValueError(
                f"The vectorizer's {name} is a function, which no model file can "
                "hold; pickle the pipeline instead."
            )
    parameters["dtype"] = np.dtype(parameters["dtype"]).name
    header["vectorizer"] = parameters
    header["n_documents"] = vectorizer.n_documents_
    if vectorizer.use_idf:
        tensors["document_frequency"] = vectorizer.document_frequency_
    if vectorizer.keep_tokens:
        # Of columns that were seen, and as bytes: safetensors knows no records.
        columns = vectorizer._kept.columns
        tensors["kept_columns"] = columns
        tensors["kept_tokens"] = vectorizer._kept.records(columns).view(np.uint8)


def _unpack_vectorizer(
    cls: Any, header: model_file.Header, tensors: model_file.Tensors
) -> Any:
    parameters = dict(header["vectorizer"])
    parameters["ngram_range"] = tuple(parameters["ngram_range"])
    parameters["dtype"] = np.dtype(parameters["dtype"]).type
    vectorizer = cls(**parameters)
    if cls is not TfidfCounter:
        vectorizer._validate_params()
    vectorizer.n_documents_ = int(header["n_documents"])
    n_features, n_slots = vectorizer.n_features, vectorizer.keep_tokens
    if vectorizer.use_idf:
        vectorizer.document_frequency_ = _checked(
            tensors, "document_frequency", (n_features,), np.int64
        )
    if n_slots:
        n_kept = tensors["kept_columns"].size
        columns = _checked(tensors, "kept_columns", (n_kept,), np.int64)
        ends = np.concatenate([[-1], columns, [n_features]])
        if not (ends[1:] > ends[:-1]).all():
            raise ValueError("kept_columns are not columns that rise")
        flat = _checked(
            tensors, "kept_tokens", (n_kept, n_slots * KEPT_DTYPE.itemsize), np.uint8
        )
        vectorizer._kept = KeptTokens.of_records(
            n_features, columns, flat.view(KEPT_DTYPE)
        )
    return vectorizer


def _checked(
    tensors: model_file.Tensors, name: str, shape: tuple[int, ...], dtype: type
) -> NDArray[Any]:
    tensor = tensors[name]
    if tensor.shape != shape or tensor.dtype != dtype:
        raise ValueError(
            f"{name} is of {tensor.dtype} and has the shape {tensor.shape}"
        )
    return tensor
