"""Text in, numbers out, as a stream: a vectorizer and a regressor as one estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from sparse_adagrad.io import model_file
from sparse_adagrad.regressor import SparseAdaGradRegressor
from sparse_adagrad.text import HashingTfidfVectorizer
from sparse_adagrad.text.ngrams import KEPT_DTYPE


def make_streaming_pipeline(
    vectorizer: HashingTfidfVectorizer, regressor: SparseAdaGradRegressor
) -> StreamingPipeline:
    """Join a vectorizer and a regressor to one estimator that streams.

    Parameters
    ----------
    vectorizer : HashingTfidfVectorizer
    regressor : SparseAdaGradRegressor

    Returns
    -------
    pipeline : StreamingPipeline
    """
    return StreamingPipeline(vectorizer, regressor)


class StreamingPipeline(RegressorMixin, BaseEstimator):
    """Texts to numbers; document frequencies and weights grow with the stream.

    Parameters
    ----------
    vectorizer : HashingTfidfVectorizer
        Changed in place, as is the regressor.
    regressor : SparseAdaGradRegressor

    Examples
    --------
    >>> from sparse_adagrad import SparseAdaGradRegressor
    >>> from sparse_adagrad.pipeline import make_streaming_pipeline
    >>> from sparse_adagrad.text import HashingTfidfVectorizer
    >>> model = make_streaming_pipeline(
    ...     HashingTfidfVectorizer(), SparseAdaGradRegressor()
    ... )
    >>> model.partial_fit(["good film", "bad film"], [9, 2]).predict(["good"]).shape
    (1,)
    """

    def __init__(
        self, vectorizer: HashingTfidfVectorizer, regressor: SparseAdaGradRegressor
    ) -> None:
        self.vectorizer = vectorizer
        self.regressor = regressor

    def __sklearn_is_fitted__(self) -> bool:
        return self.regressor.__sklearn_is_fitted__()

    def fit(
        self, X: Iterable[Any], y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit both to all of the texts, from scratch.

        Parameters
        ----------
        X : iterable of str
            Shape (n_samples,).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : StreamingPipeline

        Raises
        ------
        ValueError
            If texts or targets are invalid. The model is then what it was before.
        """
        before = self.vectorizer.__dict__.copy()
        try:
            self.regressor.fit(self.vectorizer.fit_transform(X), y, sample_weight)
        except ValueError:
            self.vectorizer.__dict__ = before
            raise
        return self

    def partial_fit(
        self, X: Iterable[Any], y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from one more batch; costs O(tokens), whatever the columns.

        Its documents are counted first, so that they are weighed by the frequencies
        of all so far, their own included.

        Parameters
        ----------
        X : iterable of str
            Shape (n_samples,).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : StreamingPipeline

        Raises
        ------
        ValueError
            If texts or targets are invalid, or training diverges. The model is then
            what it was before, as it is when interrupted.
        """
        with self._counted(X) as rows:
            self.regressor.partial_fit(rows, y, sample_weight)
        return self

    @contextmanager
    def _counted(self, X: Iterable[Any]) -> Iterator[Any]:
        """Rows of a batch, counted only if all goes well."""
        vectorizer = self.vectorizer
        vectorizer._validate_params()
        counts = vectorizer._count(X)
        before = {
            name: value
            for name, value in vectorizer.__dict__.items()
            if name in ("n_documents_", "document_frequency_")
        }
        seen = before.get("n_documents_", 0)
        try:
            vectorizer._learn(counts)
            yield vectorizer._weigh(counts)
        except BaseException:
            if getattr(vectorizer, "n_documents_", seen) != seen:
                vectorizer._learn(counts, -1)
            for name in {"n_documents_", "document_frequency_"} - before.keys():
                vectorizer.__dict__.pop(name, None)
            raise
        # A record of tokens cannot take any back, so it comes last.
        vectorizer._keep(counts)

    def fit_stream(
        self,
        batches: Iterable[tuple[Iterable[Any], ArrayLike]],
        progress: Callable[[StreamingPipeline], None] | None = None,
    ) -> Self:
        """Learn from batches of texts and targets, one after the other.

        Parameters
        ----------
        batches : iterable of (texts, y)
        progress : callable, default=None
            Is given the pipeline after every batch; ``regressor.loss_curve_[-1]`` is
            the batch's mean loss, predicted before it was learned, and
            ``regressor.t_`` the number of samples so far.

        Returns
        -------
        self : StreamingPipeline
        """
        for texts, y in batches:
            self.partial_fit(texts, y)
            if progress is not None:
                progress(self)
        return self

    def predict(self, X: Iterable[Any]) -> NDArray[np.float64]:
        """Predict the target of each text.

        Parameters
        ----------
        X : iterable of str

        Returns
        -------
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64

        Raises
        ------
        NotFittedError
            If the model has seen no data.
        """
        check_is_fitted(self)
        return self.regressor.predict(self.vectorizer.transform(X))

    def save(self, path: str | PathLike[str]) -> None:
        """Write both to one safetensors file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Where to; an existing file is replaced.

        Raises
        ------
        NotFittedError
            If the model has seen no data.
        ValueError
            If the vectorizer has a step that is a function, which no file can hold.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self)
        tensors, header = model_file.pack(self.regressor)
        parameters = self.vectorizer.get_params(deep=False)
        for name, value in parameters.items():
            if callable(value) and name != "dtype":
                raise ValueError(
                    f"The vectorizer's {name} is a function, which no model file can "
                    "hold; pickle the pipeline instead."
                )
        parameters["dtype"] = np.dtype(parameters["dtype"]).name
        header["vectorizer"] = parameters
        header["n_documents"] = self.vectorizer.n_documents_
        if self.vectorizer.use_idf:
            tensors["document_frequency"] = self.vectorizer.document_frequency_
        if self.vectorizer.keep_tokens:
            # safetensors knows no records.
            tensors["kept_tokens"] = self.vectorizer.kept_tokens_.view(np.uint8)
        model_file.write(path, tensors, header)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` has written; it goes on bit for bit.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        pipeline : StreamingPipeline

        Raises
        ------
        ValueError
            If the file is cut off, of another kind, or of a newer version.
        OSError
            If it cannot be read.
        """
        tensors, header = model_file.read(path)
        if "vectorizer" not in header:
            raise ValueError(
                f"{fspath(path)} holds no vectorizer; was it saved by "
                "SparseAdaGradRegressor.save?"
            )
        regressor = model_file.unpack(SparseAdaGradRegressor, tensors, header, path)
        try:
            vectorizer = _unpack_vectorizer(header, tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{fspath(path)} does not hold a whole model: {error}."
            ) from error
        return cls(vectorizer, regressor)


def _unpack_vectorizer(
    header: model_file.Header, tensors: model_file.Tensors
) -> HashingTfidfVectorizer:
    parameters = dict(header["vectorizer"])
    parameters["ngram_range"] = tuple(parameters["ngram_range"])
    parameters["dtype"] = np.dtype(parameters["dtype"]).type
    vectorizer = HashingTfidfVectorizer(**parameters)
    vectorizer._validate_params()
    vectorizer.n_documents_ = int(header["n_documents"])
    n_features, n_slots = vectorizer.n_features, vectorizer.keep_tokens
    if vectorizer.use_idf:
        vectorizer.document_frequency_ = _checked(
            tensors, "document_frequency", (n_features,), np.int64
        )
    if n_slots:
        flat = _checked(
            tensors,
            "kept_tokens",
            (n_features, n_slots * KEPT_DTYPE.itemsize),
            np.uint8,
        )
        vectorizer.kept_tokens_ = flat.view(KEPT_DTYPE)
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
