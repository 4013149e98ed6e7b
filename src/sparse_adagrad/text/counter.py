"""Documents counted into hashed columns and weighed, all but scikit-learn's manners.

`HashingTfidfVectorizer` is this as a transformer. The command uses it as it is, since
loading scikit-learn takes longer than many a file.
"""

from __future__ import annotations

import inspect
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from operator import index
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparse_adagrad._problem import Rows
from sparse_adagrad._threads import on_threads
from sparse_adagrad.text.documents import Documents
from sparse_adagrad.text.kept import KeptTokens
from sparse_adagrad.text.ngrams import Counts, Plan, Sink, count_documents
from sparse_adagrad.text.weights import damp, weigh_rows

NORMS = {None: 0, "l1": 1, "l2": 2}
# Fewer characters than this are counted faster by one thread.
CHARACTERS_PER_SHARE = 1 << 16
# Threads take share by share: one that is slow takes fewer.
SHARES_PER_THREAD = 8
# Fewer entries than this are made values of faster by the caller itself.
ENTRIES_WORTH_THREADS = 1 << 17
MOST_COLUMNS = 2**31 - 1
LEARNED = ("n_documents_", "document_frequency_", "_kept")

# Threads that share a record would write beside its arrays.
one_keeps = Lock()


def _let_one_keep() -> None:
    global one_keeps
    one_keeps = Lock()


if hasattr(os, "register_at_fork"):
    # Who holds it does not live on in a child.
    os.register_at_fork(after_in_child=_let_one_keep)


@dataclass(slots=True)
class Batch:
    """Documents that have been counted, and what they were counted from.

    Attributes
    ----------
    plan : Plan
    texts : Documents or list of list of str or None
        None where n-grams were made in Python and nobody wants them again.
    parts : list of Counts
        Runs of rows.
    values : Rows or None
        Counts as values, before they are weighed, if that has been done already.
    """

    plan: Plan
    texts: Documents | list[list[str]] | None
    parts: list[Counts]
    values: Rows | None = None

    @property
    def n_documents(self) -> int:
        return sum(len(part.ends) for part in self.parts)

    @property
    def n_ngrams(self) -> int:
        """Those that were noted."""
        return sum(int(part.ngram_ends[-1]) for part in self.parts if len(part.ends))


def _ends(batch: Batch) -> list[int]:
    """Entries up to each part of a batch, and up to the last one's end."""
    return [0, *accumulate(part.nnz for part in batch.parts)]


def is_arrow(X: Any) -> bool:
    """Whether X lies in memory as Arrow has it, rather than would be made so."""
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) or getattr(dtype, "storage", "") == "python":
        return False  # pandas, of Python's objects
    return hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__")


def documents_in_place(X: Any, empty_if_missing: bool) -> Documents | None:
    """Documents that need no objects of Python; None where X holds these."""
    if isinstance(X, Documents):
        return X
    return Documents.of_arrow(X, empty_if_missing) if is_arrow(X) else None


