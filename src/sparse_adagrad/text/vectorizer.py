"""Text to TF-IDF in hashed columns, all at once or as a stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import cpu_count, effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from scipy import sparse as sp
from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils._param_validation import Interval, StrOptions

from sparse_adagrad.text.documents import Documents, missing_text
from sparse_adagrad.text.ngrams import (
    KEPT_DTYPE,
    Counts,
    Keeper,
    Plan,
    count_documents,
    count_ngrams,
)
from sparse_adagrad.text.weights import weigh_rows

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"
NORMS = {None: 0, "l1": 1, "l2": 2}
# Fewer characters than this are counted faster by one thread.
CHARACTERS_PER_THREAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents that have been counted, and what they were counted from.

    Attributes
    ----------
    plan : Plan
    texts : Documents or list of list of str or None
        None where n-grams were made in Python and nobody wants them again.
    parts : list of Counts
        Runs of rows.
    """

    plan: Plan
    texts: Documents | list[list[str]] | None
    parts: list[Counts]

    @property
    def n_documents(self) -> int:
        return sum(len(part.ends) for part in self.parts)


@cache
def _threads() -> ThreadPoolExecutor:
    """Threads that stay, as starting them takes as long as counting a short text."""
    return ThreadPoolExecutor(cpu_count(), "sparse_adagrad.text")


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads.
    os.register_at_fork(after_in_child=_threads.cache_clear)


def _each(function: Callable[..., Any], *runs: Any) -> list[Any]:
    """Map on one thread for each item; the first is as good as the caller's own."""
    first, *others = zip(*runs, strict=False)
    waiting = [_threads().submit(function, *run) for run in others]
    try:
        results = [function(*first)]
    finally:
        wait(waiting)  # Nobody works on behind the caller's back.
    return results + [each.result() for each in waiting]


def _is_missing(text: Any) -> bool:
    """None, NaN, or what pandas has for both."""
    return (
        text is None
        or (isinstance(text, float) and text != text)
        or type(text).__name__ in ("NAType", "NaTType")
    )


def _is_arrow(X: Any) -> bool:
    """Whether X lies in memory as Arrow has it, rather than would be made so."""
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) or getattr(dtype, "storage", "") == "python":
        return False  # pandas, of Python's objects
    return hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__")


