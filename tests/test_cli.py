"""The command, its files, and the demonstration on a small library."""

import gzip
import os
import subprocess
import sys
from functools import partial
from io import StringIO
from pathlib import Path
from time import sleep

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from safetensors import SafetensorError
from sklearn.datasets import dump_svmlight_file

from sparse_adagrad import SparseAdaGradRegressor, bars, demo, progress
from sparse_adagrad._learner import Learner
from sparse_adagrad.io import model_file
from sparse_adagrad.pipeline import StreamingPipeline, make_streaming_pipeline
from sparse_adagrad.run import Reading, Run, new_pipeline, new_vectorizer
from sparse_adagrad.text import HashingTfidfVectorizer
from tests.commands import run
from tests.io.files import zstd


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
    fitted = run(fit_arguments(path, model))
    assert fitted.exit_code == 0, fitted.output
    report = dict(line.split("  ", 1) for line in fitted.stdout.splitlines())
    figures = {key.strip(): value.strip() for key, value in report.items()}
    error = float(figures["progressive RMSE"].partition(",")[0])
    assert 0 < error < 0.8 * float(figures["RMSE of the mean"])
    assert figures["rows"] == "300"
    assert figures["columns"] == "1,048,576"
    assert figures["model"] == str(model)
    assert float(figures["seconds"]) >= 0
    assert "since last" in fitted.stderr
    printed = run(["predict", str(model), str(path)])
    assert printed.exit_code == 0
    out = tmp_path / "out"
    assert run(["predict", str(model), str(path), "-o", str(out)]).stdout == ""
    assert out.read_text() == printed.stdout
    guess = np.array(printed.stdout.split(), float)
    truth = pd.read_csv(reviews)["stars"]
    assert len(guess) == 300 and np.corrcoef(guess, truth)[0, 1] > 0.9
    # The file is a model like any other, and makes the rows of texts.
    assert SparseAdaGradRegressor.load(model).n_features_in_ == 2**20
    assert StreamingPipeline.load(model).predict(["great great"]) > 5


@pytest.mark.parametrize("name", ["r.svm", "r.svmlight.gz"])
def test_svmlight(problem, tmp_path, name):
    X, y = problem
    path, model = tmp_path / name, tmp_path / "model"
    dump_svmlight_file(X, y, str(tmp_path / "plain"), zero_based=False)
    raw = (tmp_path / "plain").read_bytes()
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    fitted = run(["fit", str(path), "-o", str(model), "--passes", "5"])
    assert fitted.exit_code == 0, fitted.output
    assert "of seen rows" in fitted.stdout
    printed = run(["predict", str(model), str(path)])
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
    assert run(["fit", str(train), "-o", str(model)]).exit_code == 0

    def predicted(line):
        path = tmp_path / "new.svm"
        path.write_text(line + "\n")
        result = run(["predict", str(model), str(path)])
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
    result = run(arguments)
    assert result.exit_code == code, result.output
    for words in said:
        assert words in result.output.replace("\n", " ")
    assert "Traceback" not in result.output


