"""Vectorizer and regressor as one estimator that streams."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sparse_adagrad import SparseAdaGradRegressor
from sparse_adagrad._state import ModelState
from sparse_adagrad.io import model_file
from sparse_adagrad.pipeline import StreamingPipeline, make_streaming_pipeline
from sparse_adagrad.text import HashingTfidfVectorizer

WORDS = ["good", "bad", "fine", "dull", "film", "plot", "ending", "actor", "straße"]
RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice(WORDS, 6)) for _ in range(600)]
STARS = np.array([5.0 + t.count("good") - t.count("bad") for t in TEXTS])
BATCHES = [(TEXTS[i : i + 50], STARS[i : i + 50]) for i in range(0, 600, 50)]


def new(**options):
    return make_streaming_pipeline(
        HashingTfidfVectorizer(n_features=2**10, dtype=np.float32, **options),
        SparseAdaGradRegressor(random_state=0),
    )


def same(one, other):
    assert_array_equal(one.predict(TEXTS), other.predict(TEXTS))
    assert_array_equal(
        one.vectorizer.document_frequency_, other.vectorizer.document_frequency_
    )
    assert one.vectorizer.n_documents_ == other.vectorizer.n_documents_


def test_stream_learns():
    seen = []
    model = new().fit_stream(BATCHES, lambda m: seen.append(m.regressor.t_))
    assert seen == list(range(50, 601, 50))
    assert model.regressor.loss_curve_[-1] < model.regressor.loss_curve_[0]
    assert model.score(TEXTS, STARS) > 0.8
    assert model.vectorizer.n_documents_ == 600


def test_fit_starts_from_scratch_and_partial_fit_goes_on():
    model = new().fit(TEXTS[:400], STARS[:400])
    same(clone(model).fit_stream(BATCHES).fit(TEXTS[:400], STARS[:400]), model)
    assert model.score(TEXTS[400:], STARS[400:]) > 0.95
    model.partial_fit(TEXTS[400:], STARS[400:])
    assert model.vectorizer.n_documents_ == 600


@pytest.mark.parametrize("use_idf", [True, False])
def test_saved_and_loaded_it_goes_on_bit_for_bit(tmp_path, use_idf):
    model = new(use_idf=use_idf, ngram_range=(1, 2), stop_words=["film"])
    model.fit_stream(BATCHES[:6]).save(tmp_path / "m")
    loaded = StreamingPipeline.load(tmp_path / "m")
    for each in (model, loaded):
        each.fit_stream(BATCHES[6:])
    assert_array_equal(model.predict(TEXTS), loaded.predict(TEXTS))
    assert loaded.get_params()["vectorizer__ngram_range"] == (1, 2)


def test_refused_batch_leaves_the_model_as_it_was(monkeypatch):
    model, twin = (new().fit_stream(BATCHES[:3]) for _ in range(2))
    for texts, y, error in (
        (["a b", None], [1, 2], ValueError),
        (["good", "bad"], [1, np.nan], ValueError),
        (["good", "bad"], [1], ValueError),
    ):
        for learn in (model.partial_fit, model.fit):
            with pytest.raises(error):
                learn(texts, y)
        same(model, twin)

    # Weights that are no numbers are found by the regressor, after all words.
    with pytest.raises(TypeError):
        model.fit(TEXTS[:2], STARS[:2], [{}, 1.0])
    same(model, twin)

    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    # Of these, the regressor has learned when the last is called.
    for owner, name in (
        (SparseAdaGradRegressor, "_learn_batch"),
        (ModelState, "forget"),
        (HashingTfidfVectorizer, "_keep"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                model.partial_fit(TEXTS, STARS)
        same(model, twin)
    monkeypatch.setattr(SparseAdaGradRegressor, "_partial_fit", interrupted)
    fresh = new()
    with pytest.raises(KeyboardInterrupt):
        fresh.partial_fit(TEXTS, STARS)
    with pytest.raises(NotFittedError):
        fresh.predict(TEXTS)
    with pytest.raises(NotFittedError):
        fresh.vectorizer.transform(TEXTS)


def test_kept_tokens_are_those_that_were_learned(tmp_path):
    model = new(keep_tokens=2)
    model.fit_stream(BATCHES[:6])
    columns = model.vectorizer.transform(WORDS).indices
    assert model.vectorizer.column_tokens(columns)[0].tolist() == WORDS
    before = model.vectorizer.kept_tokens_.copy()
    with pytest.raises(ValueError):
        model.partial_fit(["good", "bad"], [1, np.nan])
    assert_array_equal(model.vectorizer.kept_tokens_, before)
    model.save(tmp_path / "m")
    loaded = StreamingPipeline.load(tmp_path / "m")
    for each in (model, loaded):
        each.fit_stream(BATCHES[6:])
    assert_array_equal(loaded.vectorizer.kept_tokens_, model.vectorizer.kept_tokens_)
    assert (before["count"] < loaded.vectorizer.kept_tokens_["count"]).any()


def test_files_that_hold_no_pipeline(tmp_path):
    with pytest.raises(NotFittedError):
        new().save(tmp_path / "m")
    model = new(tokenizer=str.split, token_pattern=None).fit(TEXTS, STARS)
    with pytest.raises(ValueError, match="tokenizer is a function"):
        model.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_files_whose_columns_come_twice_are_refused(tmp_path):
    new(keep_tokens=1).partial_fit(TEXTS, STARS).save(tmp_path / "m")
    tensors, header = model_file.read(tmp_path / "m")
    for name in ("kept_columns", "kept_tokens"):
        tensors[name] = np.repeat(tensors[name][:1], 1000, axis=0)
    model_file.write(tmp_path / "m", tensors, header)
    with pytest.raises(ValueError, match="kept_columns are not columns that rise"):
        StreamingPipeline.load(tmp_path / "m")


def test_rows_without_a_vectorizer(tmp_path):
    rows = HashingTfidfVectorizer(n_features=2**10).fit_transform(TEXTS)
    model = make_streaming_pipeline(None, SparseAdaGradRegressor(random_state=0))
    model.partial_fit(rows, STARS).save(tmp_path / "m")
    alone = SparseAdaGradRegressor(random_state=0).partial_fit(rows, STARS)
    assert_array_equal(model.predict(rows), alone.predict(rows))
    alone.save(tmp_path / "alone")
    for name in ("m", "alone"):
        loaded = StreamingPipeline.load(tmp_path / name)
        assert loaded.vectorizer is None
        assert_array_equal(loaded.predict(rows), alone.predict(rows))
    assert_array_equal(
        model.fit(rows, STARS).predict(rows), alone.fit(rows, STARS).predict(rows)
    )


def test_target_transform(tmp_path):
    prices = np.exp(STARS)
    model, inner = new().set_params(target_transform="log1p"), new()
    model.fit_stream((texts, np.exp(y)) for texts, y in BATCHES).save(tmp_path / "m")
    inner.fit_stream((texts, np.log1p(np.exp(y))) for texts, y in BATCHES)
    assert_array_equal(model.predict(TEXTS), np.expm1(inner.predict(TEXTS)))
    same(StreamingPipeline.load(tmp_path / "m"), model)
    assert model.fit(TEXTS, prices).score(TEXTS, prices) > 0.8
    for learn in (model.partial_fit, model.fit):
        with pytest.raises(ValueError, match=r"above -1, but y is -3.0 in row 1"):
            learn(["good", "bad"], [1, -3])
    with pytest.raises(ValueError, match="target_transform"):
        new().set_params(target_transform="sqrt").partial_fit(TEXTS, STARS)


def test_files_keep_only_columns_that_were_seen(tmp_path):
    model = new(keep_tokens=1).fit_stream(BATCHES)
    model.save(tmp_path / "m")
    # 64 bytes a column would be more than all the rest of the file.
    assert (tmp_path / "m").stat().st_size < 2**10 * 64
    kept = StreamingPipeline.load(tmp_path / "m").vectorizer.kept_tokens_
    assert_array_equal(kept, model.vectorizer.kept_tokens_)
