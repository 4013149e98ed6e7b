"""The words that columns keep, against Misra and Gries in Python."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.utils import murmurhash3_32

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


@pytest.mark.parametrize("n_jobs", [2, 3, 50])
def test_threads_keep_the_same(monkeypatch, n_jobs):
    monkeypatch.setattr(counter, "CHARACTERS_PER_THREAD", 1)
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