class TfidfCounter:
    """Counts documents, and weighs their rows by all so far.

    Parameters
    ----------
    n_features : int
    ngram_range : tuple of (int, int)
    sublinear_tf : bool
    keep_tokens : int
    dtype : dtype
        float32 or float64.
    n_jobs : int or None
        Threads; -1 for all cores, -2 for all but one.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    # What else the vectorizer has, as it is by default.
    analyzer: Any = "word"
    lowercase: bool = True
    alternate_sign: bool = True
    stop_words: Any = None
    binary: bool = False
    norm: str | None = "l2"
    use_idf: bool = True
    smooth_idf: bool = True
    missing: str = "error"

    n_documents_: int
    document_frequency_: NDArray[np.int64]
    _kept: KeptTokens

    def __init__(
        self,
        n_features: int = 2**20,
        ngram_range: tuple[int, int] = (1, 1),
        *,
        sublinear_tf: bool = False,
        keep_tokens: int = 0,
        dtype: Any = np.float64,
        n_jobs: int | None = None,
    ) -> None:
        if not 1 <= index(n_features) <= MOST_COLUMNS:
            raise ValueError(f"n_features={n_features}; 1 to {MOST_COLUMNS} are needed")
        if not 1 <= index(ngram_range[0]) <= index(ngram_range[1]):
            raise ValueError(f"ngram_range={ngram_range}; from 1 on, the fewest first")
        if index(keep_tokens) < 0:
            raise ValueError(f"keep_tokens={keep_tokens}; 0 or more are needed")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={dtype}, but float32 or float64 is needed.")
        self.n_features = n_features
        self.ngram_range = ngram_range
        self.sublinear_tf = sublinear_tf
        self.keep_tokens = keep_tokens
        self.dtype = dtype
        self.n_jobs = n_jobs

    def parameters(self) -> dict[str, Any]:
        """Those of its own, by name; all others are the vectorizer's defaults."""
        names = inspect.signature(TfidfCounter).parameters
        return {name: getattr(self, name) for name in names}

    # ------------------------------------------------------------------ learning

    @contextmanager
    def learned(self, batch: Batch, *, anew: bool = False) -> Iterator[None]:
        """Count a batch's documents, from scratch if `anew`, if all goes well.

        It is taken back if what is done meanwhile fails or is interrupted. But a record
        of tokens cannot take any back, so `_keep` comes last.
        """
        known = self.__dict__
        before = {name: known[name] for name in LEARNED if name in known}
        try:
            if anew:
                self._forget()
            self._learn(batch)
            yield
        except BaseException:
            self._forget()
            self.__dict__.update(before)
            if not anew and "document_frequency_" in before:
                for part in batch.parts:
                    part.add_to(self.document_frequency_, -part.added)
            raise

    def transform(self, X: Any) -> Any:
        """Rows of documents, weighed by those that were learned from."""
        return self._weigh(self._count(X))

    def _forget(self) -> None:
        for name in LEARNED:
            self.__dict__.pop(name, None)

    def _learn(self, batch: Batch) -> None:
        if not hasattr(self, "n_documents_"):
            self.n_documents_ = 0
        if self.use_idf:
            if not hasattr(self, "document_frequency_"):
                # Documents of before, where nobody counted columns, do not count.
                self.n_documents_ = 0
                # Pages are not touched until a column of theirs is met.
                self.document_frequency_ = np.zeros(self.n_features, np.int64)
            for part in batch.parts:
                part.add_to(self.document_frequency_, 1)
        self.n_documents_ += batch.n_documents

    def _keep(self, batch: Batch) -> None:
        """Record the n-grams of documents that have been counted for good."""
        if not self.keep_tokens:
            return
        with one_keeps:
            if not hasattr(self, "_kept"):
                self._kept = KeptTokens.empty(self.n_features, self.keep_tokens)
            keeper = self._kept.keeper(batch.plan, batch.n_ngrams)
            texts, n_shares = batch.texts, len(batch.parts)
            assert texts is not None
            try:
                keeper.count(batch.parts)
                on_threads(
                    lambda k: keeper.fill(texts, k, n_shares),
                    range(n_shares),
                    n_threads=self._n_threads(),
                )
            except BaseException:
                keeper.fill(texts, 0, 1)  # None is left without its text.
                raise

    @property
    def kept_tokens_(self) -> NDArray[np.void]:
        return self._kept.records(slice(None))

    def column_tokens(
        self, columns: ArrayLike
    ) -> tuple[NDArray[np.object_], NDArray[np.int8]]:
        """As the vectorizer's, once tokens have been kept."""
        slots = self._kept.records(np.asarray(columns, np.intp))
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

    # ------------------------------------------------------------------ counting

    def _count(self, X: Any) -> Batch:
        """Count the n-grams of str or of an Arrow column; nothing changes here."""
        documents = documents_in_place(X, self.missing == "empty")
        if documents is None:
            documents = Documents.of_strings(list(X))
        return self._count_documents(self._plan(), documents)

    def _plan(self) -> Plan:
        return Plan(
            analyzer=self.analyzer,
            lowercase=self.lowercase,
            alternate_sign=self.alternate_sign,
            ngram_range=self.ngram_range,
            n_features=self.n_features,
            stop_words=self.stop_words,
            note_hashes=self.keep_tokens > 0,
        )

    def _n_threads(self) -> int:
        n_jobs = self.n_jobs or 1
        return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)

    def _count_documents(self, plan: Plan, documents: Documents) -> Batch:
        text, n_threads, n_shares = documents.text, self._n_threads(), 1
        if n_threads > 1:
            most = SHARES_PER_THREAD * n_threads
            n_shares = max(1, min(most, text // CHARACTERS_PER_SHARE))
            n_threads = min(n_threads, n_shares)
        cuts = documents.cuts(n_shares)
        sinks = deque(Sink(text / n_threads) for _ in range(n_threads))

        def count(start: int, stop: int) -> Counts:
            sink = sinks.pop()
            try:
                return count_documents(plan, sink, documents, start, stop)
            finally:
                sinks.append(sink)

        parts = on_threads(count, cuts, cuts[1:], n_threads=n_threads)
        return Batch(plan, documents, parts)

    # ------------------------------------------------------------------- weighing

    def _prepare(self, X: Any) -> Batch:
        """Count documents, and weigh them as far as that needs none before them."""
        batch = self._count(X)
        batch.values = self._values(batch)
        return batch

    def _threads_for(self, nnz: int) -> int:
        return self._n_threads() if nnz >= ENTRIES_WORTH_THREADS else 1

    def _values(self, batch: Batch) -> Rows:
        """Counts to values: binary, sublinear."""
        ends = _ends(batch)
        nnz = ends[-1]
        data, indices = np.empty(nnz, self.dtype), np.empty(nnz, np.int32)

        def write(part: Counts, start: int, stop: int) -> None:
            part.write(indices[start:stop], data[start:stop])
            damp(data[start:stop], binary=self.binary, sublinear_tf=self.sublinear_tf)

        on_threads(write, batch.parts, ends, ends[1:], n_threads=self._threads_for(nnz))
        row_ends = [
            part.ends + start for part, start in zip(batch.parts, ends, strict=False)
        ]
        offset = np.int32 if nnz <= np.iinfo(np.int32).max else np.int64
        indptr = np.concatenate([[0], *row_ends]).astype(offset)
        return Rows(data, indices, indptr, self.n_features)

    def _weigh(self, batch: Batch) -> Any:
        """Counts to values, weighed: idf, norm. Returns `Rows`."""
        rows, batch.values = batch.values or self._values(batch), None
        ends = _ends(batch)

        def weigh(part: Counts, start: int, stop: int) -> None:
            weigh_rows(
                rows.data[start:stop],
                rows.indices[start:stop],
                part.ends,
                self.document_frequency_ if self.use_idf else np.empty(0, np.int64),
                smooth_idf=self.smooth_idf,
                n_documents=self.n_documents_ if self.use_idf else 0,
                norm=NORMS[self.norm],
            )

        n_threads = self._threads_for(rows.nnz)
        on_threads(weigh, batch.parts, ends, ends[1:], n_threads=n_threads)
        indices = rows.indices.astype(rows.indptr.dtype, copy=False)
        return Rows(rows.data, indices, rows.indptr, self.n_features)
