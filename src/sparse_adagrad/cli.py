"""The command `sparse-adagrad`: fit, predict, inspect, demo and textbook."""

from __future__ import annotations

import os
import re
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

import numpy as np

from sparse_adagrad.io.sources import Source, find_sources
from sparse_adagrad.io.whole import check_writable, written_whole
from sparse_adagrad.progress import RunProgress
from sparse_adagrad.run import (
    DEFAULT_COLUMNS,
    Reading,
    Run,
    began_otherwise,
    changed,
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


@contextmanager
def _errors_to_user() -> Iterator[None]:
    """What a user can mend is said in one line, without a traceback."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has read enough, as `head` does; nothing is left to flush to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except (ValueError, OSError, ImportError) as error:
        what = str(error)
        if isinstance(error, OSError) and error.filename is not None:
            what = f"{error.filename}: {error.strerror}"
        _stop(" ".join(["error:", what, *getattr(error, "__notes__", ())]), 1)
    except KeyboardInterrupt:
        _stop("interrupted: nothing was written", 130)


def _stop(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(code)


def _columns(text: str) -> int:
    """Number of columns, as 1000000 or 2**22."""
    found = re.fullmatch(r"(\d+)(?:\*\*(\d{1,2}))?", text.strip())
    n = 0 if found is None else int(found[1]) ** int(found[2] or 1)
    if not 1 <= n < 2**31:
        raise ArgumentTypeError(f"{text} is no number from 1 to 2**31 - 1, as 2**22")
    return n


def _at_least(least: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if not least <= int(text) < 2**31:
            raise ArgumentTypeError(f"{text} is not from {least} to 2**31 - 1")
        return int(text)

    return integer


def fit(
    files: list[str],
    output: Path | None,
    resume: Path | None,
    passes: int | None,
    checkpoint: int | None,
    columns: int | None,
    ngrams: list[int] | None,
    target_transform: str | None,
    **given: Any,
) -> None:
    """Learn from FILES as a stream, and write the model."""
    with _errors_to_user():
        path = output or resume
        if path is None:
            raise ValueError("name a file for the model with -o")
        options = {
            "columns": columns,
            "ngrams": ngrams and tuple(ngrams),
            "target_transform": target_transform,
        }
        start = perf_counter()
        if resume is None:
            sources = find_sources(files, given["format"])
            run = _new_run(sources, given, options)
        else:
            run = Run.load(resume)
            if run.reading is None:
                raise ValueError(f"{resume} was not written by fit, so has no run")
            before = _options_of(run)
            for name, value in changed(before, options).items():
                raise ValueError(began_otherwise(name, value, before[name]))
            run.read_as(given, files)
            sources = find_sources(files, run.reading.format)
            _check_kind(resume, run, sources)
        _check_output(path, "--resume" if output is None else "-o", sources)
        n_passes = passes or run.passes_to_make
        place = None if checkpoint is None else (path, checkpoint)
        try:
            with RunProgress(run, n_passes) as progress:
                run.learn(files, n_passes, progress, place)
        except KeyboardInterrupt:
            if run.saved_to is None:
                raise
            _stop(f"interrupted: {_goes_on(run)}", 130)
        except (ValueError, OSError) as error:
            if run.saved_to is not None:
                error.add_note(f"{_goes_on(run)}.")
                if isinstance(error, ValueError):
                    error.add_note("With --skip-bad-lines it leaves a bad line out.")
            raise
        run.save(path)
        _report(run, path, perf_counter() - start)


def _goes_on(run: Run) -> str:
    return f"--resume {run.saved_to} goes on from the last checkpoint"


def _check_output(
    path: Path, option: str, sources: list[Source], model: Path | None = None
) -> None:
    """See before any work that a file can be written there, and none is lost."""
    if str(path) == "-":
        raise ValueError(f"{option} names a file, and - is none")
    check_writable(path)
    read = [Path(source.name) for source in sources if source.size is not None]
    for each in [*read, *([model] if model else [])]:
        if path.exists() and path.samefile(each):
            raise ValueError(f"{option} {path} would overwrite {each}, which is read")


def _new_run(
    sources: list[Source], given: dict[str, Any], options: dict[str, Any]
) -> Run:
    formats = {source.format for source in sources}
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
    if not is_matrix and given["zero_based"] is not None:
        raise ValueError("--zero-based and --one-based are for svmlight files")
    fewest, most = options["ngrams"] or (1, 1)
    if fewest > most:
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


def _check_kind(model: Path, run: Run, sources: list[Source]) -> None:
    """See that files hold what the model takes: words, or columns."""
    holds_words = run.pipeline.vectorizer is not None
    for source in sources:
        if holds_words and source.format == "svmlight":
            raise ValueError(
                f"{model} was learned from words, so {source.name} must hold texts, "
                "not svmlight"
            )
        if not holds_words and source.format != "svmlight":
            raise ValueError(
                f"{model} holds no words, so {source.name} must be svmlight, as .svm "
                "says"
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
    print("\n".join(lines))


def predict(
    model: Path,
    files: list[str],
    output: Path | None,
    text: list[str] | None,
    format: str | None,
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
        sources = find_sources(files, format)
        _check_kind(model, run, sources)
        if not holds_words:
            reading.text = []
        if output is not None:
            _check_output(output, "-o", sources, model)
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


def inspect(model: Path, words: int) -> None:
    """Show what a model file holds: parameters, size, and its weightiest words."""
    with _errors_to_user():
        run = Run.load(model)
        vectorizer, regressor = run.pipeline.vectorizer, run.pipeline.regressor
        coef = regressor.coef_
        print(
            f"file       {model}, {model.stat().st_size / 1e6:,.1f} MB\n"
            f"samples    {regressor.t_:,} learned from\n"
            f"columns    {regressor.n_features_in_:,}, "
            f"{np.count_nonzero(coef):,} weights other than 0\n"
            f"intercept  {', '.join(f'{b:.5g}' for b in regressor.intercept_)}"
        )
        for number, each in enumerate(run.passes, 1):
            done = "" if each.done else ", cut short"
            print(f"pass {number:<6}{each.n_rows:,} rows, RMSE {each.rmse:.5g}{done}")
        _show_parameters(run)
        if vectorizer is None or not vectorizer.keep_tokens or coef.ndim > 1:
            return
        for kind, found in zip(
            ("raise", "lower"), words_by_weight(vectorizer, coef, words), strict=True
        ):
            print(f"\nwords that {kind} a prediction")
            for word, weight in found:
                print(f"{weight:>+12.4g}  {word}")


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
        changed = [
            f"{n}={x.__name__ if isinstance(x, type) else repr(x)}"
            for n, x in values.items()
            if x != usual[n]
        ]
        print(f"{name}({', '.join(changed)})")
    if run.pipeline.target_transform is not None:
        print(f"target_transform={run.pipeline.target_transform!r}")


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
    print(f"pictures in {folder}")


def demo(plots: Path | None) -> None:
    """Learn from the source of Python's standard library, beside scikit-learn."""
    from sparse_adagrad import demo as demonstration

    with _errors_to_user():
        from sparse_adagrad.bars import EpochBar

        demonstration.run(print, EpochBar())
        if plots is not None:
            _write_pictures(plots, "DEMO")


def textbook(
    seed: int, epochs: int, batch_size: int | None, plots: Path | None
) -> None:
    """Repeat the run that introductions to AdaGrad print, and beat it."""
    from sparse_adagrad import textbook as textbook_run

    with _errors_to_user():
        textbook_run.published_run(
            seed=seed, epochs=epochs, batch_size=batch_size, show=print
        )
        errors = textbook_run.defaults_run(seed)
        print(
            "\nmean squared error on the test part\n"
            f"SparseAdaGradRegressor()  {errors.estimator:.1f}\n"
            f"LinearRegression()        {errors.least_squares:.1f}"
        )
        if plots is not None:
            _write_pictures(plots, "TEXTBOOK")


def _fit_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="+", metavar="FILES", help=FILES_HELP)
    add("-o", "--output", type=Path, help="The model file; else that of --resume.")
    column = "Column of the texts; given more than once, they are joined by spaces."
    add("--text", action="append", metavar="COLUMN", help=column)
    add("--target", metavar="COLUMN", help="Column of the numbers.")
    passes = "Over the files. [1, or those that a resumed run was to make]"
    add("--passes", type=_at_least(1), metavar="N", help=passes)
    at_a_time = "Rows in memory at a time. [10000]"
    add("--batch-rows", type=_at_least(1), metavar="N", help=at_a_time)
    hashed = "To hash words to, as 2**22. [2**20]"
    add("--columns", type=_columns, metavar="N", help=hashed)
    add(
        "--ngrams",
        type=_at_least(1),
        nargs=2,
        metavar=("FEWEST", "MOST"),
        help="Fewest and most words that make a feature. [1 1]",
    )
    transform = "Learn log(1 + target); predictions are the target's."
    add("--target-transform", choices=["log1p"], help=transform)
    add("--format", help=FORMAT_HELP)
    based = "Where columns of svmlight count from; else by the first rows."
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--zero-based", action="store_true", default=None, help=based)
    either.add_argument(
        "--one-based", action="store_false", default=None, dest="zero_based"
    )
    skip = "Leave them out and count them."
    add("--skip-bad-lines", action="store_true", default=None, help=skip)
    each = "Save each time after so many."
    add("--checkpoint", type=_at_least(1), metavar="ROWS", help=each)
    again = "Go on from a model, from its last checkpoint if cut short."
    add("--resume", type=Path, metavar="MODEL", help=again)


