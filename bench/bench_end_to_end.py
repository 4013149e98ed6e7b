"""From a file to a model, by the command: beside a script, Vowpal Wabbit, and its size.

    SPARSE_ADAGRAD_DATA=DIR pytest bench/bench_end_to_end.py -s

The rows are those of imdb_rating, shuffled; a fifth of them is held out. Memory is that
of the process at its highest, as the system tells it, on files made of the functions of
Python's library.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from tasks import data_folder, load_task
from timing import seconds

from sparse_adagrad.demo import library_functions
from sparse_adagrad.run import Reading, Run, new_pipeline, new_vectorizer

ROUNDS = 7
COMMAND = [sys.executable, "-c", "from sparse_adagrad.cli import main; main()"]
SCRIPT = """
import sys
import joblib
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDRegressor

rows = pd.read_csv(sys.argv[1], keep_default_na=False)
columns = HashingVectorizer()
model = SGDRegressor(max_iter=1, tol=None, random_state=0)
model.fit(columns.fit_transform(rows["text"]), rows["target"])
joblib.dump((columns, model), sys.argv[2])
"""
WORD = re.compile(r"(?u)\b\w\w+\b")

needs_data = pytest.mark.skipif(
    data_folder() is None, reason="SPARSE_ADAGRAD_DATA is not set"
)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    """A folder with train.csv.gz, train.csv and test.csv, and their rows."""
    folder = tmp_path_factory.mktemp("reviews")
    task = load_task("imdb_rating")
    frame = pd.DataFrame({"text": task.texts, "target": task.target})
    train, test = train_test_split(frame, test_size=0.2, random_state=0)
    for name in ("train.csv", "train.csv.gz"):
        train.to_csv(folder / name, index=False)
    test.to_csv(folder / "test.csv", index=False)
    return folder, train, test


def rmse(predicted: np.ndarray, frame: pd.DataFrame) -> float:
    assert predicted.shape == frame["target"].shape and np.isfinite(predicted).all()
    return float(np.sqrt(np.mean((predicted - frame["target"]) ** 2)))


@needs_data
def test_one_pass_against_a_script(benchmark, reviews):
    folder, _, test = reviews
    file, script, ours = folder / "train.csv.gz", folder / "script", folder / "ours"

    def run_script() -> None:
        subprocess.run([sys.executable, "-c", SCRIPT, file, script], check=True)

    def run_ours() -> None:
        subprocess.run(
            [*COMMAND, "fit", file, "--text", "text", "--target", "target", "-o", ours],
            check=True,
            capture_output=True,
        )

    import joblib

    run_script()
    run_ours()
    columns, model = joblib.load(script)
    theirs = rmse(model.predict(columns.transform(test["text"])), test)
    told = subprocess.run(
        [*COMMAND, "predict", ours, folder / "test.csv"],
        check=True,
        capture_output=True,
        text=True,
    )
    error = rmse(np.array(told.stdout.split(), float), test)
    assert error < test["target"].std()
    took: list[float] = []
    benchmark.pedantic(
        run_ours, setup=lambda: took.append(seconds(run_script)), rounds=ROUNDS
    )
    imports = np.median(
        [
            seconds(
                lambda: subprocess.run(
                    [sys.executable, "-c", "import sparse_adagrad.cli"], check=True
                )
            )
            for _ in range(ROUNDS)
        ]
    )
    median = benchmark.stats.stats.median
    print(
        f"\nwhole process: {median:.2f} s, {median / np.median(took):.3f} of the "
        f"script's; {imports:.2f} s of it are imports; held-out RMSE {error:.4f}, "
        f"{error / theirs:.4f} of the script's"
    )


@needs_data
def test_one_pass_against_vowpal_wabbit(benchmark, reviews):
    vowpalwabbit = pytest.importorskip("vowpalwabbit")
    folder, train, _ = reviews
    file = folder / "train.vw"
    with open(file, "w", encoding="utf-8") as lines:
        for text, y in zip(train["text"], train["target"], strict=True):
            lines.write(f"{y} | {' '.join(WORD.findall(text.lower()))}\n")

    def vowpal_wabbit() -> float:
        workspace = vowpalwabbit.Workspace(f"-d {file} -b 20 --quiet")
        loss = workspace.get_sum_loss() / workspace.get_weighted_examples()
        workspace.finish()
        return float(np.sqrt(loss))

    def ours() -> float:
        run = Run(new_pipeline(new_vectorizer()), Reading(["text"], "target"))
        run.learn([str(folder / "train.csv")], 1, lambda *_: None)
        assert run.passes[0].n_rows == len(train)
        return run.passes[0].rmse

    theirs, error = vowpal_wabbit(), ours()
    took: list[float] = []
    benchmark.pedantic(
        ours, setup=lambda: took.append(seconds(vowpal_wabbit)), rounds=ROUNDS
    )
    median = benchmark.stats.stats.median
    print(
        f"\nVowpal Wabbit's seconds over ours: {np.median(took) / median:.2f}; "
        f"progressive RMSE {error:.4f}, {error / theirs:.4f} of its {theirs:.4f}"
    )


def repeated_functions(size: int) -> Iterator[str]:
    """Lines of a CSV of about so many bytes."""
    functions = list(library_functions())
    yield "text,target\n"
    while size > 0:
        for text, n_lines in functions:
            line = '"' + text.replace('"', '""') + f'",{n_lines}\n'
            size -= len(line)
            yield line
            if size <= 0:
                return


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="os.wait4 tells the memory")
def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks = []
    for megabytes in (200, 2000):
        file = tmp_path / f"{megabytes}.csv"
        with open(file, "w", encoding="utf-8", errors="replace") as out:
            out.writelines(repeated_functions(megabytes * 10**6))
        fit = ["fit", file, "--text", "text", "--target", "target", "-o"]
        command = [*COMMAND, *fit, tmp_path / "model"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            shown = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0 and "progressive RMSE" in shown
        peaks.append(usage.ru_maxrss)
        file.unlink()
    print(
        f"\npeak memory: {peaks[0] / 1024:,.0f} and {peaks[1] / 1024:,.0f} MiB, "
        f"{peaks[1] / peaks[0]:.3f}"
    )
