"""The words that columns keep, against Misra and Gries in Python."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.utils import murmurhash3_32

from sparse_adagrad._threads import on_threads
from sparse_adagrad.text import HashingTfidfVectorizer, counter
from tests.text.test_vectorizer import SCRIPTS

LONG = ["word" * 20 + " " + "ж" * 40, "word" * 20, "one two " * 9]


def kept(columns, n_features, n_slots):
    """What each column's slots hold: [count, n-gram], as columns come to have them."""
    slots = [[[0, ""] for _ in range(n_slots)] for _ in range(n_features)]
    for ngram in columns:
        own = slots[abs(murmurhash3_32(ngram, seed=0)) % n_features]
        same = [slot for slot in own if slot[0] and slot[1] == ngram]
        empty = [slot for slot in own if not slot[0]]
        if same:
            same[0][0] += 1
        elif empty:
            empty[0][:] = 1, ngram
        else:
            for slot in own:
                slot[0] -= 1
    return slots


def check(texts, n_slots, n_features=5, **options):
    ours = HashingTfidfVectorizer(
        keep_tokens=n_slots, n_features=n_features, **options
    ).fit(texts)
    analyze = ours.build_analyzer()
    expected = kept(
        [ngram for text in texts for ngram in analyze(text)], n_features, n_slots
    )
    for own, found in zip(expected, ours.kept_tokens_, strict=True):
        for (count, ngram), slot in zip(own, found, strict=True):
            assert slot["count"] == count
            assert slot["size"] == len(ngram.encode())
            size = min(slot["size"], 54)
            assert slot["text"].ljust(size, b"\0") == ngram.encode()[:54]


@pytest.mark.parametrize("n_slots", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ngram_range": (1, 2), "lowercase": False},
        {"stop_words": ["two", "the"]},
        {"analyzer": "char_wb", "ngram_range": (2, 3)},
        {"analyzer": "char", "n_features": 64},
        {"token_pattern": r"\b[a-z]+\b"},
        {"strip_accents": "unicode", "alternate_sign": False},
    ],
    ids=str,
)
def test_same_as_in_python(n_slots, options):
    check(SCRIPTS + LONG + SCRIPTS[::-1], n_slots, **options)


@given(st.lists(st.text("ab é", max_size=30), min_size=1, max_size=5))
def test_any_text(texts):
    for n_slots in (1, 2):
        check(texts, n_slots, n_features=2)


def words_as_they_come(n_words, n_distinct):
    """Few words often, many seldom, as in any language; some begin with a capital."""
    rng = np.random.default_rng(0)
    numbers = rng.zipf(1.3, n_words) % n_distinct
    return [f"{'W' if n % 3 else 'w'}{n:x}" * (1 + n % 7) for n in numbers]


@pytest.mark.parametrize("n_slots", [1, 2])
@pytest.mark.parametrize("n_features", [50, 2**12, 2**20])
def test_more_words_than_streaks_that_go_on(n_slots, n_features):
    words = words_as_they_come(60_000, 30_000)
    texts = [" ".join(part) for part in np.array_split(words, 300)]
    ours = HashingTfidfVectorizer(keep_tokens=n_slots, n_features=n_features)
    lowered = [word.lower() for word in words]
    expected = kept(lowered, n_features, n_slots)
    found = ours.fit(texts).kept_tokens_
    for own, slots in zip(expected, found.tolist(), strict=True):
        for (count, ngram), slot in zip(own, slots, strict=True):
            assert slot[1:] == (count, len(ngram), ngram.encode()[:54])


def test_words_at_any_place_of_a_text():
    """Of words of ASCII, texts are found without tokenising, block by block."""
    for before in range(130):
        for word in ("ab", "Word", "x" * 63, "Y" * 64, "z_9" * 30, "caf\u00e9", "a"):
            check(["." * before + f"{word} one {word}, \u00e9t\u00e9 two"], 1)
            check([f"Q{'!' * before}zz {word}"], 1, lowercase=False)


@pytest.mark.parametrize("n_jobs", [2, 3, 50])
def test_threads_keep_the_same(monkeypatch, n_jobs):
    monkeypatch.setattr(counter, "CHARACTERS_PER_SHARE", 1)
    texts = [*SCRIPTS, *LONG, "long " * 500, *SCRIPTS]
    for n_features in (3, 2**12):
        one, many = (
            HashingTfidfVectorizer(keep_tokens=1, n_features=n_features, n_jobs=jobs)
            for jobs in (None, n_jobs)
        )
        one.fit(texts)
        many.fit(pa.array(texts))
        assert_array_equal(one.kept_tokens_, many.kept_tokens_)


def test_streams_keep_the_same():
    texts = SCRIPTS + LONG
    whole = HashingTfidfVectorizer(keep_tokens=2, n_features=7).fit(texts)
    stream = HashingTfidfVectorizer(keep_tokens=2, n_features=7)
    for part in np.array_split(np.array(texts, object), 4):
        stream.partial_fit(part)
    assert_array_equal(stream.kept_tokens_, whole.kept_tokens_)


def test_an_interrupt_leaves_no_token_without_its_text(monkeypatch):
    vectorizer = HashingTfidfVectorizer(n_features=2**16, keep_tokens=1, n_jobs=2)
    vectorizer.fit(["some words"])
    monkeypatch.setattr(counter, "CHARACTERS_PER_SHARE", 1)
    texts = [f"word{k} other{k}" for k in range(500)]

    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(vectorizer, "_n_threads", lambda: 1)
        patch.setattr(counter, "on_threads", interrupt)
        with pytest.raises(KeyboardInterrupt):
            vectorizer._keep(vectorizer_batch(vectorizer, texts))
    taken = vectorizer.kept_tokens_[vectorizer.kept_tokens_["count"] > 0]
    words = {word for text in ["some words", *texts] for word in text.split()}
    assert len(taken) > 900
    assert {text.decode() for text in taken["text"]} <= words


def vectorizer_batch(vectorizer, texts):
    """Texts counted, but not learned from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter, "on_threads", on_threads)
        return vectorizer._count(texts)


def test_threads_may_share_a_vectorizer():
    vectorizer = HashingTfidfVectorizer(n_features=2**16, keep_tokens=1)

    def learn(thread):
        for k in range(20):
            words = [f"w{thread}x{k}x{i}" for i in range(2000)]
            vectorizer.partial_fit([" ".join(words)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(learn, range(4)))
    taken = vectorizer.kept_tokens_[vectorizer.kept_tokens_["count"] > 0]
    assert len(taken) > 2**14
    assert all(re.fullmatch(rb"w\dx\d+x\d+", text) for text in taken["text"])
