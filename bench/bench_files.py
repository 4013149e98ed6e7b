"""Reading files, from the disk to arrays: megabytes a second beside other readers.

    pytest bench/bench_files.py -s

Each case is first checked to give what the others give, value for value; then all take
turns, and medians are set against each other. Files lie in the system's cache. Ours
runs as users have it, a thread that reads ahead included, in batches of the default
size; the others read the file whole, pyarrow on one thread as well as on all. Reviews
are those of imdb_rating where SPARSE_ADAGRAD_DATA points to it, else functions of
Python's library.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json
from scipy import sparse as sp
from sklearn.datasets import dump_svmlight_file, load_svmlight_file
from tasks import data_folder, load_task
from timing import seconds
from zipf import zipf_rows, zipf_target

from sparse_adagrad.demo import library_functions
from sparse_adagrad.io import read_batches, read_svmlight

ROUNDS = 9
COLUMNS = 2**18


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    if data_folder() is not None:
        task = load_task("imdb_rating")
        return pd.DataFrame({"text": task.texts, "y": task.target})
    texts, lines = zip(*library_functions(), strict=True)
    return pd.DataFrame({"text": texts, "y": np.array(lines, float)})


@pytest.fixture(scope="module")
def phrases() -> pd.DataFrame:
    """Rows of a few words without quotes, and a number of 17 digits."""
    rng = np.random.default_rng(0)
    words = np.array(["good", "bad", "film", "very", "plot", "actor"])
    chosen = words[rng.integers(0, len(words), (500_000, 5))]
    texts = [" ".join(row) for row in chosen.tolist()]
    return pd.DataFrame({"text": texts, "y": rng.normal(size=len(texts))})


def measure(
    benchmark, name: str, path: Path, ours: Callable, others: dict[str, Callable]
) -> None:
    """Time ours in turn with the others, and print megabytes a second and ratios."""
    took: dict[str, list[float]] = {other: [] for other in others}

    def turn() -> None:
        for other, function in others.items():
            took[other].append(seconds(function))

    benchmark.pedantic(ours, setup=turn, rounds=ROUNDS, warmup_rounds=1)
    median = benchmark.stats.stats.median
    ratios = {f"over {o}": np.median(took[o][1:]) / median for o in others}
    speed = path.stat().st_size / 1e6 / median
    benchmark.extra_info.update(ratios, **{"MB/s": speed})
    line = ", ".join(f"{ratio:.2f} {what}" for what, ratio in ratios.items())
    print(f"\n{name}: {speed:.0f} MB/s; {line}")


def check(batches: Any, frame: pd.DataFrame) -> None:
    texts, numbers = [], []
    for batch in batches:
        texts += (
            list(batch.texts)
            if isinstance(batch.texts, list)
            else (batch.texts.to_pylist())
        )
        numbers.append(batch.y)
    assert texts == frame["text"].tolist()
    np.testing.assert_array_equal(np.concatenate(numbers), frame["y"])


def exhaust(batches: Any) -> None:
    for _ in batches:
        pass


@pytest.mark.parametrize("values", ["16 digits", "4 digits", "counts"])
def test_svmlight(benchmark, folder, values):
    X = zipf_rows(20_000, COLUMNS, 95, dtype="float64")
    if values == "counts":
        X.data = np.ceil(X.data * 20)
    elif values == "4 digits":
        X.data = X.data.round(4)
    path = folder / f"{values}.svm"
    dump_svmlight_file(X, zipf_target(X), str(path))
    arguments = {"n_features": COLUMNS, "zero_based": True}
    batches = list(read_svmlight(path, **arguments))
    expected, y = load_svmlight_file(str(path), **arguments)
    found = sp.vstack([batch.X for batch in batches], format="csr")
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    np.testing.assert_array_equal(np.concatenate([batch.y for batch in batches]), y)
    measure(
        benchmark,
        f"svmlight, {values}",
        path,
        lambda: exhaust(read_svmlight(path, **arguments)),
        {"load_svmlight_file": lambda: load_svmlight_file(str(path), **arguments)},
    )


def arrow_table(path: Path, threads: bool) -> pa.Table:
    return arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(use_threads=threads),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
    )


@pytest.mark.parametrize("kind", ["reviews", "phrases"])
def test_csv(benchmark, request, folder, kind):
    frame = request.getfixturevalue(kind)
    path = folder / f"{kind}.csv"
    frame.to_csv(path, index=False)
    check(read_batches(path, text="text", target="y"), frame)
    table = arrow_table(path, threads=True)
    assert table["text"].to_pylist() == frame["text"].tolist()
    measure(
        benchmark,
        f"CSV, {kind}",
        path,
        lambda: exhaust(read_batches(path, text="text", target="y")),
        {
            "pandas": lambda: pd.read_csv(path, keep_default_na=False),
            "pyarrow, one thread": lambda: arrow_table(path, threads=False),
            "pyarrow, all threads": lambda: arrow_table(path, threads=True),
        },
    )


def test_csv_gz(benchmark, folder, reviews):
    path = folder / "reviews.csv.gz"
    path.write_bytes(gzip.compress(reviews.to_csv(index=False).encode()))
    check(read_batches(path, text="text", target="y"), reviews)
    measure(
        benchmark,
        "CSV, reviews, gzipped (compressed bytes)",
        path,
        lambda: exhaust(read_batches(path, text="text", target="y")),
        {
            "gzip alone": lambda: gzip.decompress(path.read_bytes()),
            "pandas": lambda: pd.read_csv(path, keep_default_na=False),
        },
    )


def test_json_lines(benchmark, folder, reviews):
    path = folder / "reviews.jsonl"
    reviews.to_json(path, orient="records", lines=True, double_precision=15)
    check(read_batches(path, text="text", target="y"), reviews)

    def with_json() -> list:
        with open(path, "rb") as file:
            return [json.loads(line) for line in file]

    assert [row["text"] for row in with_json()] == reviews["text"].tolist()
    # A block of pyarrow's holds a whole row.
    options = arrow_json.ReadOptions(use_threads=False, block_size=2**22)
    measure(
        benchmark,
        "JSON lines, reviews",
        path,
        lambda: exhaust(read_batches(path, text="text", target="y")),
        {
            "json": with_json,
            "pandas": lambda: pd.read_json(path, lines=True),
            "pyarrow, one thread": lambda: arrow_json.read_json(path, options),
        },
    )
