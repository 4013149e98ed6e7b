"""Batches of CSR rows from svmlight files."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import inf
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.io import svmlight_lines as lines
from sparse_adagrad.io.blocks import (
    BATCH_BYTES,
    BATCH_ROWS,
    Batch,
    Limits,
    OnBadLine,
    Part,
    cut,
    stream,
)
from sparse_adagrad.io.columns import bad_target, shown, text_of
from sparse_adagrad.io.sources import Paths, Progress, Source, find_sources

if TYPE_CHECKING:
    from scipy import sparse as sp

MAX_FEATURES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class MatrixBatch(Batch):
    """Rows of a matrix and their targets.

    Attributes
    ----------
    y : ndarray of shape (n_rows,), float64
    X : csr_matrix of shape (n_rows, n_features), float64
    zero_based : bool
        Whether the file's columns count from 0.
    skipped, bytes_read, bytes_total : int
        As `Batch` has them.
    """

    y: NDArray[np.float64]
    X: sp.csr_matrix
    zero_based: bool


def read_svmlight(
    paths: Paths,
    *,
    n_features: int | None = None,
    zero_based: bool | Literal["auto"] = "auto",
    format: str | None = None,
    batch_rows: int = BATCH_ROWS,
    batch_bytes: int = BATCH_BYTES,
    on_bad_line: OnBadLine = "error",
    target_above: float = -inf,
) -> Generator[MatrixBatch, None, None]:
    """Read matrices and targets from svmlight files, in batches.

    A line is ``target column:value column:value ...`` with rising columns; after the
    target there may be ``qid:number``, which is passed over, and after ``#`` a comment.
    Values are what `float` makes of them. Reading is ahead of the batches, on a thread;
    closing the generator ends it.

    Parameters
    ----------
    paths : str, path-like or sequence of these
        Files, patterns, or "-" for standard input; plain, .gz, .bz2 or .zst.
    n_features : int or None
        Columns of the matrices; a file may have fewer. None: as many as the stream has
        had so far, but one at least, so that matrices grow.
    zero_based : bool or "auto"
        Whether columns count from 0. "auto": if there is a column 0 among the first
        rows that have columns, at most `batch_rows`. If one comes later, that is an
        error.
    format : str or None
        As "svmlight" or "svm.gz". None: by the names' endings.
    batch_rows, batch_bytes : int
        Lines of a batch, and bytes of text read for it, at most.
    on_bad_line : {"error", "skip"}
        Whether a bad line ends the stream, or is left out and counted.
    target_above : float
        A line whose target is not above it is bad.

    Yields
    ------
    batch : MatrixBatch

    Raises
    ------
    ValueError
        With file and line, if a line is bad: no svmlight, a target or value that is no
        finite number, columns that do not rise or are beyond `n_features`. If there
        are no rows, or a column 0 in files that count from 1.
    OSError
        If a file cannot be read.
    """
    limits = Limits.of(batch_rows, batch_bytes, on_bad_line, target_above)
    if n_features is not None and not (
        isinstance(n_features, Integral) and 1 <= n_features <= MAX_FEATURES
    ):
        raise ValueError(
            f"n_features={n_features!r}; it must be an integer from 1 to "
            f"{MAX_FEATURES}."
        )
    if zero_based not in (True, False, "auto"):
        raise ValueError(f'zero_based={zero_based!r}; give True, False or "auto".')
    sources = find_sources(paths, format)
    for source in sources:
        if source.format != "svmlight":
            raise ValueError(f"{source.name} is {source.format}, not svmlight.")
    columns = _Columns(n_features, {True: 0, False: 1, "auto": None}[zero_based])

    def parts(source: Source, progress: Progress) -> Iterator[Part]:
        with source.open(progress) as file:
            rows = _Rows(source.name, columns, limits)
            yield from cut(file, limits.batch_bytes, rows.parse, source.name)

    return stream(sources, parts, MatrixBatch)


@dataclass
class _Columns:
    """What the stream has told of its columns."""

    n_features: int | None
    base: int | None
    width: int = 0


class _Rows:
    """Parses the lines of one file."""

    def __init__(self, name: str, columns: _Columns, limits: Limits) -> None:
        self.name = name
        self.columns = columns
        self.limits = limits
        self.n_lines = 0

    def parse(self, block: bytes, start: int, final: bool) -> tuple[int, Part]:
        """Rows from `start` on, for `cut`."""
        columns, skip = self.columns, self.limits.skip
        whole = (block, start, self.limits.batch_rows, final)
        if columns.base is None:
            _, _, indices, *_ = lines.parse_lines(
                *whole, True, 0, MAX_FEATURES, self.limits.target_above
            )
            if len(indices):
                columns.base = int(indices.min() > 0)
        base = columns.base or 0
        n_features = columns.n_features or MAX_FEATURES
        y, data, indices, indptr, end, n_lines, n_skipped, fault = lines.parse_lines(
            *whole, skip, base, n_features, self.limits.target_above
        )
        if fault is not None:
            code, line, place = fault
            field, above = _field(block, place), self.limits.target_above
            what = _fault(code, field, base, columns.n_features, above)
            raise ValueError(f"{self.name}, line {self.n_lines + line + 1}: {what}")
        self.n_lines += n_lines
        if len(indices):
            columns.width = max(columns.width, int(indices.max()) + 1)
        # A matrix of no columns is none to learn from, if only empty rows have come.
        width = columns.n_features or max(1, columns.width)
        # Loaded with the first rows, since files of text do without SciPy.
        from scipy import sparse as sp

        X = sp.csr_matrix((data, indices, indptr), shape=(len(y), width))
        return end, ((y, X, columns.base == 0), n_skipped)


def _field(block: bytes, place: int) -> str:
    line = block[place:].partition(b"\n")[0]
    field = line.partition(b"#")[0].split(maxsplit=1)
    return text_of(field[0]) if field else ""


def _fault(
    code: int, field: str, base: int, n_features: int | None, target_above: float
) -> str:
    column = field.partition(":")[0]
    if code == lines.BAD_TARGET:
        return bad_target("the target", field, target_above)
    if code == lines.BAD_VALUE:
        return f"{shown(field)} does not end in a finite number."
    if code == lines.COLUMN_0:
        return (
            "there is a column 0, but columns count from 1 here. If they count from 0 "
            "in all files, give zero_based=True, or --zero-based to the command."
        )
    if code == lines.COLUMN_ORDER:
        return f"column {column} comes after one as large; columns must rise."
    if code == lines.COLUMN_LARGE and n_features is not None:
        return (
            f"column {column} is beyond the {n_features} columns there are, which "
            f"count from {base}."
        )
    if code == lines.COLUMN_LARGE:
        return f"column {column} is too large; there can be {MAX_FEATURES} columns."
    return f"{shown(field)} is no column:value."
