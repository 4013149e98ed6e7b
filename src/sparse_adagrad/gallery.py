"""All pictures and the code that makes each, on one page.

    python -m sparse_adagrad.gallery OUT

writes the folder OUT with ``index.html``, which holds its pictures itself.
"""

from __future__ import annotations

import base64
import html
import inspect
import io
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from sparse_adagrad import plots
from sparse_adagrad.demo import library_functions
from sparse_adagrad.optimizers import SGD, AdaGrad, Momentum
from sparse_adagrad.regressor import SparseAdaGradRegressor
from sparse_adagrad.textbook import published_run

Example = Callable[[Axes], Axes]


@lru_cache(maxsize=1)
def fitted() -> tuple[SparseAdaGradRegressor, sp.csr_matrix, list[str]]:
    """The demonstration's model, its rows and its words."""
    texts, n_lines = zip(*library_functions(), strict=True)
    words = TfidfVectorizer(sublinear_tf=True, dtype=np.float32)
    X = words.fit_transform(texts)
    model = SparseAdaGradRegressor(early_stopping=True, tol=None, random_state=0)
    model.fit(X, np.log2(n_lines))
    return model, X, list(words.get_feature_names_out())


def losses(ax: Axes) -> Axes:
    """How long is a function, by its words? The loss of each epoch."""
    model, _, _ = fitted()
    return plots.loss_curve(model, ax)


def rates(ax: Axes) -> Axes:
    """Rare words keep large rates, which is why AdaGrad suits sparse data."""
    model, X, _ = fitted()
    return plots.learning_rates(model, X.getnnz(axis=0), ax)


def words(ax: Axes) -> Axes:
    """Words of long and of short functions."""
    model, _, names = fitted()
    return plots.weights(model, names, 8, ax)


def paths(ax: Axes) -> Axes:
    """Down a valley that is twenty times as steep across."""
    optimizers = {
        "SGD": SGD(0.08),
        "Momentum": Momentum(0.02, 0.8),
        "AdaGrad": AdaGrad(1.5),
    }
    return plots.trajectories(optimizers, ax=ax)


def published(ax: Axes) -> Axes:
    """The run that introductions print, and with a rate in the unit of y."""
    curves = {
        "AdaGrad at 0.1": published_run(),
        "AdaGrad at 30": published_run(optimizer=AdaGrad(30.0)),
    }
    ax.set_yscale("log")
    return plots.loss_curve(curves, ax)


DEMO: tuple[Example, ...] = (losses, rates, words)
TEXTBOOK: tuple[Example, ...] = (published, paths)


def png(example: Example) -> bytes:
    """The picture that an example draws."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    example(figure.add_subplot())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90)
    return file.getvalue()


def write_pictures(folder: str | PathLike[str], examples: Iterable[Example]) -> None:
    """Write each example's picture as ``NAME.png``.

    Parameters
    ----------
    folder : str or path-like
        Is made where it does not exist.
    examples : iterable of callable

    Raises
    ------
    OSError
        If a picture cannot be written.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for example in examples:
        Path(folder, f"{example.__name__}.png").write_bytes(png(example))


def page() -> str:
    """The gallery as one HTML page that needs no other file."""
    parts = []
    for example in (*DEMO, *TEXTBOOK):
        title = html.escape(inspect.getdoc(example) or "")
        code = html.escape(inspect.getsource(example))
        picture = base64.b64encode(png(example)).decode()
        parts.append(
            f"<h2>{title}</h2>\n"
            f'<img alt="{title}" src="data:image/png;base64,{picture}">\n'
            f"<pre>{code}</pre>\n"
        )
    shared = html.escape(inspect.getsource(fitted.__wrapped__))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        "<title>sparse-adagrad in pictures</title>\n"
        "<style>body{max-width:48em;margin:2em auto;font-family:sans-serif}"
        "pre{background:#f4f4f4;padding:1em;overflow:auto}img{max-width:100%}</style>\n"
        "<h1>sparse-adagrad in pictures</h1>\n"
        f"{''.join(parts)}<h2>The model they share</h2>\n<pre>{shared}</pre>\n</html>\n"
    )


def main(arguments: list[str]) -> None:
    """Write the page; ``arguments`` is the folder alone."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise SystemExit("usage: python -m sparse_adagrad.gallery OUT")
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
