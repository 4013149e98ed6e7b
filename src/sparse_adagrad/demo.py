"""The demonstration: the length of the standard library's functions by their words."""

from __future__ import annotations

import ast
import os
import sysconfig
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from sparse_adagrad.regressor import SparseAdaGradRegressor
from sparse_adagrad.run import new_vectorizer
from sparse_adagrad.text import HashingTfidfVectorizer
from sparse_adagrad.words import words_by_weight

NOT_THE_LIBRARY = {"site-packages", "dist-packages", "__pycache__"}


def library_functions(folder: Path | None = None) -> Iterator[tuple[str, int]]:
    """Source and number of lines of every function below a folder.

    Parameters
    ----------
    folder : Path or None
        None: the standard library of the Python that runs. Files that do not parse
        (the library's tests have some on purpose) are passed over.
    """
    top = folder or Path(sysconfig.get_path("stdlib"))
    for path, folders, files in os.walk(top):
        folders[:] = sorted(set(folders) - NOT_THE_LIBRARY)
        for file in sorted(files):
            if file.endswith(".py"):
                yield from _functions(Path(path) / file)


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    try:
        with tokenize.open(file) as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in test files
            text = source.read()
            tree = ast.parse(text)
    except (SyntaxError, ValueError, OSError, RecursionError):
        return
    # The parser's lines end at \n only; splitlines() knows more ends.
    lines = text.split("\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield (
                "\n".join(lines[node.lineno - 1 : node.end_lineno]),
                node.end_lineno - node.lineno + 1,
            )


@dataclass(frozen=True, slots=True)
class Result:
    """Held-out R2 of a model and the seconds of its fit."""

    name: str
    r2: float
    seconds: float


def run(show: Callable[[str], None], callback: Any = None) -> list[Result]:
    """Run the demonstration.

    Parameters
    ----------
    show : callable
        Is given each line of the report.
    callback : scikit-learn callback or None
        Watches the fit.

    Returns
    -------
    results : list of Result
        Ours first.
    """
    show("How long is a function of Python's standard library, going by its words?")
    start = perf_counter()
    texts, n_lines = zip(*library_functions(), strict=True)
    size = sum(map(len, texts)) / 1e6
    show(
        f"{len(texts):,} functions, {size:.1f} MB, read in "
        f"{perf_counter() - start:.1f} s; target: log2 of the number of lines"
    )
    train, test, y, y_test = train_test_split(
        texts, np.log2(n_lines), test_size=0.2, random_state=0
    )
    start = perf_counter()
    vectorizer = HashingTfidfVectorizer(**new_vectorizer().parameters())
    X, X_test = vectorizer.fit_transform(train), vectorizer.transform(test)
    show(
        f"TF-IDF: {X.shape[0]:,} rows to learn from, {X.shape[1]:,} hashed columns, "
        f"{X.nnz / X.shape[0]:.0f} words a row, in {perf_counter() - start:.1f} s"
    )
    model = SparseAdaGradRegressor(random_state=0)
    if callback is not None:
        model.set_callbacks(callback)
    results = []
    for name, regressor in {
        "SparseAdaGradRegressor()": model,
        "Ridge()": Ridge(),
        "SGDRegressor()": SGDRegressor(random_state=0),
        "the mean": DummyRegressor(),
    }.items():
        start = perf_counter()
        regressor.fit(X, y)
        seconds = perf_counter() - start
        results.append(
            Result(name, r2_score(y_test, regressor.predict(X_test)), seconds)
        )
        if regressor is model:
            _show_training(show, model)
    show("")
    show(f"{'held-out rows':<26}{'R2':>8}{'seconds':>10}")
    for result in results:
        show(f"{result.name:<26}{result.r2:>8.3f}{result.seconds:>10.2f}")
    _show_weights(show, vectorizer, model.coef_)
    _show_predictions(show, model.predict(X_test[:3]), y_test[:3], test[:3])
    return results


def _show_training(show: Callable[[str], None], model: SparseAdaGradRegressor) -> None:
    show("")
    show("epoch   progressive loss (half squared error, predicted before learned)")
    for epoch, loss in enumerate(model.loss_curve_, 1):
        if epoch in (1, 2, 3, 5) or epoch % 5 == 0 or epoch == model.n_iter_:
            show(f"{epoch:>5}   {loss:.4f}")


def _show_weights(
    show: Callable[[str], None], vectorizer: HashingTfidfVectorizer, coef: NDArray[Any]
) -> None:
    show("")
    for name, words in zip(
        ("long", "short"), words_by_weight(vectorizer, coef, 8), strict=True
    ):
        listed = ", ".join(f"{word} {weight:+.1f}" for word, weight in words)
        show(f"words of {name} functions: {listed}")


def _show_predictions(
    show: Callable[[str], None],
    predicted: NDArray[np.float64],
    true: NDArray[np.float64],
    texts: list[str],
) -> None:
    show("")
    for guess, truth, text in zip(predicted, true, texts, strict=True):
        first = text.strip().split("\n")[0]
        show(f"{2**guess:6.1f} lines guessed, {2**truth:4.0f} in truth: {first[:60]}")
