"""The command `sparse-adagrad`: fit, predict, inspect, demo and textbook."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, NoReturn

import numpy as np

try:
    import typer
except ImportError as error:
    raise SystemExit(
        f"The command needs {error.name}; install it with "
        "pip install 'sparse-adagrad[cli]'."
    ) from error

from sparse_adagrad.io.sources import find_sources
from sparse_adagrad.io.whole import written_whole
from sparse_adagrad.progress import RunProgress
from sparse_adagrad.run import (
    DEFAULT_COLUMNS,
    Reading,
    Run,
    new_pipeline,
    new_vectorizer,
    rows_of,
)
from sparse_adagrad.words import words_by_weight

FILES_HELP = (
    "CSV or TSV with a header, JSON lines, Parquet, svmlight; plain or .gz, .bz2, "
    '.zst; patterns; "-" for standard input.'
)
FORMAT_HELP = "As csv or jsonl.gz; else by the names' endings."


class TargetTransform(StrEnum):
    """What may be learned in the target's place."""

    log1p = "log1p"


app = typer.Typer(
    help="Linear models on sparse text features with AdaGrad.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@contextmanager
def _errors_to_user() -> Iterator[None]:
    """What a user can mend is said in one line, without a traceback."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        _stop(f"error: {error}", 1)
    except KeyboardInterrupt:
        _stop("interrupted: nothing was written", 130)


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _columns(text: str) -> int:
    """Number of columns, as 1000000 or 2**22."""
    found = re.fullmatch(r"(\d+)(?:\*\*(\d{1,2}))?", text.strip())
    n = 0 if found is None else int(found[1]) ** int(found[2] or 1)
    if not 1 <= n < 2**31:
        raise typer.BadParameter(f"{text} is no number from 1 to 2**31 - 1, as 2**22")
    return n


@app.command()
def fit(
    files: Annotated[list[str], typer.Argument(help=FILES_HELP)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model file; else that of --resume."),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(help="Column of the texts; several are joined by spaces."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column of the numbers.")] = None,
    passes: Annotated[int, typer.Option(min=1, help="Over the files.")] = 1,
    batch_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows in memory at a time. [10000]")
    ] = None,
    columns: Annotated[
        int | None,
        typer.Option(
            parser=_columns, metavar="N", help="To hash words to, as 2**22. [2**20]"
        ),
    ] = None,
    ngrams: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Fewest and most words that make a feature. [1 1]"),
    ] = None,
    target_transform: Annotated[
        TargetTransform | None,
        typer.Option(help="Learn log(1 + target); predictions are the target's."),
    ] = None,
    format: Annotated[str | None, typer.Option(help=FORMAT_HELP)] = None,
    zero_based: Annotated[
        bool | None,
        typer.Option(
            "--zero-based/--one-based",
            help="Where columns of svmlight count from; else by the first rows.",
        ),
    ] = None,
    skip_bad_lines: Annotated[
        bool, typer.Option("--skip-bad-lines", help="Leave them out and count them.")
    ] = False,
    checkpoint: Annotated[
        int | None,
        typer.Option(min=1, metavar="ROWS", help="Save each time after so many."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on from a model, from its last checkpoint if cut short."),
    ] = None,
) -> None:
    """Learn from FILES as a stream, and write the model."""
    with _errors_to_user():
        path = output or resume
        if path is None:
            raise ValueError("name a file for the model with -o")
        if path.is_dir():
            raise ValueError(f"{path} is a folder; name a file for the model")
        if not path.absolute().parent.is_dir():
            raise ValueError(f"the folder of {path} does not exist")
        given = {
            "text": text or None,
            "target": target,
            "format": format,
            "batch_rows": batch_rows,
            "zero_based": zero_based,
            "skip_bad_lines": skip_bad_lines or None,
        }
        options = {
            "columns": columns,
            "ngrams": ngrams,
            "target_transform": target_transform and target_transform.value,
        }
        start = perf_counter()
        if resume is None:
            run = _new_run(files, given, options)
        else:
            run = Run.load(resume)
            if run.reading is None:
                raise ValueError(f"{resume} was not written by fit, so has no run")
            _check_same(asdict(run.reading) | _options_of(run), given | options)
        place = None if checkpoint is None else (path, checkpoint)
        try:
            with RunProgress(run, passes) as progress:
                run.learn(files, passes, progress, place)
        except KeyboardInterrupt:
            if run.saved_to is None:
                raise
            _stop(
                f"interrupted: --resume {run.saved_to} goes on from the last "
                "checkpoint",
                130,
            )
        run.save(path)
        _report(run, path, perf_counter() - start)


def _new_run(files: list[str], given: dict[str, Any], options: dict[str, Any]) -> Run:
    formats = {source.format for source in find_sources(files, given["format"])}
    is_matrix = "svmlight" in formats
    if is_matrix and len(formats) > 1:
        raise ValueError("svmlight cannot be mixed with files of text")
    named = given["text"] is not None or given["target"] is not None
    if is_matrix and (named or options["columns"] or options["ngrams"]):
        raise ValueError(
            "an svmlight file has no columns --text or --target, and no words for "
            "--columns and --ngrams"
        )
    if not is_matrix and (given["text"] is None or given["target"] is None):
        raise ValueError("a table needs --text COLUMN and --target COLUMN")
    fewest, most = options["ngrams"] or (1, 1)
    if not 1 <= fewest <= most:
        raise ValueError(
            f"--ngrams {fewest} {most} are no numbers of words, the fewest first"
        )
    reading = Reading(
        **{"text": []} | {name: x for name, x in given.items() if x is not None}
    )
    vectorizer = None
    if not is_matrix:
        vectorizer = new_vectorizer(
            options["columns"] or DEFAULT_COLUMNS, (fewest, most)
        )
    return Run(new_pipeline(vectorizer, options["target_transform"]), reading)


def _options_of(run: Run) -> dict[str, Any]:
    vectorizer = run.pipeline.vectorizer
    return {
        "columns": None if vectorizer is None else vectorizer.n_features,
        "ngrams": None if vectorizer is None else vectorizer.ngram_range,
        "target_transform": run.pipeline.target_transform,
    }


def _check_same(before: dict[str, Any], given: dict[str, Any]) -> None:
    """A run goes on as it began."""
    for name, value in given.items():
        if value is not None and value != before[name]:
            raise ValueError(
                f"--{name.replace('_', '-')} is {value} here, but the run began with "
                f"{before[name]}; leave it out, or start a new run"
            )


def _report(run: Run, path: Path, seconds: float) -> None:
    first, last = run.passes[0], run.passes[-1]
    of = " of log(1 + target)" if run.pipeline.target_transform else ""
    lines = [
        f"progressive RMSE  {first.rmse:.5g}{of}, each row predicted before learned",
        f"RMSE of the mean  {run.rmse_of_the_mean:.5g}",
    ]
    if last is not first:
        lines.append(f"RMSE in pass {len(run.passes):<5}{last.rmse:.5g}, of seen rows")
    if last.n_skipped:
        lines.append(f"bad lines         {last.n_skipped:,} left out")
    lines += [
        f"rows              {last.n_rows:,}",
        f"columns           {run.pipeline.regressor.n_features_in_:,}",
        f"seconds           {seconds:.1f}",
        f"model             {path}",
    ]
    typer.echo("\n".join(lines))


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A file that fit has written.")],
    files: Annotated[list[str], typer.Argument(help=FILES_HELP)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to; else standard output."),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Column of the texts, if not as in fit.")
    ] = None,
    format: Annotated[str | None, typer.Option(help=FORMAT_HELP)] = None,
) -> None:
    """Write a prediction a row of FILES, a line each."""
    with _errors_to_user():
        run = Run.load(model)
        # svmlight counts from 1, which a model saved from Python is taken for.
        reading = run.reading or Reading(text=[], zero_based=False)
        reading = replace(
            reading,
            text=text or reading.text,
            target=None,
            format=format,
            skip_bad_lines=False,
        )
        holds_words = run.pipeline.vectorizer is not None
        if holds_words and not reading.text:
            raise ValueError(f"{model} names no column of texts; give --text COLUMN")
        if not holds_words:
            reading.text = []
            for source in find_sources(files, format):
                if source.format != "svmlight":
                    raise ValueError(
                        f"{model} holds no words, so {source.name} must be svmlight, "
                        "as .svm says"
                    )
        lines = _predicted_lines(run, reading, files)
        if output is None:
            sys.stdout.writelines(lines)
        else:
            with (
                written_whole(output) as beside,
                open(beside, "w", encoding="utf-8") as file,
            ):
                file.writelines(lines)


def _predicted_lines(run: Run, reading: Reading, files: list[str]) -> Iterator[str]:
    """A line for every row of the files, a batch's at a time."""
    n_features = run.pipeline.regressor.n_features_in_
    with closing(reading.batches(files, n_features)) as batches:
        for batch in batches:
            predicted = run.pipeline.predict(rows_of(batch))
            yield "".join(f"{value!r}\n" for value in predicted.tolist())


@app.command()
def inspect(
    model: Annotated[Path, typer.Argument(help="A model file.")],
    words: Annotated[int, typer.Option(min=0, help="How many of each kind.")] = 20,
) -> None:
    """Show what a model file holds: parameters, size, and its weightiest words."""
    with _errors_to_user():
        run = Run.load(model)
        vectorizer, regressor = run.pipeline.vectorizer, run.pipeline.regressor
        coef = regressor.coef_
        typer.echo(
            f"file       {model}, {model.stat().st_size / 1e6:,.1f} MB\n"
            f"samples    {regressor.t_:,} learned from\n"
            f"columns    {regressor.n_features_in_:,}, "
            f"{np.count_nonzero(coef):,} weights other than 0\n"
            f"intercept  {', '.join(f'{b:.5g}' for b in regressor.intercept_)}"
        )
        for number, each in enumerate(run.passes, 1):
            done = "" if each.done else ", cut short"
            typer.echo(
                f"pass {number:<6}{each.n_rows:,} rows, RMSE {each.rmse:.5g}{done}"
            )
        _show_parameters(run)
        if vectorizer is None or not vectorizer.keep_tokens or coef.ndim > 1:
            return
        for kind, found in zip(
            ("raise", "lower"), words_by_weight(vectorizer, coef, words), strict=True
        ):
            typer.echo(f"\nwords that {kind} a prediction")
            for word, weight in found:
                typer.echo(f"{weight:>+12.4g}  {word}")


def _show_parameters(run: Run) -> None:
    """Those of the parts, where they are not the defaults."""
    parts: list[tuple[str, Any, dict[str, Any]]] = []
    if run.reading is not None:
        parts.append(("Reading", asdict(run.reading), asdict(Reading(text=[]))))
    for name, part in (
        ("HashingTfidfVectorizer", run.pipeline.vectorizer),
        ("SparseAdaGradRegressor", run.pipeline.regressor),
    ):
        if part is not None:
            parts.append((name, part.parameters(), type(part)().parameters()))
    for name, values, usual in parts:
        changed = [f"{n}={x!r}" for n, x in values.items() if x != usual[n]]
        typer.echo(f"{name}({', '.join(changed)})")
    if run.pipeline.target_transform is not None:
        typer.echo(f"target_transform={run.pipeline.target_transform!r}")


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
    from sparse_adagrad import demo as demonstration

    with _errors_to_user():
        from sparse_adagrad.bars import EpochBar

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
    from sparse_adagrad import textbook as textbook_run

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
