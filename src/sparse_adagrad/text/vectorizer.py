"""Text to TF-IDF in hashed columns, all at once or as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from scipy import sparse as sp
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize
from sklearn.utils._param_validation import StrOptions

from sparse_adagrad.text.ngrams import StopWords, add_documents, count_ngrams

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"
# Fewer characters than this are counted faster by one thread.
CHARACTERS_PER_THREAD = 1 << 16


def _stacked(parts: list[tuple[NDArray[Any], ...]]) -> list[NDArray[Any]]:
    """Indices, counts and offsets of parts, one below the other."""
    indices, counts, indptrs = zip(*parts, strict=True)
    starts = np.cumsum([0, *map(len, indices)])
    below = [p[1:] + start for p, start in zip(indptrs, starts[:-1], strict=True)]
    return [np.concatenate(each) for each in (indices, counts, [[0], *below])]


class HashingTfidfVectorizer(HashingVectorizer):
    """Turn texts into TF-IDF rows whose columns are hashes of n-grams.

    Columns, signs and values are those of scikit-learn's `HashingVectorizer`, and with
    `use_idf` those of its `TfidfTransformer` after it; the work is done by compiled
    code. Document frequencies can grow with a stream, by `partial_fit`, at a cost that
    does not depend on the number of columns.

    Parameters
    ----------
    encoding, decode_error, strip_accents, lowercase, preprocessor, tokenizer, \
    stop_words, token_pattern, ngram_range, analyzer, n_features, binary, norm, \
    alternate_sign, dtype
        As `HashingVectorizer` has them. Another `token_pattern` than the default, a
        `tokenizer`, a `preprocessor` or an `analyzer` that is a function go through
        Python: the same result, slower.
    use_idf : bool, default=True
        Whether counts are weighed by the inverse document frequency.
    smooth_idf : bool, default=True
        Count one more document, which has every column: log((1 + n) / (1 + df)) + 1.
        Otherwise log(n / df) + 1, where a column never seen is taken for seen once.
    sublinear_tf : bool, default=False
        Replace a count c by 1 + log(c), and -c by -(1 + log(c)).
    missing : {"error", "empty"}, default="error"
        Whether None and NaN are refused or taken for empty texts.
    n_jobs : int, default=None
        Threads; the result does not depend on them.

    Attributes
    ----------
    n_documents_ : int
        Documents whose columns have been counted.
    document_frequency_ : ndarray of shape (n_features,), int64
        How many of them have an entry in each column.

    References
    ----------
    Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009.

    Examples
    --------
    >>> from sparse_adagrad.text import HashingTfidfVectorizer
    >>> columns = HashingTfidfVectorizer(n_features=2**10)
    >>> columns.partial_fit_transform(["a good film", "a bad film"]).shape
    (2, 1024)
    """

    _parameter_constraints = {  # noqa: RUF012
        **HashingVectorizer._parameter_constraints,
        "use_idf": ["boolean"],
        "smooth_idf": ["boolean"],
        "sublinear_tf": ["boolean"],
        "missing": [StrOptions({"error", "empty"})],
        "n_jobs": [None, int],
    }

    def __init__(
        self,
        *,
        encoding: str = "utf-8",
        decode_error: str = "strict",
        strip_accents: Any = None,
        lowercase: bool = True,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: Callable[[str], list[str]] | None = None,
        stop_words: Any = None,
        token_pattern: str | None = DEFAULT_PATTERN,
        ngram_range: tuple[int, int] = (1, 1),
        analyzer: Any = "word",
        n_features: int = 2**20,
        binary: bool = False,
        norm: str | None = "l2",
        alternate_sign: bool = True,
        dtype: Any = np.float64,
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
        missing: str = "error",
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            encoding=encoding,
            decode_error=decode_error,
            strip_accents=strip_accents,
            lowercase=lowercase,
            preprocessor=preprocessor,
            tokenizer=tokenizer,
            stop_words=stop_words,
            token_pattern=token_pattern,
            ngram_range=ngram_range,
            analyzer=analyzer,
            n_features=n_features,
            binary=binary,
            norm=norm,
            alternate_sign=alternate_sign,
            dtype=dtype,
        )
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf
        self.missing = missing
        self.n_jobs = n_jobs

    # ------------------------------------------------------------------ learning

    def fit(self, X: Iterable[Any], y: Any = None) -> Self:
        """Count in how many documents each column occurs, from scratch.

        Parameters
        ----------
        X : iterable of str or bytes
        y : ignored

        Returns
        -------
        self : HashingTfidfVectorizer

        Raises
        ------
        ValueError
            If a document is missing or not text. Nothing is changed then.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None) -> sp.csr_matrix:
        """`fit` and `transform` in one, which reads the texts once."""
        self._validate_params()
        counts = self._count(X)
        if self.use_idf:
            self._forget()
            self._learn(counts)
        return self._weigh(counts)

    def partial_fit(self, X: Iterable[Any], y: Any = None) -> Self:
        """Count the columns of more documents; costs O(tokens).

        Parameters
        ----------
        X : iterable of str or bytes
        y : ignored

        Returns
        -------
        self : HashingTfidfVectorizer

        Raises
        ------
        ValueError
            If a document is missing or not text. Nothing is changed then.
        """
        self.partial_fit_transform(X)
        return self

    def partial_fit_transform(self, X: Iterable[Any], y: Any = None) -> sp.csr_matrix:
        """Count the columns of more documents, then weigh these by all so far.

        Parameters
        ----------
        X : iterable of str or bytes
        y : ignored

        Returns
        -------
        X : csr matrix of shape (n_documents, n_features), `dtype`
        """
        self._validate_params()
        counts = self._count(X)
        if self.use_idf:
            self._learn(counts)
        return self._weigh(counts)

    def transform(self, X: Iterable[Any]) -> sp.csr_matrix:
        """Turn documents into rows.

        Parameters
        ----------
        X : iterable of str or bytes

        Returns
        -------
        X : csr matrix of shape (n_documents, n_features), `dtype`

        Raises
        ------
        NotFittedError
            If document frequencies are wanted and none have been counted.
        ValueError
            If a document is missing or not text.
        """
        self._validate_params()
        # scikit-learn takes hashing for stateless, so `check_is_fitted` asks nothing.
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                f"This {type(self).__name__} has counted no documents yet; call fit or "
                "partial_fit first, or set use_idf=False."
            )
        return self._weigh(self._count(X))

    def __sklearn_is_fitted__(self) -> bool:
        return not self.use_idf or hasattr(self, "document_frequency_")

    def _forget(self) -> None:
        self.n_documents_ = 0
        # Pages are not touched until a column of theirs is met.
        self.document_frequency_ = np.zeros(self.n_features, np.int64)

    def _learn(self, rows: sp.csr_matrix, by: int = 1) -> None:
        """Count documents, or with -1 take back those that were just counted."""
        if not hasattr(self, "document_frequency_"):
            self._forget()
        if len(self.document_frequency_) != self.n_features:
            raise ValueError(
                f"n_features={self.n_features}, but the documents so far were counted "
                f"in {len(self.document_frequency_)} columns; set it back, or fit anew."
            )
        add_documents(rows.indices, self.document_frequency_, by)
        self.n_documents_ += by * rows.shape[0]

    # ------------------------------------------------------------------ counting

    def _count(self, X: Iterable[Any]) -> sp.csr_matrix:
        """Signed counts, rows sorted, entries that cancelled out included."""
        if isinstance(X, str | bytes):
            raise ValueError(
                "Iterable over raw text documents expected, string object received."
            )
        self._validate_ngram_range()
        self._warn_for_unused_params()
        documents = self._checked(X)
        if not documents:
            raise ValueError("Cannot vectorize empty sequence.")
        if not self._is_compiled():
            return self._count_in_python(documents)
        prepare = self.build_preprocessor()
        words = self.get_stop_words() if self.analyzer == "word" else None
        if words is not None:
            self._check_stop_words_consistency(words, prepare, self.build_tokenizer())
        stop_words = None if words is None else StopWords(words)
        # Beyond ASCII, Python's own rules hold for letters and accents. What an accent
        # has been taken from is not lowered once more.
        by_python = self.strip_accents is not None

        def count(part: list[str]) -> tuple[NDArray[Any], ...]:
            return count_ngrams(
                [t if t.isascii() and not by_python else prepare(t) for t in part],
                analyzer=self.analyzer,
                lowercase=self.lowercase and not by_python,
                alternate_sign=self.alternate_sign,
                ngram_range=self.ngram_range,
                n_features=self.n_features,
                stop_words=stop_words,
            )

        parts = self._portions(documents)
        if len(parts) == 1:
            indices, counts, indptr = count(documents)
        else:
            with ThreadPoolExecutor(len(parts)) as threads:
                indices, counts, indptr = _stacked(list(threads.map(count, parts)))
        rows = sp.csr_matrix((len(documents), self.n_features), dtype=self.dtype)
        rows.data, rows.indices = counts.astype(self.dtype), indices
        rows.indptr = indptr.astype(np.int32 if indptr[-1] < 2**31 else np.int64)
        rows.has_canonical_format = True
        return rows

    def _is_compiled(self) -> bool:
        """Whether no step has been replaced by a user's own."""
        return (
            self.analyzer in ("char", "char_wb")
            or (
                self.analyzer == "word"
                and self.tokenizer is None
                and self.token_pattern == DEFAULT_PATTERN
            )
        ) and self.preprocessor is None

    def _count_in_python(self, documents: list[str]) -> sp.csr_matrix:
        analyzer = self.build_analyzer()
        return self._get_hasher().transform(analyzer(text) for text in documents)

    def _checked(self, X: Iterable[Any]) -> list[str]:
        """Documents as str; raise where one is missing or not text."""
        if hasattr(X, "to_list"):
            X = X.to_list()  # pandas, polars
        elif hasattr(X, "to_pylist"):
            X = X.to_pylist()  # pyarrow
        documents = X.tolist() if isinstance(X, np.ndarray) else list(X)
        for i, text in enumerate(documents):
            if type(text) is not str:
                documents[i] = self._as_text(text, i)
        return documents

    def _as_text(self, text: Any, i: int) -> str:
        if isinstance(text, bytes | str):
            return str(self.decode(text))
        if text is None or text != text:
            if self.missing == "empty":
                return ""
            raise ValueError(
                f"Document {i} is missing ({text}); leave it out, or set "
                "missing='empty' to take it for an empty text."
            )
        raise ValueError(
            f"Document {i} is of type {type(text).__name__}, but a text is expected."
        )

    def _portions(self, documents: list[str]) -> list[list[str]]:
        """One run of documents a thread, of as many characters."""
        n_threads = effective_n_jobs(self.n_jobs)
        if n_threads == 1:
            return [documents]
        ends = np.cumsum([len(text) for text in documents])
        n_threads = max(1, min(n_threads, int(ends[-1]) // CHARACTERS_PER_THREAD))
        cuts = np.searchsorted(ends, ends[-1] * np.arange(1, n_threads) / n_threads)
        cuts = pairwise([0, *cuts.tolist(), len(documents)])
        return [documents[start:stop] for start, stop in cuts]

    # ------------------------------------------------------------------- weighing

    def _weigh(self, rows: sp.csr_matrix) -> sp.csr_matrix:
        """Counts to values, in place: binary, sublinear, idf, norm."""
        if self.binary:
            rows.data.fill(1)
        if self.sublinear_tf:
            size = np.abs(rows.data)
            scale = 1 + np.log(size, where=size > 0, out=np.zeros_like(size))
            rows.data = np.copysign(scale, rows.data) * (size > 0)
        if self.use_idf:
            frequency = self.document_frequency_[rows.indices].astype(float)
            if self.smooth_idf:
                idf = np.log((1 + self.n_documents_) / (1 + frequency)) + 1
            else:
                idf = np.log(self.n_documents_ / np.maximum(frequency, 1)) + 1
            rows.data *= idf.astype(self.dtype, copy=False)
        if self.norm is not None:
            rows = normalize(rows, norm=self.norm, copy=False)
        return rows
