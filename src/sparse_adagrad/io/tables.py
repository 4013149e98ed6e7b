"""Tables of texts and targets: CSV, TSV and svmlight, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as sp

from sparse_adagrad.io import svmlight as streams

SVMLIGHT_SUFFIXES = {".svm", ".svmlight", ".libsvm"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """Texts and, where asked for, their targets.

    Attributes
    ----------
    texts : list of str
    target : ndarray of shape (n_rows,), float64, or None
    """

    texts: list[str]
    target: NDArray[np.float64] | None


def is_svmlight(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it is svmlight."""
    return _suffix(Path(path)) in SVMLIGHT_SUFFIXES


def _suffix(path: Path) -> str:
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()


def read_texts(
    path: str | os.PathLike[str], text: str, target: str | None
) -> TextTable:
    """Read a column of texts, and one of numbers, from CSV or TSV with a header.

    Parameters
    ----------
    path : str or path-like
        A name that ends in .tsv or .tsv.gz is read with tabs, any other with commas.
    text, target : str
        Names of the columns; None: no target.

    Returns
    -------
    table : TextTable

    Raises
    ------
    ValueError
        If the file is empty, lacks a column, or has a bad line; with its number.
    OSError
        If the file cannot be read.
    """
    name = os.fspath(path)
    texts: list[str] = []
    numbers: list[float] = []
    # A text may be longer than the 128 KiB that the module allows by default.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with _open_text(Path(path)) as file:
        delimiter = "\t" if _suffix(Path(path)) == ".tsv" else ","
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(rows, None)
            if not header:
                raise ValueError(f"{name} is empty; it needs a header line and rows.")
            places = [_place(header, column, name) for column in (text, target)]
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise ValueError(
                        f"{name}, line {rows.line_num}: {len(row)} fields where the "
                        f"header has {len(header)}."
                    )
                texts.append(row[places[0]])
                if target is not None:
                    numbers.append(_number(row[places[1]], target, name, rows.line_num))
        except csv.Error as error:
            raise ValueError(f"{name}, line {rows.line_num}: {error}.") from error
    if not texts:
        raise ValueError(f"{name} has a header but no rows.")
    return TextTable(texts, np.array(numbers) if target is not None else None)


def _place(header: list[str], column: str | None, name: str) -> int:
    if column is None:
        return -1
    if column not in header:
        raise ValueError(
            f"{name} has no column {column!r}. Its columns are: {', '.join(header)}."
        )
    return header.index(column)


def _number(value: str, column: str, name: str, line: int) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(
            f"{name}, line {line}: {column} is {value!r}, which is no finite number. "
            "Correct or remove the line."
        )
    return number


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    """UTF-8 text of a plain or gzipped file; its faults as errors with its name."""
    try:
        with open(path, "rb") as raw:
            binary = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            with io.TextIOWrapper(binary, "utf-8-sig", newline="") as text:
                yield text
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text ({error.reason}); convert it first."
        ) from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path} is no whole gzip file: {error}.") from error


@dataclass(frozen=True, slots=True)
class MatrixTable:
    """Rows of an svmlight file.

    Attributes
    ----------
    X : csr_matrix of shape (n_rows, n_features), float64
    target : ndarray of shape (n_rows,), float64
    zero_based : bool
        Whether the file's columns count from 0.
    """

    X: sp.csr_matrix
    target: NDArray[np.float64]
    zero_based: bool


def read_svmlight(
    path: str | os.PathLike[str],
    n_features: int | None = None,
    zero_based: bool | None = None,
) -> MatrixTable:
    """Read a matrix and targets from an svmlight file.

    Parameters
    ----------
    path : str or path-like
    n_features : int or None
        Width of the matrix; None: as wide as the file. Needs `zero_based`.
    zero_based : bool or None
        Whether columns count from 0. None: if the file has a column 0. A file to
        predict cannot tell, since it may just lack that column: say what the
        training file had.

    Returns
    -------
    table : MatrixTable

    Raises
    ------
    ValueError
        With the line's number, if it is no svmlight, or has a column that the given
        width or base does not allow.
    OSError
        If the file cannot be read.
    """
    # Which columns a file has is known at its end only, so it is read from column 0 on.
    batches = list(
        streams.read_svmlight(
            path, n_features=n_features, zero_based=zero_based is not False
        )
    )
    width = batches[-1].X.shape[1]
    for batch in batches:
        batch.X.resize(batch.X.shape[0], width)
    X = sp.vstack([batch.X for batch in batches], format="csr")
    y = np.concatenate([batch.y for batch in batches])
    if zero_based is None:
        zero_based = X.nnz > 0 and int(X.indices.min()) == 0
        X = X if zero_based else X[:, 1:]
    return MatrixTable(X, y, zero_based)
