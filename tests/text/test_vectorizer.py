"""Hashed TF-IDF against scikit-learn's own output."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from sparse_adagrad.text import HashingTfidfVectorizer, counter

SCRIPTS = [
    "",
    "a",
    "The quick brown fox, the QUICK brown fox.",
    "snake_case and CamelCase 1234 x9 _ __ a_b",
    "tabs\tand  two spaces\n\nand lines\r\n end ",
    "Ein Straßenschild ÄÖÜ äöü naïve café Ǆ ǅ",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ σας ς Σ ά Ϊ",
    "İstanbul Iğdır ıi DİYARBAKIR",
    "Съешь ещё этих МЯГКИХ французских булок",
    "床前明月光 疑是地上霜 举头望明月",
    "いろはにほへと ちりぬるを カタカナ ﾊﾝｶｸ",
    "키스의 고유조건은 입술끼리 만나야 하고",
    "نص حكيم له سر قاطع وذو شأن ١٢٣",
    "दीवारबंद जयपुर ऐसी दुकानें",
    "emoji 😀😀 👨‍👩‍👧 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙 ½ ² ⅷ",
    "no\u00a0break em\u2003space\u2028line\u0085next \x1c\x1d zero\u200bwidth",
    "x" * 63 + " " + "y" * 64 + " " + "z" * 65 + "_" * 129,
]
OPTIONS = [
    {},
    {"ngram_range": (1, 2)},
    {"ngram_range": (2, 3), "stop_words": "english"},
    {"stop_words": ["the", "булок", "σας"], "norm": "l1"},
    {"lowercase": False, "n_features": 1000, "binary": True},
    {"alternate_sign": False, "n_features": 7, "norm": None},
    {"strip_accents": "unicode", "dtype": np.float32},
    {"strip_accents": "ascii", "n_features": 1},
    {"analyzer": "char"},
    {"analyzer": "char", "ngram_range": (2, 4), "n_features": 50},
    {"analyzer": "char_wb", "ngram_range": (3, 5)},
    {"analyzer": "char_wb", "ngram_range": (1, 1), "strip_accents": "unicode"},
    {"analyzer": "char_wb", "ngram_range": (6, 9), "lowercase": False},
]


def assert_same_rows(actual, expected):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    assert_array_equal(actual.indptr, expected.indptr)
    assert_array_equal(actual.indices, expected.indices)
    assert_array_equal(actual.data, expected.data)


def check(texts, **options):
    ours = HashingTfidfVectorizer(use_idf=False, **options).transform(texts)
    assert_same_rows(ours, HashingVectorizer(**options).transform(texts))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_rows_are_those_of_the_hashing_vectorizer(options):
    check(SCRIPTS, **options)
    check([" ".join(SCRIPTS), *SCRIPTS[::-1]], **options)


@given(st.lists(st.text(), min_size=1, max_size=4), st.sampled_from(OPTIONS))
def test_any_text(texts, options):
    check(texts, **options)


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=300), min_size=1))
def test_any_ascii(texts):
    check(texts)
    check(texts, ngram_range=(1, 2), stop_words=["aa", "b0"])


def test_every_character():
    """One by one between letters, so that each is in a word or ends one."""
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = ["".join(f"ab{chr(c)}cd " for c in points[k::40]) for k in range(40)]
    check(texts, lowercase=False)
    check(texts[:4], analyzer="char_wb", ngram_range=(3, 3))


def test_real_text(functions):
    texts = [text for text, _ in functions[::40]]
    assert any(not text.isascii() for text in texts)
    for options in OPTIONS:
        check(texts, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"token_pattern": r"\b[a-z]+\b"},
        {"tokenizer": str.split, "token_pattern": None},
        {"preprocessor": str.upper},
        {"analyzer": str.split},
    ],
    ids=str,
)
def test_steps_of_the_users_own(options):
    check(SCRIPTS, **options)


@pytest.mark.parametrize("smooth_idf", [True, False])
@pytest.mark.parametrize("sublinear_tf", [True, False])
def test_idf_is_that_of_the_transformer(smooth_idf, sublinear_tf):
    idf = {"smooth_idf": smooth_idf, "sublinear_tf": sublinear_tf}
    hashing = {"alternate_sign": False, "n_features": 2**10}
    counts = HashingVectorizer(norm=None, **hashing).transform(SCRIPTS)
    with np.errstate(divide="ignore"):  # of columns that are never seen
        expected = TfidfTransformer(**idf).fit(counts).transform(counts[::2])
    ours = HashingTfidfVectorizer(**idf, **hashing)
    rows = ours.fit(SCRIPTS).transform(SCRIPTS[::2])
    assert_allclose(rows.toarray(), expected.toarray(), rtol=1e-12)
    assert_array_equal(ours.document_frequency_, counts.getnnz(axis=0))
    assert ours.n_documents_ == len(SCRIPTS)


def test_signed_counts_are_damped_by_their_size():
    texts = ["aa " * 5 + "bb " * 3 + "cc", "dd " * 9]
    options = {"norm": None, "use_idf": False, "n_features": 2**16}
    plain = HashingTfidfVectorizer(**options).transform(texts).toarray()
    damped = HashingTfidfVectorizer(sublinear_tf=True, **options).transform(texts)
    assert (plain < 0).any()
    seen = plain != 0
    expected = np.sign(plain[seen]) * (1 + np.log(np.abs(plain[seen])))
    assert_allclose(damped.toarray()[seen], expected)
    assert (damped.toarray()[~seen] == 0).all()


@pytest.mark.parametrize("cuts", [[], [1], [3, 4, 11]])
def test_a_stream_counts_what_a_fit_does(cuts):
    whole = HashingTfidfVectorizer(n_features=2**10)
    expected = whole.fit_transform(SCRIPTS)
    stream = HashingTfidfVectorizer(n_features=2**10)
    for start, stop in zip([0, *cuts], [*cuts, len(SCRIPTS)], strict=True):
        last = stream.partial_fit_transform(SCRIPTS[start:stop])
        assert_same_rows(last, stream.transform(SCRIPTS[start:stop]))
    assert_same_rows(stream.transform(SCRIPTS), expected)
    assert_array_equal(stream.document_frequency_, whole.document_frequency_)
    again = pickle.loads(pickle.dumps(stream))
    assert_same_rows(again.transform(SCRIPTS), expected)


@pytest.mark.parametrize(
    ("n_jobs", "n_threads"), [(None, 1), (3, 3), (-1, 4), (-2, 3), (-9, 1)]
)
def test_threads_of_the_counter(monkeypatch, n_jobs, n_threads):
    monkeypatch.setattr(counter.os, "cpu_count", lambda: 4)
    assert counter.TfidfCounter(n_jobs=n_jobs)._n_threads() == n_threads


@pytest.mark.parametrize("n_jobs", [2, 3, 50])
def test_threads_count_the_same(monkeypatch, n_jobs):
    monkeypatch.setattr(counter, "CHARACTERS_PER_SHARE", 1)
    texts = [*SCRIPTS, "long " * 500, *SCRIPTS]
    expected = HashingTfidfVectorizer().fit_transform(texts)
    many = HashingTfidfVectorizer(n_jobs=n_jobs)
    assert_same_rows(many.fit_transform(texts), expected)


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, pd.Series, iter, lambda t: np.array(t, object)]
)
def test_kinds_of_sequences(kind):
    expected = HashingTfidfVectorizer(use_idf=False).transform(SCRIPTS)
    rows = HashingTfidfVectorizer(use_idf=False).transform(kind(SCRIPTS))
    assert_same_rows(rows, expected)


def test_bytes():
    encoded = [text.encode("latin-1", "replace") for text in SCRIPTS]
    check(encoded, encoding="latin-1")
    with pytest.raises(UnicodeDecodeError):
        HashingTfidfVectorizer(use_idf=False).transform([b"\xff"])


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_missing(nothing):
    texts = ["a text", nothing]
    columns = HashingTfidfVectorizer()
    if nothing is not pd.NA:
        with pytest.raises(ValueError, match="Document 1 is missing"):
            columns.fit(texts)
        rows = columns.set_params(missing="empty").fit_transform(texts)
        assert rows[[1]].nnz == 0


def test_bad_documents_change_nothing():
    columns = HashingTfidfVectorizer().fit(SCRIPTS)
    before = columns.document_frequency_.copy()
    for bad, error, said in (
        ("text", ValueError, "string object"),
        ([], ValueError, "empty sequence"),
        (["a b", 3], ValueError, "Document 1 is of type int"),
    ):
        with pytest.raises(error, match=said):
            columns.partial_fit(bad)
        with pytest.raises(error, match=said):
            columns.fit(bad)
    assert_array_equal(columns.document_frequency_, before)
    assert columns.n_documents_ == len(SCRIPTS)
    with pytest.raises(ValueError, match="n_features=5"):
        columns.set_params(n_features=5).partial_fit(["good text"])
    with pytest.raises(NotFittedError):
        clone(columns).transform(SCRIPTS)
    with pytest.raises(ValueError, match="ngram_range"):
        HashingTfidfVectorizer(ngram_range=(2, 1)).fit(SCRIPTS)


def test_surrogates_stand_between_words_but_cannot_be_hashed():
    texts = ["good text", "one\ud800two"]
    check(texts)
    for analyzer in ("char", "char_wb"):
        with pytest.raises(UnicodeEncodeError, match="surrogates"):
            HashingVectorizer(analyzer=analyzer).transform(texts)
        columns = HashingTfidfVectorizer(analyzer=analyzer)
        with pytest.raises(UnicodeEncodeError, match=r"surrogates.*document 1"):
            columns.fit(texts)


@pytest.mark.parametrize("n_features", [1, 2, 3, 1000, 2**20, 2**31 - 2])
@pytest.mark.parametrize("n_words", [1, 2, 1023, 1024, 1025, 20_000])
def test_documents_of_any_length(n_words, n_features):
    words = [f"w{k * k % 1999}" for k in range(n_words)]
    check([" ".join(words), "", " ".join(words[::-3])], n_features=n_features)


def test_documents_that_were_not_counted_do_not_count():
    switched = HashingTfidfVectorizer(use_idf=False).fit(SCRIPTS)
    switched.set_params(use_idf=True).partial_fit(SCRIPTS[:5])
    expected = HashingTfidfVectorizer().fit(SCRIPTS[:5])
    assert switched.n_documents_ == expected.n_documents_ == 5
    assert_same_rows(switched.transform(SCRIPTS), expected.transform(SCRIPTS))


@pytest.mark.parametrize("shape", [(), (1, 2)])
def test_arrays_of_other_dimensions(shape):
    with pytest.raises(ValueError, match="one dimension"):
        HashingTfidfVectorizer().fit(np.full(shape, "a text"))


@pytest.mark.parametrize("learn", ["fit", "fit_transform"])
def test_fit_begins_anew_with_other_parameters(learn):
    vectorizer = HashingTfidfVectorizer(n_features=2**10, keep_tokens=1).fit(["a bb"])
    vectorizer.set_params(n_features=2**11, keep_tokens=2)
    with pytest.raises(ValueError, match="set them back, or call fit"):
        vectorizer.partial_fit(["cc"])
    with pytest.raises(ValueError, match="set them back, or call fit"):
        vectorizer.transform(["cc"])
    getattr(vectorizer, learn)(["bb cc"])
    assert vectorizer.document_frequency_.shape == (2**11,)
    assert vectorizer.document_frequency_.sum() == 2
    assert vectorizer.kept_tokens_.shape == (2**11, 2)


@pytest.mark.parametrize("learn", ["fit", "fit_transform", "partial_fit"])
def test_an_interrupt_takes_all_back(monkeypatch, learn):
    """It comes after the frequencies were added, and before the documents were."""
    vectorizer = HashingTfidfVectorizer(n_jobs=2)
    fresh = clone(vectorizer)
    monkeypatch.setattr(counter, "CHARACTERS_PER_SHARE", 1)
    vectorizer.fit(SCRIPTS)
    frequencies, rows = (
        vectorizer.document_frequency_.copy(),
        vectorizer.transform(["a"]),
    )

    def interrupt(batch):
        raise KeyboardInterrupt

    # Asked for first when a batch has been counted, and then when it is added.
    counted = iter([lambda batch: 4, interrupt] * 2)
    several = property(lambda batch: next(counted)(batch))
    monkeypatch.setattr(counter.Batch, "n_documents", several)
    for each in (vectorizer, fresh):
        with pytest.raises(KeyboardInterrupt):
            getattr(each, learn)(["bb cc", "cc dd", "ee", "ff"])
    assert_array_equal(vectorizer.document_frequency_, frequencies)
    assert vectorizer.n_documents_ == len(SCRIPTS)
    assert not hasattr(fresh, "document_frequency_")
    monkeypatch.undo()
    assert_same_rows(vectorizer.transform(["a"]), rows)


def test_what_comes_up_at_the_first_capital_sigma_is_raised():
    code = """
from sklearn.feature_extraction.text import HashingVectorizer
from sparse_adagrad.text import HashingTfidfVectorizer, ngrams

make, n_made = ngrams.with_cases, []

def interrupted():
    n_made.append(1)
    if len(n_made) == 1:
        raise KeyboardInterrupt
    return make()

ngrams.with_cases = interrupted
ours = HashingTfidfVectorizer(use_idf=False)
texts = ["\u039f\u03a3 \u03a3\u03a3"]
try:
    ours.transform(texts)
except KeyboardInterrupt:
    pass
else:
    raise AssertionError("no interrupt")
for _ in range(2):
    rows, expected = ours.transform(texts), HashingVectorizer().transform(texts)
    assert (rows != expected).nnz == 0
assert len(n_made) == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True)
