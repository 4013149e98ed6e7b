"""Whole files of texts and targets, or of a matrix."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as sp

from sparse_adagrad.io import svmlight
from sparse_adagrad.io.sources import find_sources
from sparse_adagrad.io.texts import read_batches


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
    """Whether a file's name says that it is svmlight; OSError if there is no file."""
    return find_sources(path)[0].format == "svmlight"


def read_texts(
    path: str | os.PathLike[str], text: str, target: str | None
) -> TextTable:
    """Read a column of texts, and one of numbers, from any file of `read_batches`.

    Parameters
    ----------
    path : str or path-like
    text, target : str
        Names of the columns; None: no target.

    Returns
    -------
    table : TextTable

    Raises
    ------
    ValueError
        If the file has no rows, lacks a column, or has a bad line; with its number.
    OSError
        If the file cannot be read.
    """
    texts: list[str] = []
    targets: list[NDArray[np.float64]] = []
    for batch in read_batches(path, text=text, target=target):
        texts += batch.texts if isinstance(batch.texts, list) else batch.texts.tolist()
        if batch.y is not None:
            targets.append(batch.y)
    return TextTable(texts, None if target is None else np.concatenate(targets))


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
        svmlight.read_svmlight(
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
