"""Words of texts that are ASCII in part, at the edges of blocks and of such parts."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer

from sparse_adagrad.text import HashingTfidfVectorizer
from tests.text.test_vectorizer import assert_same_rows, check

BLOCK = 64
# In words and not; of one to four bytes; whose lower case is longer, shorter, several,
# or depends on others; ignorable ones, beside which a sigma looks further.
ODD = [*"éÀßẞΣσςİıȺⱥKΩЖж床😀𐐀𝔘'·:", "\u0301", "\u00ad", "\u2013", "\u200d", "\u0085"]
TAILS = ["", "b", " b", ".", "'", "'b", "\u0301", "\u0301b", "Σ", "Σb", "\u00ad\u0301B"]


def runs_of(odd):
    """Texts of runs, many of about the length of a block."""
    length = st.sampled_from([0, 1, 2, 3, 30, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1])
    unit = st.text("aZ_ 9.", min_size=1, max_size=5)
    run = st.builds(lambda text, n: (text * n)[:n], unit, length)
    other = st.text(st.sampled_from(odd), max_size=4)
    return st.lists(st.one_of(run, other), max_size=8).map("".join)


def check_arrow(texts, **options):
    ours = HashingTfidfVectorizer(use_idf=False, **options).transform(pa.array(texts))
    assert_same_rows(ours, HashingVectorizer(**options).transform(texts))


@given(st.lists(runs_of(ODD), min_size=1, max_size=4), st.booleans())
def test_runs(texts, lowercase):
    check(texts, lowercase=lowercase)
    check_arrow(texts, lowercase=lowercase)


@given(st.lists(runs_of([*"éàÀÿ\xa0ª"]), min_size=1), st.sampled_from([(1, 1), (1, 2)]))
def test_runs_of_one_byte_characters(texts, ngram_range):
    check(texts, ngram_range=ngram_range)
    check_arrow(texts, ngram_range=ngram_range)


@given(st.lists(runs_of([*ODD, "\ud800", "\udfff"]), min_size=1, max_size=4))
def test_surrogates(texts):
    check(texts)


@pytest.mark.parametrize("before", ["", "é", "床", "😀", "A", "'", "a'", "\u0301"])
def test_a_character_at_every_place_of_a_block(before):
    texts = [
        f"{' ' * pad}{before}{odd}{tail}"
        for pad in (0, *range(BLOCK - 5, BLOCK + 2))
        for odd in ODD
        for tail in TAILS
    ]
    check(texts)
    check_arrow(texts)


def test_long_words():
    texts = [f"{'aé' * n}{'b' * n} {'Ж' * n}" for n in range(2 * BLOCK)]
    check(texts)
    check_arrow(texts)


@pytest.mark.parametrize(
    "fault", [b"\x80", b"\xc3", b"\xe4\xb8", b"\xed\xa0\x80", b"\xf0\x9f\x98"]
)
@pytest.mark.parametrize("before", ["", "Σ", "aΣ\u0301"])
def test_invalid_at_every_place_of_a_block(fault, before):
    for pad in range(BLOCK - 8, BLOCK + 2):
        for tail in (b"", b"a", b"a" * BLOCK):
            text = b"a" * pad + before.encode() + fault + tail
            column = pa.array([b"good text", text]).view(pa.string())
            with pytest.raises(UnicodeDecodeError, match=r"document 1\)"):
                HashingTfidfVectorizer(use_idf=False).transform(column)


def test_cut_off_behind_the_column():
    """The bytes that would go on with a character belong to another document."""
    offsets = pa.py_buffer(np.array([0, 3, 5], np.int32))
    data = pa.py_buffer("aaé".encode() + b"b")
    column = pa.Array.from_buffers(pa.string(), 2, [None, offsets, data])
    with pytest.raises(UnicodeDecodeError, match=r"document 0\)"):
        HashingTfidfVectorizer(use_idf=False).transform(column)