class HashingTfidfVectorizer(HashingVectorizer):
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
        super().__init__(
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
        batch = self._count(X)
        self._forget()
        self._learn(batch)
        self._keep(batch)
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None) -> sp.csr_matrix:
        """`fit` and `transform` in one, which reads the texts once."""
        batch = self._count(X)
        self._forget()
        self._learn(batch)
        self._keep(batch)
        return self._weigh(batch)

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
        self._learn(batch)
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
        self._learn(batch)
        self._keep(batch)
        return self._weigh(batch)

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
        if not hasattr(self, "kept_tokens_"):
            raise NotFittedError(
                "No tokens have been kept; set keep_tokens=1 before fit or partial_fit."
            )
        slots = self.kept_tokens_[np.asarray(columns, np.intp)]
        # Where all slots have counted down to 0, what they still hold is as good.
        rank = slots["count"] + (slots["size"] > 0).astype(np.int64)
        best = slots[np.arange(len(slots)), rank.argmax(axis=1)]
        tokens = np.empty(len(best), object)
        for place, slot in enumerate(best):
            size = int(slot["size"])
            # NumPy drops zeros at the end of bytes.
            kept = slot["text"].ljust(size, b"\0")[: slot.dtype["text"].itemsize]
            tokens[place] = kept.decode(errors="ignore") + "…" * (size > len(kept))
        down = self.alternate_sign & (best["hash"] >> 31 == 1)
        return tokens, np.where(down, -1, 1).astype(np.int8)

    def _forget(self) -> None:
        for name in ("n_documents_", "document_frequency_", "kept_tokens_"):
            self.__dict__.pop(name, None)

    def _learn(self, batch: Batch, by: int = 1) -> None:
        """Count documents, or with -1 take back those that were just counted."""
        if not hasattr(self, "n_documents_"):
            self.n_documents_ = 0
        if self.use_idf:
            if not hasattr(self, "document_frequency_"):
                # Documents of before, where nobody counted columns, do not count.
                self.n_documents_ = 0
                # Pages are not touched until a column of theirs is met.
                self.document_frequency_ = np.zeros(self.n_features, np.int64)
            for part in batch.parts:
                part.add_to(self.document_frequency_, by)
        self.n_documents_ += by * batch.n_documents

    def _keep(self, batch: Batch) -> None:
        """Record the n-grams of documents that have been counted for good."""
        if not self.keep_tokens:
            return
        if not hasattr(self, "kept_tokens_"):
            self.kept_tokens_ = np.zeros(
                (self.n_features, self.keep_tokens), KEPT_DTYPE
            )
        keeper = Keeper(batch.plan, self.kept_tokens_)
        first = 0
        for part in batch.parts:
            keeper.count(part, first)
            first += len(part.ends)
        keeper.settle()
        if isinstance(batch.texts, Documents):
            n_threads = len(batch.parts)
            texts = batch.texts
            _each(lambda k: keeper.fill(texts, k, n_threads), range(n_threads))
        elif batch.texts is not None:
            keeper.fill_from_ngrams(batch.texts)

    # ------------------------------------------------------------------ counting

    def _count(self, X: Iterable[Any]) -> Batch:
        """Count the n-grams of texts; nothing of the vectorizer changes."""
        self._validate_params()
        self._check_settings()
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
        elif _is_arrow(X) and not prepared:
            batch = self._count_documents(
                plan, Documents.of_arrow(X, self.missing == "empty")
            )
        else:
            texts = self._texts(X)
            if prepared:
                prepare = self.build_preprocessor()
                texts = [prepare(self.decode(text)) for text in texts]
            batch = self._count_documents(plan, Documents.of_strings(texts))
        if not batch.n_documents:
            raise ValueError("Cannot vectorize empty sequence.")
        return batch

    def _count_documents(self, plan: Plan, documents: Documents) -> Batch:
        cuts = self._cuts(documents)
        parts = _each(
            lambda start, stop: count_documents(plan, documents, start, stop),
            cuts[:-1],
            cuts[1:],
        )
        return Batch(plan, documents, parts)

    def _check_settings(self) -> None:
        self._validate_ngram_range()
        self._warn_for_unused_params()
        if np.dtype(self.dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={self.dtype!r}, but float32 or float64 is needed.")
        for name, now in (
            ("document_frequency_", (self.n_features,)),
            ("kept_tokens_", (self.n_features, self.keep_tokens)),
        ):
            before = getattr(self, name, None)
            if before is not None and before.shape != now and now[-1]:
                raise ValueError(
                    f"{name} has the shape {before.shape}, but n_features="
                    f"{self.n_features} and keep_tokens={self.keep_tokens} ask for "
                    f"{now}; set them back, or make a new vectorizer."
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
        if _is_arrow(X):
            column = Documents.of_arrow(X, self.missing == "empty")
            return [column[i] for i in range(len(column))]
        if hasattr(X, "to_list"):  # pandas
            X = X.to_list()
        texts: list[Any] = X.tolist() if isinstance(X, np.ndarray) else list(X)
        if self.input == "content" and set(map(type, texts)) == {str}:
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

    def _cuts(self, documents: Documents) -> list[int]:
        """Where runs of documents of as many characters end, one for each thread."""
        n_threads = effective_n_jobs(self.n_jobs)
        if n_threads > 1:
            ends = np.cumsum(documents.sizes)
            total = int(ends[-1]) if len(ends) else 0
            n_threads = max(1, min(n_threads, total // CHARACTERS_PER_THREAD))
        if n_threads == 1:
            return [0, len(documents)]
        shares = total * np.arange(1, n_threads) / n_threads
        return [0, *np.searchsorted(ends, shares).tolist(), len(documents)]

    # ------------------------------------------------------------------- weighing

    def _weigh(self, batch: Batch) -> sp.csr_matrix:
        """Counts to values: binary, sublinear, idf, norm."""
        starts = np.cumsum([0, *(part.nnz for part in batch.parts)])
        nnz = int(starts[-1])
        data, indices = np.empty(nnz, self.dtype), np.empty(nnz, np.int32)

        def weigh(part: Counts, start: int, stop: int) -> None:
            part.write(indices[start:stop], data[start:stop])
            weigh_rows(
                data[start:stop],
                indices[start:stop],
                part.ends,
                self.document_frequency_ if self.use_idf else np.empty(0, np.int64),
                binary=self.binary,
                sublinear_tf=self.sublinear_tf,
                smooth_idf=self.smooth_idf,
                n_documents=self.n_documents_ if self.use_idf else 0,
                norm=NORMS[self.norm],
            )

        _each(weigh, batch.parts, starts[:-1], starts[1:])
        ends = [
            part.ends + start for part, start in zip(batch.parts, starts, strict=False)
        ]
        index = np.int32 if nnz <= np.iinfo(np.int32).max else np.int64
        indptr = np.concatenate([[0], *ends]).astype(index)
        as_array = get_config().get("sparse_interface") == "sparray"
        rows = (sp.csr_array if as_array else sp.csr_matrix)(
            (data, indices.astype(index, copy=False), indptr),
            shape=(batch.n_documents, self.n_features),
        )
        rows.has_canonical_format = True
        return rows