def _predict_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="A file that fit has written.")
    add("files", nargs="+", metavar="FILES", help=FILES_HELP)
    add("-o", "--output", type=Path, help="Where to; else standard output.")
    column = "Column of the texts, if not as in fit."
    add("--text", action="append", metavar="COLUMN", help=column)
    add("--format", help=FORMAT_HELP)


def _inspect_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="A model file.")
    words = "How many of each kind. [20]"
    add("--words", type=_at_least(0), default=20, metavar="N", help=words)


def _demo_arguments(parser: ArgumentParser) -> None:
    pictures = "Write pictures to this folder."
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help=pictures)


def _textbook_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--seed", type=int, default=0, help="Of the first weights. [0]")
    passes = "Passes over the data. [100]"
    add("--epochs", type=_at_least(1), default=100, metavar="N", help=passes)
    sampled = "Examples sampled for a step; else all."
    add("--batch-size", type=int, metavar="N", help=sampled)
    _demo_arguments(parser)


COMMANDS: dict[str, tuple[Callable[..., None], Callable[[ArgumentParser], None]]]
COMMANDS = {
    "fit": (fit, _fit_arguments),
    "predict": (predict, _predict_arguments),
    "inspect": (inspect, _inspect_arguments),
    "demo": (demo, _demo_arguments),
    "textbook": (textbook, _textbook_arguments),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; `arguments` are those of the process unless given."""
    if arguments is None:
        # What is half written is taken away then, as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    words = sys.argv[1:] if arguments is None else list(arguments)
    does = "\n".join(
        f"  {name:<10}{does.__doc__}" for name, (does, _) in COMMANDS.items()
    )
    parser = ArgumentParser(
        "sparse-adagrad",
        description=f"Linear models on sparse text features with AdaGrad.\n\n{does}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    name = parser.parse_args(words[:1] or ["--help"]).command
    command, add_arguments = COMMANDS[name]
    # A parser of its own, so that options may stand between files.
    parser = ArgumentParser(
        f"sparse-adagrad {name}", description=command.__doc__, allow_abbrev=False
    )
    add_arguments(parser)
    command(**vars(parser.parse_intermixed_args(words[1:])))
