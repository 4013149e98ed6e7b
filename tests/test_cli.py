"""The command, its files, and the demonstration on a small library."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import dump_svmlight_file
from typer.testing import CliRunner

from sparse_adagrad import SparseAdaGradRegressor, cli, demo
from sparse_adagrad.io import tables
from sparse_adagrad.io.text_model import TextModel
from tests.io.files import zstd

run = CliRunner().invoke


@pytest.fixture
def reviews(tmp_path):
    """A CSV of 300 short reviews whose stars follow from their words."""
    rng = np.random.default_rng(0)
    words = {"good": 2, "bad": -2, "film": 0, "great": 3, "dull": -1, 'a, "b"\n': 0}
    chosen = [rng.choice(list(words), 4) for _ in range(300)]
    frame = pd.DataFrame(
        {
            "id": range(300),
            "review": [" ".join(row) for row in chosen],
            "stars": [5 + sum(words[word] for word in row) for row in chosen],
        }
    )
    path = tmp_path / "reviews.csv"
    frame.to_csv(path, index=False)
    return path


def fit_arguments(path, model, text="review", target="stars"):
    return ["fit", str(path), "--text", text, "--target", target, "-o", str(model)]


@pytest.mark.parametrize(
    "name",
    ["r.csv", "r.csv.gz", "r.tsv", "r.tsv.bz2", "r.csv.zst", "r.jsonl", "r.parquet"],
)
def test_fit_and_predict(reviews, tmp_path, name):
    path = tmp_path / name
    frame = pd.read_csv(reviews)
    if name == "r.parquet":
        frame.to_parquet(path)
    elif name == "r.jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif name == "r.csv.zst":
        # pandas leaves this one to another package.
        path.write_bytes(zstd.compress(reviews.read_bytes()))
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    model = tmp_path / "model"
    fitted = run(cli.app, fit_arguments(path, model))
    assert fitted.exit_code == 0, fitted.output
    report = dict(line.split("  ", 1) for line in fitted.stdout.splitlines())
    figures = {key.strip(): value.strip() for key, value in report.items()}
    of_the_mean = float(figures["RMSE of the mean"])
    assert float(figures["held-out RMSE"]) < 0.5 * of_the_mean
    assert 0.75 < float(figures["held-out R2"]) < 1
    assert figures["rows"] == "270 learned from, 30 held out"
    assert figures["columns"] == "5"
    assert figures["model"] == str(model)
    assert float(figures["seconds"]) >= 0
    printed = run(cli.app, ["predict", str(model), str(path)])
    assert printed.exit_code == 0
    out = tmp_path / "out"
    assert run(cli.app, ["predict", str(model), str(path), "-o", str(out)]).stdout == ""
    assert out.read_text() == printed.stdout
    guess = np.array(printed.stdout.split(), float)
    truth = pd.read_csv(reviews)["stars"]
    assert len(guess) == 300 and np.corrcoef(guess, truth)[0, 1] > 0.9
    # The file is a model like any other, and carries the words.
    assert SparseAdaGradRegressor.load(model).n_features_in_ == 5
    assert TextModel.load(model).predict(["great great"]) > 5


@pytest.mark.parametrize("name", ["r.svm", "r.svmlight.gz"])
def test_svmlight(problem, tmp_path, name):
    X, y = problem
    path, model = tmp_path / name, tmp_path / "model"
    dump_svmlight_file(X, y, str(tmp_path / "plain"), zero_based=False)
    raw = (tmp_path / "plain").read_bytes()
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    fitted = run(cli.app, ["fit", str(path), "-o", str(model)])
    assert fitted.exit_code == 0, fitted.output
    printed = run(cli.app, ["predict", str(model), str(path)])
    guess = np.array(printed.stdout.split(), float)
    assert np.corrcoef(guess, y)[0, 1] > 0.95


@pytest.mark.parametrize("base", [0, 1])
def test_svmlight_columns_count_from_where_the_training_file_did(tmp_path, base):
    rng = np.random.default_rng(0)
    lines = [
        f"{a + 5 * b} {base}:{a} {base + 1}:{b}" for a, b in rng.integers(1, 9, (60, 2))
    ]
    train, model = tmp_path / "train.svm", tmp_path / "model"
    train.write_text("\n".join(lines) + "\n")
    assert run(cli.app, ["fit", str(train), "-o", str(model)]).exit_code == 0

    def predicted(line):
        path = tmp_path / "new.svm"
        path.write_text(line + "\n")
        result = run(cli.app, ["predict", str(model), str(path)])
        assert result.exit_code == 0, result.output
        return float(result.stdout)

    # A file without the first column does not tell where columns count from.
    assert predicted(f"0 {base + 1}:4") == predicted(f"0 {base}:0 {base + 1}:4")
    beyond = tmp_path / "beyond.svm"
    beyond.write_text(f"0 {base + 2}:1\n")
    fails(["predict", str(model), str(beyond)], "beyond.svm", "error: ")
    if base == 1:
        beyond.write_text("0 0:1\n")
        fails(["predict", str(model), str(beyond)], "beyond.svm", "column 0")


def fails(arguments, *said, code=1):
    result = run(cli.app, arguments)
    assert result.exit_code == code, result.output
    for words in said:
        assert words in result.output.replace("\n", " ")
    assert "Traceback" not in result.output


BAD_TABLES = {
    "empty": ("", ["is empty"]),
    "header only": ("review,stars\n", ["has no rows"]),
    "no such column": ("text,stars\na,1\n", ["no column 'review'", "text, stars"]),
    "no number": ("review,stars\na,1\nb,x\n", ["line 3", "stars is 'x'"]),
    "no number after a text of two lines": (
        'review,stars\n"a\nb",1\nb,\n',
        ["line 4", "stars is ''"],
    ),
    "infinite": ("review,stars\na,1\nb,inf\n", ["line 3", "no finite number"]),
    "too few fields": ("review,stars\na,1\nb\n", ["line 3: 1 fields"]),
    "open quote": ('review,stars\na,1\n"b,2\n', ["line 3", "unexpected end of data"]),
    "one row": ("review,stars\na b,1\n", ["at least 2"]),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables(tmp_path, name):
    content, said = BAD_TABLES[name]
    path = tmp_path / "bad.csv"
    path.write_text(content)
    fails(fit_arguments(path, tmp_path / "model"), "error: ", *said)
    assert not (tmp_path / "model").exists()


def test_bad_files(reviews, tmp_path):
    model = tmp_path / "model"
    fails(fit_arguments(tmp_path / "none.csv", model), "No such file", "none.csv")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(reviews.read_bytes())[:-9])
    fails(fit_arguments(tmp_path / "cut.csv.gz", model), "no whole gzip file")
    (tmp_path / "plain.csv.gz").write_bytes(reviews.read_bytes())
    fails(fit_arguments(tmp_path / "plain.csv.gz", model), "no whole gzip file")
    (tmp_path / "latin.csv").write_bytes(b"review,stars\n\xe9t\xe9,1\n")
    fails(fit_arguments(tmp_path / "latin.csv", model), "is not UTF-8 text")
    fails(fit_arguments(tmp_path, model), "directory")
    fails(fit_arguments(reviews, tmp_path / "no" / "model"), "does not exist")
    (tmp_path / "bad.svm").write_text("1 1:2\n2 3:x\n")
    fails(["fit", str(tmp_path / "bad.svm"), "-o", str(model)], "bad.svm, line 2")
    (tmp_path / "huge.svm").write_text("1 1:1 99999999999:2\n2 1:2\n")
    fails(
        ["fit", str(tmp_path / "huge.svm"), "-o", str(model)], "huge.svm", "too large"
    )
    fails(fit_arguments(reviews, tmp_path), "is a folder")
    (tmp_path / "empty.svm").write_text("")
    fails(["fit", str(tmp_path / "empty.svm"), "-o", str(model)], "error: ")
    fails(["fit", str(tmp_path / "none.svm"), "-o", str(model)], "No such file")
    fails(["fit", str(reviews), "-o", str(model)], "needs --text")
    fails(["predict", str(reviews), str(reviews)], "no complete model file")
    fails(["fit", str(reviews), "--colour", "red"], "No such option", code=2)
    assert not model.exists()


def test_predict_needs_the_column_and_the_kind(reviews, problem, tmp_path):
    model = tmp_path / "model"
    assert run(cli.app, fit_arguments(reviews, model)).exit_code == 0
    other = tmp_path / "other.csv"
    other.write_text("words\ngood\n")
    fails(["predict", str(model), str(other)], "no column 'review'", "words")
    SparseAdaGradRegressor().fit(*problem).save(model)
    fails(["predict", str(model), str(reviews)], "holds no words")


def test_predictions_do_not_need_the_target(reviews, tmp_path):
    model = tmp_path / "model"
    run(cli.app, fit_arguments(reviews, model))
    texts = tmp_path / "texts.csv"
    texts.write_text("﻿review\ngood\nbad\n", encoding="utf-8")
    good, bad = run(cli.app, ["predict", str(model), str(texts)]).stdout.split()
    assert float(good) > float(bad)


def test_long_texts(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("review,stars\n" + "good " * 100_000 + ",1\nbad,2\n")
    table = tables.read_texts(path, "review", "stars")
    assert len(table.texts[0]) == 500_000


def test_interrupt_writes_nothing(reviews, tmp_path, monkeypatch):
    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(SparseAdaGradRegressor, "fit", interrupt)
    fails(fit_arguments(reviews, tmp_path / "m"), "interrupted", code=130)
    assert not (tmp_path / "m").exists()


def test_help_names_the_commands():
    shown = run(cli.app, ["--help"]).output
    assert all(command in shown for command in ("fit", "predict", "demo"))


def test_command_is_installed():
    command = Path(sys.executable).parent / "sparse-adagrad"
    shown = subprocess.run(
        [command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert "predict" in shown.stdout


LIBRARY = """
def one(): return 1
class A:
    async def two(self):
        def three():
            pass
        return three
