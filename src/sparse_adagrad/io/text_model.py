"""A regressor with what turns text into its columns, in one model file."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from sparse_adagrad.io import model_file
from sparse_adagrad.regressor import SparseAdaGradRegressor


@dataclass(frozen=True, slots=True)
class TextModel:
    """A fitted regressor and, where its input is text, a fitted vectorizer.

    Attributes
    ----------
    regressor : SparseAdaGradRegressor
    vectorizer : TfidfVectorizer or None
        None where the model was trained on a matrix.
    text_column : str or None
        Name of the column that held the texts.
    zero_based : bool
        Where the input is svmlight, whether its columns count from 0.
    """

    regressor: SparseAdaGradRegressor
    vectorizer: TfidfVectorizer | None = None
    text_column: str | None = None
    zero_based: bool = False

    def predict(self, texts: list[str]) -> NDArray[np.float64]:
        """Predictions, shape (n_texts,)."""
        assert self.vectorizer is not None
        return self.regressor.predict(self.vectorizer.transform(texts))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write regressor, words and document frequencies to one file."""
        tensors, header = model_file.pack(self.regressor)
        if self.vectorizer is not None:
            # No word holds a line break, so one between each two keeps them apart.
            words = "\n".join(self.vectorizer.get_feature_names_out())
            tensors["words"] = np.frombuffer(words.encode(), np.uint8)
            tensors["idf"] = self.vectorizer.idf_
            header["text_column"] = self.text_column
        header["zero_based"] = self.zero_based
        model_file.write(path, tensors, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TextModel:
        """Read a file of `save`, or of `SparseAdaGradRegressor.save`.

        Raises
        ------
        ValueError
            If the file is cut off, of another kind, or of a newer version.
        OSError
            If it cannot be read.
        """
        tensors, header = model_file.read(path)
        regressor = model_file.unpack(SparseAdaGradRegressor, tensors, header, path)
        if "words" not in tensors:
            # The format counts from 1, which a model saved from Python is taken for.
            return cls(regressor, zero_based=bool(header.get("zero_based", False)))
        words = tensors["words"].tobytes().decode().split("\n")
        vectorizer = new_vectorizer(words)
        if not len(words) == len(tensors["idf"]) == regressor.n_features_in_:
            raise ValueError(
                f"{os.fspath(path)} does not hold a whole model: {len(words)} words "
                f"for {regressor.n_features_in_} columns."
            )
        vectorizer.idf_ = tensors["idf"]
        return cls(regressor, vectorizer, header["text_column"])


def new_vectorizer(words: list[str] | None = None) -> TfidfVectorizer:
    """How the command line turns text into columns; `words` fixes these."""
    return TfidfVectorizer(sublinear_tf=True, dtype=np.float32, vocabulary=words)
