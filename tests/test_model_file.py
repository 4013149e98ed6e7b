"""Model files: whole, exact, and hard to fool."""

import json
import os
import struct

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file

from sparse_adagrad import SparseAdaGradRegressor
from sparse_adagrad.io import model_file


@pytest.fixture
def saved(problem, tmp_path):
    X, y = problem
    model = SparseAdaGradRegressor(eta0=0.3).partial_fit(X[:100], y[:100])
    model.save(tmp_path / "model")
    return model, tmp_path / "model", X[100:], y[100:]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_training_goes_on_with_the_same_bits(problem, tmp_path, dtype, outputs):
    X, y = problem
    if outputs > 1:
        y = np.column_stack([y, -y, y**2])
    model = SparseAdaGradRegressor(dtype=dtype).partial_fit(X[:77], y[:77])
    model.save(tmp_path / "model")
    loaded = SparseAdaGradRegressor.load(tmp_path / "model")
    assert loaded.get_params() == model.get_params()
    assert loaded.loss_curve_ == model.loss_curve_
    for each in (model, loaded):
        each.partial_fit(X[77:], y[77:])
    assert_array_equal(loaded.coef_, model.coef_)
    assert_array_equal(loaded.intercept_, model.intercept_)
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.t_ == model.t_ == 200


def test_warm_fit_goes_on_with_the_same_order(problem, tmp_path):
    X, y = problem
    model = SparseAdaGradRegressor(
        max_iter=2, warm_start=True, random_state=np.random.RandomState(5)
    ).fit(X, y)
    model.save(tmp_path / "model")
    loaded = SparseAdaGradRegressor.load(tmp_path / "model").fit(X, y)
    assert_array_equal(loaded.coef_, model.fit(X, y).coef_)
    assert loaded.loss_curve_ == model.loss_curve_


def test_names_curves_and_numpy_parameters(problem, tmp_path):
    import pandas as pd

    X, y = problem
    frame = pd.DataFrame(X.toarray(), columns=[f"w{j}" for j in range(40)])
    model = SparseAdaGradRegressor(eta0=np.float64(0.1), max_iter=np.int64(3))
    model.fit(frame, y, X_val=frame, y_val=y).save(tmp_path / "model")
    loaded = SparseAdaGradRegressor.load(tmp_path / "model")
    assert list(loaded.feature_names_in_) == list(frame.columns)
    assert loaded.validation_loss_curve_ == model.validation_loss_curve_
    assert loaded.n_iter_ == 3
    assert_array_equal(loaded.predict(frame), model.predict(frame))


def test_every_cut_is_noticed(saved):
    _, path, _, _ = saved
    whole = path.read_bytes()
    for size in [0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="no complete model file"):
            SparseAdaGradRegressor.load(path)


def test_foreign_and_newer_files(saved):
    _, path, _, _ = saved
    tensors = load_file(path)
    metadata = {"format": "other", "format_version": "1"}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(ValueError, match="not one of sparse_adagrad"):
        SparseAdaGradRegressor.load(path)
    save_file(tensors, path)
    with pytest.raises(ValueError, match="not one of sparse_adagrad"):
        SparseAdaGradRegressor.load(path)
    metadata = {"sparse_adagrad": json.dumps({"format_version": 99, "header": {}})}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(ValueError, match=r"version 99.*reads up to 2.*Upgrade"):
        SparseAdaGradRegressor.load(path)
    with pytest.raises(IsADirectoryError):
        SparseAdaGradRegressor.load(path.parent)


def forged(saved, change):
    """The file with its arrays and header changed, but well-formed."""
    _, path, _, _ = saved
    tensors, header = model_file.read(path)
    change(tensors, header)
    model_file.write(path, tensors, header)
    with pytest.raises(ValueError, match="does not hold a whole model"):
        SparseAdaGradRegressor.load(path)