BAD_TABLES = {
    "empty": ("", ["is empty"]),
    "header only": ("review,stars\n", ["has no rows"]),
    "no such column": (
        "text,stars\na,1\n",
        ["no column 'review'", "csv, its first line has ['text', 'stars']"],
    ),
    "no number": ("review,stars\na,1\nb,x\n", ["line 3", "stars is 'x'"]),
    "no number after a text of two lines": (
        'review,stars\n"a\nb",1\nb,\n',
        ["line 4", "stars is ''"],
    ),
    "infinite": ("review,stars\na,1\nb,inf\n", ["line 3", "no finite number"]),
    "too few fields": ("review,stars\na,1\nb\n", ["line 3: 1 fields"]),
    "open quote": ('review,stars\na,1\n"b,2\n', ["line 3", "unexpected end of data"]),
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
    fails(fit_arguments(tmp_path / "none.csv", model), "none.csv: No such file")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(reviews.read_bytes())[:-9])
    fails(fit_arguments(tmp_path / "cut.csv.gz", model), "no whole gzip file")
    (tmp_path / "plain.csv.gz").write_bytes(reviews.read_bytes())
    fails(fit_arguments(tmp_path / "plain.csv.gz", model), "no whole gzip file")
    (tmp_path / "latin.csv").write_bytes(b"review,stars\n\xe9t\xe9,1\n")
    fails(fit_arguments(tmp_path / "latin.csv", model), "is not UTF-8 text")
    fails(fit_arguments(tmp_path, model), f"error: {tmp_path}: Is a directory")
    fails(fit_arguments(reviews, tmp_path / "no" / "model"), "does not exist")
    (tmp_path / "bad.svm").write_text("1 1:2\n2 3:x\n")
    fails(["fit", str(tmp_path / "bad.svm"), "-o", str(model)], "bad.svm, line 2")
    (tmp_path / "huge.svm").write_text("1 1:1 99999999999:2\n2 1:2\n")
    fails(
        ["fit", str(tmp_path / "huge.svm"), "-o", str(model)], "huge.svm", "too large"
    )
    fails(fit_arguments(reviews, tmp_path), "is a folder")
    (tmp_path / "bad.jsonl").write_text('{"review": "good", "stars": 1}\n{"no\n')
    told = run(fit_arguments(tmp_path / "bad.jsonl", model)).output
    assert "bad.jsonl, line 2: this is no JSON: " in told and "char" not in told
    (tmp_path / "empty.svm").write_text("")
    fails(["fit", str(tmp_path / "empty.svm"), "-o", str(model)], "error: ")
    fails(["fit", str(tmp_path / "none.svm"), "-o", str(model)], "No such file")
    fails(["fit", str(reviews), "-o", str(model)], "needs --text")
    fails(["predict", str(reviews), str(reviews)], "no complete model file")
    fails(["fit", str(reviews), "--colour", "red"], "--colour", code=2)
    assert not model.exists()


def test_nothing_that_is_read_is_overwritten(reviews, tmp_path):
    model, before = tmp_path / "m.model", reviews.read_bytes()
    refused = run(fit_arguments(reviews, reviews))
    assert refused.exit_code == 1 and "would overwrite" in refused.output
    assert run(fit_arguments(reviews, model)).exit_code == 0
    resumed = ["fit", str(model), "--format", "csv", "--resume", str(model)]
    fails(resumed, f"--resume {model} would overwrite")
    link = tmp_path / "link"
    link.symlink_to(model)
    for output in (reviews, model, link):
        kept = model.read_bytes()
        refused = run(["predict", str(model), str(reviews), "-o", str(output)])
        assert refused.exit_code == 1 and "would overwrite" in refused.output
        assert model.read_bytes() == kept
    assert reviews.read_bytes() == before
    for output in (tmp_path, tmp_path / "none" / "p.txt"):
        refused = run(["predict", str(model), str(reviews), "-o", str(output)])
        assert refused.exit_code == 1
        assert "is a folder" in refused.output or "does not exist" in refused.output


def test_predict_needs_the_column_and_the_kind(reviews, problem, tmp_path):
    model = tmp_path / "model"
    assert run(fit_arguments(reviews, model)).exit_code == 0
    other = tmp_path / "other.csv"
    other.write_text("words\ngood\n")
    fails(["predict", str(model), str(other)], "no column 'review'", "words")
    matrix = tmp_path / "matrix.svm"
    matrix.write_text("1 1:1\n")
    fails(["predict", str(model), str(matrix)], "learned from words", "not svmlight")
    SparseAdaGradRegressor().fit(*problem).save(model)
    fails(["predict", str(model), str(reviews)], "holds no words")


def test_predictions_do_not_need_the_target(reviews, tmp_path):
    model = tmp_path / "model"
    run(fit_arguments(reviews, model))
    texts = tmp_path / "texts.csv"
    texts.write_text("﻿review\ngood\nbad\n", encoding="utf-8")
    good, bad = run(["predict", str(model), str(texts)]).stdout.split()
    assert float(good) > float(bad)


def test_interrupt_writes_nothing(reviews, tmp_path, monkeypatch):
    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(Learner, "_partial_fit", interrupt)
    command = fit_arguments(reviews, tmp_path / "m")
    fails(command, "nothing was written", code=130)
    assert not (tmp_path / "m").exists()
    # A file of before is no checkpoint of this run.
    (tmp_path / "m").write_bytes(b"older")
    fails([*command, "--checkpoint", "100"], "nothing was written", code=130)
    assert (tmp_path / "m").read_bytes() == b"older"


