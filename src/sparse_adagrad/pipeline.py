"""Text in, numbers out, as a stream: a vectorizer and a regressor as one estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from sparse_adagrad._stream import TextStream
from sparse_adagrad.io import model_file, pipeline_file
from sparse_adagrad.regressor import SparseAdaGradRegressor
from sparse_adagrad.text import HashingTfidfVectorizer


def make_streaming_pipeline(
    vectorizer: HashingTfidfVectorizer | None,
    regressor: SparseAdaGradRegressor,
    *,
    target_transform: str | None = None,
) -> StreamingPipeline:
    """Join a vectorizer and a regressor to one estimator that streams.

    Parameters
    ----------
    vectorizer : HashingTfidfVectorizer or None
    regressor : SparseAdaGradRegressor
    target_transform : {"log1p"} or None, default=None
        As `StreamingPipeline` has them.

    Returns
    -------
    pipeline : StreamingPipeline
    """
    return StreamingPipeline(vectorizer, regressor, target_transform=target_transform)


class StreamingPipeline(RegressorMixin, BaseEstimator, TextStream):
    """Texts to numbers; document frequencies and weights grow with the stream.

    Parameters
    ----------
    vectorizer : HashingTfidfVectorizer or None
        Changed in place, as is the regressor. None: X is given as rows of a matrix.
    regressor : SparseAdaGradRegressor
    target_transform : {"log1p"} or None, default=None
        "log1p": learn log(1 + y), and predict on the scale of y.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vectorizer": [HashingTfidfVectorizer, None],
        "regressor": [SparseAdaGradRegressor],
        "target_transform": [StrOptions({"log1p"}), None],
    }

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self.regressor.__sklearn_is_fitted__())

    def fit(
        self, X: Iterable[Any], y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit both to all of the texts, from scratch.

        Parameters
        ----------
        X : iterable of str, shape (n_samples,), or matrix without a vectorizer
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : StreamingPipeline

        Raises
        ------
        ValueError
            If a parameter, texts or targets are invalid. The model is then what it was
            before.
        """
        self._validate_params()
        y = self._transformed(y)
        if self.vectorizer is None:
            self.regressor.fit(X, y, sample_weight)
            return self
        before, state = self.vectorizer.__dict__.copy(), self.regressor._state
        try:
            self.regressor.fit(self.vectorizer.fit_transform(X), y, sample_weight)
        except BaseException:
            # Of an interrupt, the regressor keeps what it has learned.
            if self.regressor._state is state:
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
        X : iterable of str, shape (n_samples,), or matrix without a vectorizer
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : StreamingPipeline

        Raises
        ------
        ValueError
            If a parameter, texts or targets are invalid, or training diverges. The
            model is then what it was before, as it is when interrupted.
        """
        self._validate_params()
        return self.learn_prepared(self.prepare(X), y, sample_weight)

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
        return super().predict(X)

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
        model_file.write(path, *pipeline_file.pack(self))

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
        classes = cls, HashingTfidfVectorizer, SparseAdaGradRegressor
        pipeline: Self = pipeline_file.unpack(classes, *model_file.read(path), path)
        return pipeline
