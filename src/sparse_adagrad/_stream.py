"""Texts to numbers as a stream, all but scikit-learn's manners."""

from __future__ import annotations

from math import inf
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparse_adagrad.text.counter import Batch


class TextStream:
    """A counter and a learner as one model.

    `StreamingPipeline` is this as an estimator, with scikit-learn's vectorizer and
    regressor for its parts.

    Parameters
    ----------
    vectorizer : TfidfCounter or None
        Changed in place, as is the regressor. None: X is given as rows of a matrix.
    regressor : Learner
    target_transform : {"log1p"} or None, default=None
    """

    def __init__(
        self, vectorizer: Any, regressor: Any, *, target_transform: str | None = None
    ) -> None:
        self.vectorizer = vectorizer
        self.regressor = regressor
        self.target_transform = target_transform

    def prepare(self, X: Any) -> Any:
        """What can be done with a batch before all others have been learned from."""
        return X if self.vectorizer is None else self.vectorizer._prepare(X)

    def learn_prepared(self, prepared: Any, y: ArrayLike, *rest: Any) -> Self:
        """Learn from a batch that `prepare` has made; `rest` is for the regressor."""
        y = self._transformed(y)
        if isinstance(prepared, Batch):
            with self.vectorizer.learned(prepared):
                rows = self.vectorizer._weigh(prepared)
                self.regressor._partial_fit(
                    rows, y, *rest, then=lambda: self.vectorizer._keep(prepared)
                )
        else:
            self.regressor.partial_fit(prepared, y, *rest)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the target of each text."""
        rows = X if self.vectorizer is None else self.vectorizer.transform(X)
        predicted: NDArray[np.float64] = self.regressor.predict(rows)
        return predicted if self.target_transform is None else np.expm1(predicted)

    @property
    def target_above(self) -> float:
        """What targets have to be above."""
        return -inf if self.target_transform is None else -1.0

    def _transformed(self, y: ArrayLike) -> ArrayLike:
        """Targets as the regressor learns them."""
        if self.target_transform is None:
            return y
        target = np.asarray(y, np.float64)
        low = target <= self.target_above
        if low.any():
            place = np.unravel_index(np.argmax(low), low.shape)
            raise ValueError(
                f"target_transform='log1p' needs targets above -1, but y is "
                f"{target[place]} in row {place[0]}."
            )
        return np.log1p(target)
