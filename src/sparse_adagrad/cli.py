"""The command `sparse-adagrad`: fit, predict, demo and textbook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

try:
    import typer
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
except ImportError as error:
    raise SystemExit(
        f"The command needs {error.name}; install it with "
        "pip install 'sparse-adagrad[cli]'."
    ) from error

from sparse_adagrad import demo as demonstration
from sparse_adagrad import textbook as textbook_run
from sparse_adagrad.io import tables
from sparse_adagrad.io.text_model import TextModel, new_vectorizer
from sparse_adagrad.regressor import SparseAdaGradRegressor

FILE_HELP = "CSV or TSV with a header, JSON lines, Parquet, svmlight; or compressed."
HELD_OUT = 0.1
SEED = 0

app = typer.Typer(
    help="Linear models on sparse text features with AdaGrad.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class EpochBar:
    """scikit-learn callback: a bar of epochs with rows a second and the loss."""

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs  {task.fields[note]}"),
            console=Console(stderr=True),
        )

    def setup(self, estimator: Any, context: Any) -> None:
        self.task = self.bar.add_task("", total=estimator.max_iter, note="")
        self.start = perf_counter()
        self.bar.start()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        pass

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        if context.parent is None:
            return
        rows = estimator.t_ / (perf_counter() - self.start)
        loss = estimator.loss_curve_[-1]
        self.bar.update(
            self.task,
            completed=estimator.n_iter_,
            note=f"{rows:,.0f} rows/s  progressive loss {loss:.5g}",
        )

    def teardown(self, estimator: Any, context: Any) -> None:
        self.bar.stop()


@contextmanager
def _errors_to_user() -> Iterator[None]:
    """What a user can mend is said in one line, without a traceback."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was written", err=True)
        raise typer.Exit(130) from None


@app.command()
def fit(
    file: Annotated[Path, typer.Argument(help=FILE_HELP)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file.")],
    text: Annotated[str | None, typer.Option(help="Column of the texts.")] = None,
    target: Annotated[str | None, typer.Option(help="Column of the numbers.")] = None,
) -> None:
    """Train on nine tenths of FILE, measure on the rest, and write the model."""
    with _errors_to_user():
        if output.is_dir():
            raise ValueError(f"{output} is a folder; name a file for the model")
        if not output.absolute().parent.is_dir():
            raise ValueError(f"the folder of {output} does not exist")
        start = perf_counter()
        if tables.is_svmlight(file):
            if text is not None or target is not None:
                raise ValueError("an svmlight file has no columns --text or --target")
            rows: Any
            matrix = tables.read_svmlight(file)
            rows, y, zero_based = matrix.X, matrix.target, matrix.zero_based
            vectorizer = None
        else:
            if text is None or target is None:
                raise ValueError("a table needs --text COLUMN and --target COLUMN")
            table = tables.read_texts(file, text, target)
            assert table.target is not None
            rows, y = np.array(table.texts, dtype=object), table.target
            vectorizer, zero_based = new_vectorizer(), False
        if len(y) < 2:
            raise ValueError(f"{file} has 1 row; at least 2 are needed to hold one out")
        train, test, y_train, y_test = train_test_split(
            rows, y, test_size=HELD_OUT, random_state=SEED
        )
        if vectorizer is not None:
            train = vectorizer.fit_transform(train)
            test = vectorizer.transform(test)
        model = SparseAdaGradRegressor(random_state=SEED).set_callbacks(EpochBar())
        model.fit(train, y_train)
        model.set_callbacks()
        predicted = model.predict(test)
        TextModel(model, vectorizer, text, zero_based).save(output)
        seconds = perf_counter() - start
        mean = np.full(len(y_test), y_train.mean())
        r2 = (
            f"{r2_score(y_test, predicted):.4f}"
            if len(y_test) > 1
            else "of one row: none"
        )
        typer.echo(
            f"held-out RMSE     {root_mean_squared_error(y_test, predicted):.5g}\n"
            f"held-out R2       {r2}\n"
            f"RMSE of the mean  {root_mean_squared_error(y_test, mean):.5g}\n"
            f"rows              {len(y_train):,} learned from, "
            f"{len(y_test):,} held out\n"
            f"columns           {train.shape[1]:,}\n"
            f"seconds           {seconds:.1f}\n"
            f"model             {output}"
        )


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A file that fit has written.")],
    file: Annotated[Path, typer.Argument(help=FILE_HELP)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to; else standard output."),
    ] = None,
) -> None:
    """Write a prediction a row of FILE, a line each."""
    with _errors_to_user():
        loaded = TextModel.load(model)
        if loaded.vectorizer is None:
            if not tables.is_svmlight(file):
                raise ValueError(
                    f"{model} holds no words, so {file} must be svmlight, as .svm says"
                )
            matrix = tables.read_svmlight(
                file, loaded.regressor.n_features_in_, loaded.zero_based
            )
            predicted = loaded.regressor.predict(matrix.X)
        else:
            assert loaded.text_column is not None
            table = tables.read_texts(file, loaded.text_column, None)
            predicted = loaded.predict(table.texts)
        lines = "".join(f"{value!r}\n" for value in predicted.tolist())
        if output is None:
            sys.stdout.write(lines)
        else:
            output.write_text(lines, encoding="utf-8")


PlotsOption = Annotated[
    Path | None, typer.Option("--plots", help="Write pictures to this folder.")
]


def _write_pictures(folder: Path, of: str) -> None:
    """Pictures of a command; matplotlib is needed for these alone."""
    try:
        from sparse_adagrad import gallery
    except ImportError as error:
        raise ValueError(
            f"--plots needs {error.name or 'matplotlib'}; install it with "
            "pip install 'sparse-adagrad[plot]'"
        ) from error
    gallery.write_pictures(folder, getattr(gallery, of))
    typer.echo(f"pictures in {folder}")


@app.command()
def demo(plots: PlotsOption = None) -> None:
    """Learn from the source of Python's standard library, beside scikit-learn."""
    with _errors_to_user():
        demonstration.run(typer.echo, EpochBar())
        if plots is not None:
            _write_pictures(plots, "DEMO")


@app.command()
def textbook(
    seed: Annotated[int, typer.Option(help="Of the first weights.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 100,
    batch_size: Annotated[
        int | None, typer.Option(help="Examples sampled for a step; else all.")
    ] = None,
    plots: PlotsOption = None,
) -> None:
    """Repeat the run that introductions to AdaGrad print, and beat it."""
    with _errors_to_user():
        textbook_run.published_run(
            seed=seed, epochs=epochs, batch_size=batch_size, show=typer.echo
        )
        errors = textbook_run.defaults_run(seed)
        typer.echo(
            "\nmean squared error on the test part\n"
            f"SparseAdaGradRegressor()  {errors.estimator:.1f}\n"
            f"LinearRegression()        {errors.least_squares:.1f}"
        )
        if plots is not None:
            _write_pictures(plots, "TEXTBOOK")


def main() -> None:
    """Entry point."""
    app()
