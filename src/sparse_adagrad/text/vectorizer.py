"""Text to TF-IDF in hashed columns, all at once or as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from scipy import sparse as sp
from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils._param_validation import Interval, StrOptions

from sparse_adagrad._problem import Rows
from sparse_adagrad.text.counter import Batch, TfidfCounter, documents_in_place
from sparse_adagrad.text.documents import Documents, are_strings, missing_text
from sparse_adagrad.text.ngrams import Plan, count_ngrams

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"


def _is_missing(text: Any) -> bool:
    """None, NaN, or what pandas has for both."""
    return (
        text is None
        or (isinstance(text, float) and text != text)
        or type(text).__name__ in ("NAType", "NaTType")
    )


class HashingTfidfVectorizer(HashingVectorizer, TfidfCounter):
    """Turn texts into TF-IDF rows whose columns are hashes of n-grams.

    Columns, signs and values are those of scikit-learn's `HashingVectorizer`, and with
    `use_idf` those of its `TfidfTransformer` after it; the work is done by compiled
    code. Document frequencies can grow with a stream, by `partial_fit`, at a cost that
    does not depend on the number of columns.

    Parameters
    ----------
    input, encoding, decode_error, strip_accents, lowercase, preprocessor, tokenizer, \
    stop_words, token_pattern, ngram_range, analyzer, n_features, binary, norm, \
    alternate_sign, dtype
        As `HashingVectorizer` has them; `dtype` is float32 or float64. Another
        `token_pattern` than the default, `strip_accents`, a `tokenizer`, a
        `preprocessor` or an `analyzer` that is a function go through Python: the same
        result, slower.
    use_idf : bool, default=True
        Whether counts are weighed by the inverse document frequency.
    smooth_idf : bool, default=True
        Count one more document, which has every column: log((1 + n) / (1 + df)) + 1.
        Otherwise log(n / df) + 1, where a column never seen is taken for seen once.
    sublinear_tf : bool, default=False
        Replace a count c by 1 + log(c), and -c by -(1 + log(c)).
    keep_tokens : int, default=0
        How many candidates for its most frequent n-gram each column keeps, so that
        `column_tokens` can tell what a column means. With k of them, 64 bytes each, an
        n-gram is found that makes up more than 1 / (k + 1) of its column; 1 does unless
        columns are few. N-grams of the same 32-bit hash are taken for one.
    missing : {"error", "empty"}, default="error"
        Whether None and NaN are refused or taken for empty texts.
    n_jobs : int, default=None
        Threads; the result does not depend on them.

    Attributes
    ----------
    n_documents_ : int
        Documents whose columns have been counted.
    document_frequency_ : ndarray of shape (n_features,), int64
        How many of them have an entry in each column. Only with `use_idf`.
    kept_tokens_ : ndarray of shape (n_features, keep_tokens)
        What `column_tokens` reads. Only with `keep_tokens`.

    Notes
    -----
    Texts are sequences or one-dimensional arrays of str or bytes, Series, or columns
    that offer the Arrow PyCapsule interface, which are read where they lie. Arrow does
    not say how long its buffers of offsets and data are, so that a column whose rising
    offsets point beyond its data cannot be told from a sound one.

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
        "keep_tokens": [Interval(Integral, 0, None, closed="left")],
        "missing": [StrOptions({"error", "empty"})],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        *,
        input: str = "content",
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
        keep_tokens: int = 0,
        missing: str = "error",
        n_jobs: int | None = None,
    ) -> None:
        HashingVectorizer.__init__(
            self,
            input=input,
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
        self.keep_tokens = keep_tokens
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
        batch = self._count(X, anew=True)
        with self.learned(batch, anew=True):
            self._keep(batch)
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None) -> sp.csr_matrix:
        """`fit` and `transform` in one, which reads the texts once."""
        batch = self._count(X, anew=True)
        with self.learned(batch, anew=True):
            rows = self._weigh(batch)
            self._keep(batch)
        return rows

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
        batch = self._count(X)
        with self.learned(batch):
            self._keep(batch)
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
        batch = self._count(X)
        with self.learned(batch):
            rows = self._weigh(batch)
            self._keep(batch)
        return rows

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
        # scikit-learn takes hashing for stateless, so `check_is_fitted` asks nothing.
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                f"This {type(self).__name__} has counted no documents yet; call fit or "
                "partial_fit first, or set use_idf=False."
            )
        return self._weigh(self._count(X))

    def __sklearn_is_fitted__(self) -> bool:
        return not self.use_idf or hasattr(self, "document_frequency_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.use_idf
        return tags

    @property
    def idf_(self) -> NDArray[np.float64]:
        """Inverse document frequencies, shape (n_features,), computed when read."""
        if not hasattr(self, "document_frequency_"):
            raise AttributeError("No document frequencies have been counted yet.")
        one = int(self.smooth_idf)
        frequency = np.maximum(self.document_frequency_ + one, 1)
        return np.log((self.n_documents_ + one) / frequency) + 1

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns, shape (n_features,): the class's and a number.

        Parameters
        ----------
        input_features : ignored
        """
        name = type(self).__name__.lower()
        return np.array([f"{name}{j}" for j in range(self.n_features)], object)

    def column_tokens(
        self, columns: ArrayLike
    ) -> tuple[NDArray[np.object_], NDArray[np.int8]]:
        """Tell the most frequent n-gram behind each of some columns.

        Parameters
        ----------
        columns : array-like of int, shape (n_columns,)

        Returns
        -------
        tokens : ndarray of str, shape (n_columns,)
            Empty where the column has never been seen; cut off, with "…" behind, if
            longer than the record's 54 bytes.
        signs : ndarray of shape (n_columns,), int8
            -1 where the n-gram counts down, as half of them do with `alternate_sign`:
            a weight's effect is the weight times the sign.

        Raises
        ------
        NotFittedError
            If none have been kept.
        """
        if not hasattr(self, "_kept"):
            raise NotFittedError(
                "No tokens have been kept; set keep_tokens=1 before fit or partial_fit."
            )
        return super().column_tokens(columns)

    # ------------------------------------------------------------------ counting

    def _count(self, X: Iterable[Any], *, anew: bool = False) -> Batch:
        """Count the n-grams of texts; nothing of the vectorizer changes.

        What it has learned has to be of these texts' shape, unless all begins anew.
        """
        self._validate_params()
        self._check_settings()
        if not anew:
            self._check_shapes()
        if isinstance(X, str | bytes):
            raise ValueError(
                "Iterable over raw text documents expected, string object received."
            )
        if isinstance(X, np.ndarray) and X.ndim != 1:
            raise ValueError(
                f"An array of texts must have one dimension, but it has {X.ndim}."
            )
        # Warns of stop words that the tokenizer would not leave whole.
        analyze = self.build_analyzer()
        compiled, prepared = self._is_compiled(), self._is_prepared_in_python()
        plan = Plan(
            analyzer=self.analyzer if compiled else "word",
            lowercase=self.lowercase and not prepared,
            alternate_sign=self.alternate_sign,
            ngram_range=self.ngram_range if compiled else (1, 1),
            n_features=self.n_features,
            stop_words=self.get_stop_words() if self.analyzer == "word" else None,
            note_hashes=self.keep_tokens > 0,
        )
        if not compiled:
            ngrams = map(analyze, self._texts(X))
            kept = [list(each) for each in ngrams] if self.keep_tokens else None
            batch = Batch(
                plan, kept, [count_ngrams(plan, ngrams if kept is None else kept)]
            )
        elif prepared:
            prepare = self.build_preprocessor()
            texts = [prepare(self.decode(text)) for text in self._texts(X)]
            batch = self._count_documents(plan, Documents.of_strings(texts))
        else:
            documents = documents_in_place(X, self.missing == "empty")
            if documents is None:
                documents = Documents.of_strings(self._texts(X))
            batch = self._count_documents(plan, documents)
        if not batch.n_documents:
            raise ValueError("Cannot vectorize empty sequence.")
        return batch

    def _check_settings(self) -> None:
        self._validate_ngram_range()
        self._warn_for_unused_params()
        if np.dtype(self.dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={self.dtype!r}, but float32 or float64 is needed.")

    def _check_shapes(self) -> None:
        columns = getattr(self, "document_frequency_", None)
        kept = getattr(self, "_kept", None)
        for name, before, now in (
            ("document_frequency_", columns, (self.n_features,)),
            ("kept_tokens_", kept and kept.slots, (self.n_features, self.keep_tokens)),
        ):
            if before is not None and before.shape != now and now[-1]:
                raise ValueError(
                    f"{name} has the shape {before.shape}, but n_features="
                    f"{self.n_features} and keep_tokens={self.keep_tokens} ask for "
                    f"{now}; set them back, or call fit."
                )

    def _is_compiled(self) -> bool:
        """Whether compiled code can find the n-grams."""
        if self.ngram_range[0] < 1:
            return False
        if self.analyzer == "word":
            return self.tokenizer is None and self.token_pattern == DEFAULT_PATTERN
        return not callable(self.analyzer)

    def _is_prepared_in_python(self) -> bool:
        return self.preprocessor is not None or self.strip_accents is not None

    def _texts(self, X: Iterable[Any]) -> list[Any]:
        """Documents as str, or as the user's own functions take them."""
        documents = documents_in_place(X, self.missing == "empty")
        if documents is not None:
            return [documents[i] for i in range(len(documents))]
        if hasattr(X, "to_list"):  # pandas
            X = X.to_list()
        texts: list[Any] = X.tolist() if isinstance(X, np.ndarray) else list(X)
        if self.input == "content" and are_strings(texts):
            return texts
        own = callable(self.analyzer) or self.preprocessor is not None
        for i, text in enumerate(texts):
            if type(text) is str and self.input == "content":
                continue
            if _is_missing(text):
                if self.missing == "error":
                    raise ValueError(missing_text(i, text))
                texts[i] = ""
            elif not own:
                texts[i] = self._as_text(text, i)
        return texts

    def _as_text(self, text: Any, i: int) -> str:
        text = self.decode(text)
        if not isinstance(text, str):
            raise ValueError(
                f"Document {i} is of type {type(text).__name__}, but a text is "
                "expected."
            )
        return text

    # ------------------------------------------------------------------- weighing

    def parameters(self) -> dict[str, Any]:
        """All parameters, by name."""
        return dict(self.get_params(deep=False))

    def _n_threads(self) -> int:
        return int(effective_n_jobs(self.n_jobs))

    def _weigh(self, batch: Batch) -> sp.csr_matrix:
        """Counts to values, as a matrix."""
        rows: Rows = super()._weigh(batch)
        as_array = get_config().get("sparse_interface") == "sparray"
        matrix = (sp.csr_array if as_array else sp.csr_matrix)(
            (rows.data, rows.indices, rows.indptr),
            shape=(rows.n_samples, rows.n_features),
        )
        matrix.has_canonical_format = True
        return matrix