FORGERIES = {
    "pairs gone": lambda t, h: t.pop("pairs"),
    "pairs flat": lambda t, h: t.update(pairs=t["pairs"].ravel()),
    "pairs of integers": lambda t, h: t.update(pairs=t["pairs"].astype(np.int32)),
    "column_max short": lambda t, h: t.update(column_max=t["column_max"][:-1].copy()),
    "column_max wide": lambda t, h: t.update(column_max=t["column_max"].astype("f8")),
    "pairs of halves": lambda t, h: t.update(
        pairs=t["pairs"].astype("f2"), column_max=t["column_max"].astype("f2")
    ),
    "bins negative": lambda t, h: t["bins"].fill(-1),
    "bins beyond counting": lambda t, h: t["bins"].fill(2**62),
    "bins short": lambda t, h: t.update(bins=t["bins"][:5].copy()),
    "outputs too many": lambda t, h: t.update(outputs=np.tile(t["outputs"], (2, 1))),
    "outputs narrow": lambda t, h: t.update(outputs=t["outputs"][:, :3].copy()),
    "totals twice": lambda t, h: t.update(totals=np.tile(t["totals"], (2, 1))),
    "totals of NaN": lambda t, h: t["totals"].fill(np.nan),
    "unknown parameter": lambda t, h: h["parameters"].update(eta=1),
    "bad parameter": lambda t, h: h["parameters"].update(eta0=-1),
    "no fitted part": lambda t, h: h.pop("fitted"),
    "a curve of one number": lambda t, h: h["fitted"].update(loss_curve_=7),
    "a curve of words": lambda t, h: h["fitted"].update(loss_curve_=["low"]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_parts_that_do_not_fit_together(saved, name):
    forged(saved, FORGERIES[name])


def test_files_of_version_1_load(saved):
    model, path, X, _ = saved
    tensors, header = model_file.read(path)
    said = {"format_version": "1", "header": json.dumps(header)}
    tensors["totals"] = np.pad(tensors["totals"], ((0, 0), (0, 1)))
    save_file(tensors, path, metadata={"format": "sparse_adagrad"} | said)
    loaded = SparseAdaGradRegressor.load(path)
    assert_array_equal(loaded.predict(X), model.predict(X))


def test_file_of_version_1_whose_totals_have_no_columns(saved):
    _, path, _, _ = saved
    tensors, header = model_file.read(path)
    said = {"format_version": "1", "header": json.dumps(header)}
    tensors["totals"] = np.zeros(7)
    save_file(tensors, path, metadata={"format": "sparse_adagrad"} | said)
    with pytest.raises(ValueError, match="no complete model file"):
        SparseAdaGradRegressor.load(path)


def test_equal_models_are_equal_files(saved, tmp_path):
    model, path, _, _ = saved
    for number in range(5):
        model.save(tmp_path / f"{number}")
        assert (tmp_path / f"{number}").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[]",
        "null",
        '{"format_version": 2}',
        '{"format_version": 1e999, "header": {}}',
        '{"format_version": "two", "header": {}}',
        '{"format_version": 2, "header": "said"}',
        '{"format_version": 2, "header": 3}',
        '{"format_version": 2, "header": null}',
        "[" * 200_000,
    ],
)
def test_header_that_is_not_whole(saved, said):
    _, path, _, _ = saved
    save_file(load_file(path), path, metadata={"sparse_adagrad": said})
    with pytest.raises(ValueError, match="no complete model file"):
        SparseAdaGradRegressor.load(path)


def test_a_crash_leaves_the_old_file(saved, monkeypatch):
    model, path, X, y = saved
    old = path.read_bytes()
    model.partial_fit(X, y)
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def crash(*arguments):
                raise OSError("the disk is full")

            patch.setattr(os, name, crash)
            with pytest.raises(OSError, match="the disk is full"):
                model.save(path)
        assert path.read_bytes() == old
        assert os.listdir(path.parent) == [path.name]
    model.save(path)
    assert path.read_bytes() != old


def test_file_is_plain_safetensors(saved):
    _, path, _, _ = saved
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    metadata = json.loads(raw[8 : 8 + size])["__metadata__"]
    said = json.loads(metadata["sparse_adagrad"])
    assert said["format_version"] == 2
    assert said["header"]["parameters"]["eta0"] == 0.3


def test_permissions_are_those_of_any_new_file(saved):
    _, path, _, _ = saved
    other = path.parent / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and named pipes")
def test_links_are_followed_and_devices_are_no_files(problem, tmp_path):
    model = SparseAdaGradRegressor().fit(*problem)
    target, link = tmp_path / "target.model", tmp_path / "link.model"
    target.touch()
    link.symlink_to(target)
    model.save(link)
    assert link.is_symlink()
    assert_array_equal(SparseAdaGradRegressor.load(target).coef_, model.coef_)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in ((pipe, "device or a pipe"), (tmp_path, "folder")):
        with pytest.raises(OSError, match=kind):
            model.save(path)
    assert sorted(tmp_path.iterdir()) == [link, pipe, target]