"""


def test_library_functions(tmp_path):
    (tmp_path / "a.py").write_text(LIBRARY)
    (tmp_path / "broken.py").write_text("def f(:")
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "b.py").write_text(LIBRARY)
    found = dict(demo.library_functions(tmp_path))
    assert sorted(found.values()) == [1, 2, 4]
    assert found["def one(): return 1"] == 1
    assert found["        def three():\n            pass"] == 2


def test_demo_reports_what_it_should(monkeypatch):
    names = ["read", "write", "open", "close"]
    rng = np.random.default_rng(0)
    functions = []
    for _ in range(400):
        body = rng.choice(names, rng.integers(1, 30))
        text = "def f():\n" + "\n".join(f"    {name}()" for name in body)
        functions.append((text, len(body) + 1))
    monkeypatch.setattr(demo, "library_functions", lambda: functions)
    shown = run(cli.app, ["demo"])
    assert shown.exit_code == 0, shown.output
    for words in ("400 functions", "progressive loss", "Ridge()", "SGDRegressor()",
                  "the mean", "words of long functions", "lines guessed"):  # fmt: skip
        assert words in shown.stdout
    assert shown.stdout.count("lines guessed") == 3
    results = demo.run(lambda line: None)
    by_name = {result.name: result for result in results}
    assert abs(by_name["the mean"].r2) < 0.1
    assert by_name["SparseAdaGradRegressor()"].r2 > by_name["the mean"].r2
    assert all(result.seconds > 0 for result in results)