def test_words_need_no_scikit_learn(reviews, tmp_path):
    """Loading it takes longer than many a file; others likewise."""
    model = str(tmp_path / "m")
    script = (
        "import sys\n"
        "from sparse_adagrad.cli import main\n"
        f"for command in ({fit_arguments(reviews, model)!r},\n"
        f"    ['predict', {model!r}, {str(reviews)!r}], ['inspect', {model!r}]):\n"
        "    main(command)\n"
        "slow = {'sklearn', 'scipy', 'pandas', 'pyarrow', 'rich'}\n"
        "assert not slow & sys.modules.keys()\n"
        "from sparse_adagrad.text.ngrams import CASES_ARRAYS\n"
        "assert not CASES_ARRAYS\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_the_command_learns_what_the_estimators_do(reviews, tmp_path):
    model = tmp_path / "m"
    assert run(fit_arguments(reviews, model)).exit_code == 0
    frame = pd.read_csv(reviews)
    vectorizer = HashingTfidfVectorizer(**new_vectorizer().parameters())
    ours = make_streaming_pipeline(vectorizer, SparseAdaGradRegressor())
    ours.partial_fit(frame["review"], frame["stars"])
    loaded = StreamingPipeline.load(model)
    np.testing.assert_array_equal(
        loaded.regressor._state.pairs, ours.regressor._state.pairs
    )
    np.testing.assert_array_equal(
        Run.load(model).pipeline.predict(list(frame["review"])),
        ours.predict(frame["review"]),
    )
    assert loaded.regressor.loss_curve_ == ours.regressor.loss_curve_


@pytest.mark.parametrize("value", [0, 2**31, 1.5, "many", None])
def test_model_files_whose_parameters_cannot_be_are_refused(reviews, tmp_path, value):
    model = tmp_path / "m"
    assert run(fit_arguments(reviews, model)).exit_code == 0
    tensors, header = model_file.read(model)
    header["vectorizer"]["n_features"] = value
    model_file.write(model, tensors, header)
    fails(["predict", str(model), str(reviews)], "does not hold a whole model")


class KilledError(Exception):
    pass


def killed_after(monkeypatch, n_batches, error=KilledError):
    """Let the learning of a batch fail once so many are learned."""
    learn, left = Run._learn_batch, [n_batches]

    def counted(*arguments):
        if not left[0]:
            raise error
        left[0] -= 1
        learn(*arguments)

    monkeypatch.setattr(Run, "_learn_batch", counted)


@pytest.mark.parametrize("n_batches", [3, 7, 13, 14])
@pytest.mark.parametrize("kind", ["csv", "svm"])
def test_killed_run_goes_on_as_if_it_had_not_been(
    reviews, problem, tmp_path, monkeypatch, n_batches, kind
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    two_batches = {"csv": "100", "svm": "50"}[kind]
    if kind == "svm":
        path = tmp_path / "r.svm"
        dump_svmlight_file(*problem, str(path))
        command = ["fit", str(path), "--batch-rows", "25", "--passes", "3"]
    else:
        frame = pd.read_csv(reviews)
        frame.assign(stars=frame["stars"] + 10).to_csv(reviews, index=False)
        command = ["fit", str(reviews), "--text", "review", "--target", "stars"]
        command += ["--batch-rows", "50", "--passes", "3", "--columns", "2**12"]
        command += ["--ngrams", "1", "2", "--target-transform", "log1p"]
    finished = run([*command, "-o", str(whole)])
    assert finished.exit_code == 0, finished.output
    with monkeypatch.context() as patch:
        killed_after(patch, n_batches)
        stopped = run([*command, "-o", str(cut), "--checkpoint", two_batches])
        assert isinstance(stopped.exception, KilledError)
    assert sum(each.n_batches for each in Run.load(cut).passes) == n_batches // 2 * 2
    # The run knows how many passes it was to make.
    without = [word for word in command if word not in ("--passes", "3")]
    resumed = run([*without, "-o", str(cut), "--resume", str(cut)])
    assert resumed.exit_code == 0, resumed.output
    report = [out.stdout.splitlines()[:4] for out in (finished, resumed)]
    assert report[0] == report[1]
    one, other = Run.load(whole), Run.load(cut)
    assert one.passes == other.passes
    ours, theirs = one.pipeline.regressor, other.pipeline.regressor
    np.testing.assert_array_equal(ours._state.pairs, theirs._state.pairs)
    assert ours.loss_curve_ == theirs.loss_curve_
    if kind == "csv":
        for name in ("document_frequency_", "kept_tokens_"):
            np.testing.assert_array_equal(
                getattr(one.pipeline.vectorizer, name),
                getattr(other.pipeline.vectorizer, name),
            )


def test_files_that_do_not_tell_their_passes_load(reviews, tmp_path):
    model = tmp_path / "m.model"
    assert run([*fit_arguments(reviews, model), "--passes", "2"]).exit_code == 0
    tensors, header = model_file.read(model)
    del header["run"]["n_passes"]
    model_file.write(model, tensors, header)
    loaded = Run.load(model)
    assert len(loaded.passes) == 2 and loaded.passes_to_make == 1
    predicted = run(["predict", str(model), str(reviews)])
    assert predicted.exit_code == 0, predicted.output


@pytest.mark.parametrize("kind", ["csv", "svm"])
def test_a_run_keeps_the_bytes_of_its_batches(reviews, problem, tmp_path, kind):
    """Were it cut into others, one that was cut short would go on at another row."""
    svmlight = tmp_path / "r.svm"
    dump_svmlight_file(*problem, str(svmlight))
    files = [str({"csv": reviews, "svm": svmlight}[kind])]
    text, target = {"csv": (["review"], "stars"), "svm": ([], None)}[kind]
    vectorizer = new_vectorizer(2**10) if text else None
    begun = Run(new_pipeline(vectorizer), Reading(text, target, batch_bytes=2**11))
    begun.learn(files, 1, lambda *_: None)
    assert begun.passes[0].n_batches > 3
    begun.save(tmp_path / "model")
    resumed = Run.load(tmp_path / "model")
    resumed.learn(files, 2, lambda *_: None)
    assert resumed.passes[1].n_batches == begun.passes[0].n_batches


def test_interrupt_tells_of_the_checkpoint(reviews, tmp_path, monkeypatch):
    model = tmp_path / "m"
    command = [*fit_arguments(reviews, model), "--batch-rows", "50"]
    killed_after(monkeypatch, 3, KeyboardInterrupt)
    fails([*command, "--checkpoint", "100"], f"--resume {model}", code=130)
    assert Run.load(model).passes[-1].n_rows == 100


def test_resume_on_more_passes_and_other_files(reviews, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(fit_arguments(reviews, one)).exit_code == 0
    again = ["fit", str(reviews), "--resume", str(one)]
    fails(again, "nothing to do")
    assert run([*again, "--passes", "2"]).exit_code == 0
    assert run([*fit_arguments(reviews, two), "--passes", "2"]).exit_code == 0
    texts = ["great film", "dull bad"]
    loaded = [StreamingPipeline.load(model).predict(texts) for model in (one, two)]
    np.testing.assert_array_equal(*loaded)
    more = tmp_path / "more.csv"
    more.write_text("review,stars\nsuperb,9\n")
    assert run(["fit", str(more), "--resume", str(one)]).exit_code == 0
    assert SparseAdaGradRegressor.load(one).t_ == 601


def test_resume_refuses_another_run(reviews, tmp_path, monkeypatch):
    model = tmp_path / "m"
    command = [*fit_arguments(reviews, model), "--batch-rows", "50"]
    with monkeypatch.context() as patch:
        killed_after(patch, 3)
        run([*command, "--checkpoint", "100"])
    before = model.read_bytes()
    resume = ["fit", str(reviews), "--resume", str(model)]
    for option, value in (
        ("--text", "id"),
        ("--batch-rows", "60"),
        ("--columns", "2**10"),
        ("--target-transform", "log1p"),
    ):
        fails([*resume, option, value], option, "began with")
    other = tmp_path / "other.csv"
    other.write_text(reviews.read_text() + '300,"good",5\n')
    fails(["fit", str(other), "--resume", str(model)], "files it began with")
    fails(["fit", str(reviews), "--resume", str(tmp_path / "no")], "No such file")
    assert model.read_bytes() == before
    SparseAdaGradRegressor().fit([[1.0], [2.0]], [1, 2]).save(tmp_path / "alone")
    fails([*resume[:3], str(tmp_path / "alone")], "not written by fit")
    with monkeypatch.context() as patch:
        killed_after(patch, 9)
        run([*command, "--checkpoint", "100", "--passes", "2"])
    fails([*resume, "--passes", "1"], "Pass 2 of 2 was cut short, and 1 are asked for")


def test_a_bad_line_is_left_out_of_a_run_that_it_stopped(reviews, tmp_path):
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    lines = reviews.read_text().splitlines(keepends=True)
    place = next(k for k in range(201, len(lines)) if lines[k].startswith("150,"))
    reviews.write_text("".join([*lines[:place], "150,bad,x\n", *lines[place:]]))
    command = ["fit", str(reviews), "--text", "review", "--target", "stars"]
    command += ["--batch-rows", "50"]
    stopped = [*command, "-o", str(cut), "--checkpoint", "50"]
    fails(stopped, "'x'", f"--resume {cut} goes on", "--skip-bad-lines it leaves")
    resumed = ["fit", str(reviews), "--resume", str(cut)]
    fails([*resumed, "--batch-rows", "60", "--skip-bad-lines"], "--batch-rows")
    assert run([*resumed, "--skip-bad-lines"]).exit_code == 0
    assert run([*command, "-o", str(whole), "--skip-bad-lines"]).exit_code == 0
    assert cut.read_bytes() == whole.read_bytes()


def test_a_model_goes_on_from_files_of_another_kind(reviews, tmp_path):
    model = tmp_path / "m"
    fed = [*fit_arguments("-", model), "--format", "csv"]
    assert run(fed, input=reviews.read_text()).exit_code == 0
    again = ["fit", "-", "--resume", str(model)]
    assert run(again, input=reviews.read_text()).exit_code == 0
    frame = pd.read_csv(reviews).rename(columns={"review": "words"})
    frame.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    other = ["fit", str(tmp_path / "r.jsonl"), "--resume", str(model)]
    other += ["--format", "jsonl", "--text", "words", "--skip-bad-lines"]
    went_on = run(other)
    assert went_on.exit_code == 0, went_on.output
    assert SparseAdaGradRegressor.load(model).t_ == 900
    (tmp_path / "r.svm").write_text("1 1:1\n")
    fails(["fit", str(tmp_path / "r.svm"), "--resume", str(model)], "from words")


def test_what_cannot_be_written_is_said_at_once(reviews, tmp_path, monkeypatch):
    def refuse(path, mode, exist_ok):
        raise PermissionError(13, "Permission denied", str(path))

    model = tmp_path / "m"
    fails(fit_arguments(reviews, "-"), "-o names a file")
    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Run, "learn", None)
    fails(fit_arguments(reviews, model), f"{model} cannot be written: Permission")


def test_a_full_disk_is_told_of(reviews, tmp_path, monkeypatch):
    model = tmp_path / "m"
    command = [*fit_arguments(reviews, model), "--batch-rows", "50"]
    saved, left = model_file.save_file, [1]

    def fill(*arguments, **keywords):
        if not left[0]:
            raise SafetensorError("I/O error: No space left on device")
        left[0] -= 1
        saved(*arguments, **keywords)

    monkeypatch.setattr(model_file, "save_file", fill)
    fails(
        [*command, "--checkpoint", "50"],
        f"{model} cannot be written: I/O error: No space", f"--resume {model} goes on",
    )  # fmt: skip
    assert Run.load(model).passes[0].n_rows == 50
    assert sorted(os.listdir(tmp_path)) == ["m", "reviews.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_run_that_is_told_to_end_leaves_nothing_half_written(reviews, tmp_path):
    model = tmp_path / "m"
    command = [*fit_arguments(reviews, model), "--passes", "100000"]
    code = "from sparse_adagrad.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *command, "--checkpoint", "100"],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not model.exists():
            assert process.poll() is None
            sleep(0.01)
        process.terminate()
        told = process.stderr.read()
    assert process.returncode == 130, told
    assert f"--resume {model} goes on" in told
    assert sorted(os.listdir(tmp_path)) == ["m", "reviews.csv"]


def test_many_files_standard_input_and_bad_lines(reviews, tmp_path):
    lines = reviews.read_text()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(lines)
    model = tmp_path / "m"
    fitted = run(fit_arguments(tmp_path / "[ab].csv", model))
    assert "600" in fitted.stdout
    bad = lines + '300,"good",x\n301,"good",5,1\n'
    command = [*fit_arguments("-", model), "--format", "csv"]
    fed = run([*command, "--skip-bad-lines"], input=bad)
    assert fed.exit_code == 0, fed.output
    assert "bad lines         2 left out" in fed.stdout
    assert run(command, input=bad).exit_code == 1
    assert run([*command, "--passes", "2"], input=lines).exit_code == 1
    told = run(["predict", str(model), "-", "--format", "csv"], input="review\ngood\n")
    assert float(told.stdout) > 0
    fails([*fit_arguments(reviews, model), "--ngrams", "2", "1"], "--ngrams 2 1 are")
    for option, value in (
        ("--columns", ["2^22"]),
        ("--ngrams", ["0", "1"]),
        ("--ngrams", ["1", "9" * 20]),
        ("--batch-rows", ["9" * 20]),
    ):
        asked = [*fit_arguments(reviews, model), option, *value]
        fails(asked, option, *value[-1:] * (value != ["0", "1"]), code=2)


def test_target_that_cannot_be_transformed(reviews, tmp_path):
    command = [*fit_arguments(reviews, tmp_path / "m"), "--target-transform", "log1p"]
    n_low = (pd.read_csv(reviews)["stars"] <= -1).sum()
    assert n_low > 0
    fails(command, "reviews.csv, line ", "stars is '-1', which is not above -1.")
    fitted = run([*command, "--skip-bad-lines"])
    assert fitted.exit_code == 0, fitted.output
    assert f"{n_low} left out" in fitted.stdout


def test_rows_that_cannot_be_learned_from_are_named(reviews, tmp_path):
    table = pd.read_csv(reviews).astype({"stars": float})
    table.loc[80, "stars"] = 1e300
    table.to_csv(tmp_path / "huge.csv")
    command = fit_arguments(tmp_path / "huge.csv", tmp_path / "m")
    fails([*command, "--batch-rows", "50"], "in rows 51 to 100: ", "overflow")


def test_where_columns_count_from_is_said_once_and_of_svmlight(reviews, tmp_path):
    command = fit_arguments(reviews, tmp_path / "m")
    fails([*command, "--zero-based"], "--zero-based and --one-based are for svmlight")
    fails([*command, "--zero-based", "--one-based"], "not allowed with", code=2)


def test_inspect(reviews, problem, tmp_path):
    model = tmp_path / "m"
    run([*fit_arguments(reviews, model), "--columns", "2**18"])
    shown = run(["inspect", str(model), "--words", "2"]).stdout
    raising, lowering = shown.partition("words that raise")[2].split("words that lower")
    assert [line.split()[1] for line in raising.splitlines()[1:3]] == ["great", "good"]
    assert [line.split()[1] for line in lowering.splitlines()[1:3]] == ["bad", "dull"]
    assert float(raising.split()[2]) > 0 > float(lowering.split()[2])
    said_ones = ("300 learned from", "n_features=262144", "dtype=float32", "MB")
    for said in (*said_ones, "text=['review']"):
        assert said in shown
    SparseAdaGradRegressor(eta0=0.3).fit(*problem).save(model)
    shown = run(["inspect", str(model)]).stdout
    assert "SparseAdaGradRegressor(eta0=0.3)" in shown and "words" not in shown
    fails(["inspect", str(reviews)], "no complete model file")


def test_help_names_the_commands():
    shown = run(["--help"]).output
    assert all(command in shown for command in ("fit", "predict", "inspect", "demo"))


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


def test_a_reader_that_has_read_enough_is_no_error(reviews, tmp_path):
    model, texts = tmp_path / "model", tmp_path / "texts.csv"
    assert run(fit_arguments(reviews, model)).exit_code == 0
    texts.write_text("review\n" + "good\n" * 50_000)
    command = Path(sys.executable).parent / "sparse-adagrad"
    with subprocess.Popen(
        [command, "predict", model, texts],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert float(process.stdout.readline()) > 0
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


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
    shown = run(["demo"])
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


def test_the_live_bar_tells_pace_loss_and_memory(reviews, monkeypatch):
    shown = StringIO()
    terminal = partial(Console, file=shown, force_terminal=True, width=150)
    monkeypatch.setattr(
        bars, "Console", lambda stderr, highlight: terminal(highlight=highlight)
    )
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    learned = Run(
        new_pipeline(new_vectorizer(2**10)), Reading(["review"], "stars", batch_rows=50)
    )
    with progress.RunProgress(learned, 1) as bar:
        learned.learn([str(reviews)], 1, bar)
    last = shown.getvalue().split("\r")[-1]
    rmse = f"RMSE {learned.passes[0].rmse:.5g}"
    for each in ("rows/s", rmse, "MiB", "MB/s", "0:00:00"):
        assert each in last, last
