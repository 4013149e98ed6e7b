"""Arrow string columns: every layout, missing values, and columns that lie."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from sparse_adagrad.text import HashingTfidfVectorizer, counter
from sparse_adagrad.text.documents import Documents
from tests.text.test_vectorizer import SCRIPTS, assert_same_rows

GAPS = [None if i % 5 == 3 else text for i, text in enumerate(SCRIPTS)]
LONG_VIEW = 20


def transform(column, **options):
    return HashingTfidfVectorizer(use_idf=False, **options).transform(column)


def dictionary(texts, index, values):
    places = [None if text is None else i for i, text in enumerate(texts)]
    words = [text or "" for text in texts]
    return pa.DictionaryArray.from_arrays(
        pa.array(places, index), pa.array(words, values)
    )


LAYOUTS = {
    "utf8": pa.array,
    "large_utf8": lambda t: pa.array(t, pa.large_utf8()),
    "string_view": lambda t: pa.array(t, pa.string_view()),
    "dictionary of int8": lambda t: dictionary(t, pa.int8(), pa.utf8()),
    "dictionary of uint16": lambda t: dictionary(t, pa.uint16(), pa.large_utf8()),
    "dictionary of int64": lambda t: dictionary(t, pa.int64(), pa.string_view()),
    "chunked": lambda t: pa.chunked_array([t[:4], [], t[4:]], pa.utf8()),
    "chunked dictionary": lambda t: pa.chunked_array(
        [t[:4], t[4:]], pa.utf8()
    ).dictionary_encode(),
    "polars": pl.Series,
    "polars chunked": lambda t: pl.concat(
        [pl.Series(t[:4]), pl.Series(t[4:])], rechunk=False
    ),
    "polars categorical": lambda t: pl.Series(t, dtype=pl.Categorical),
    "pandas": pd.Series,
    "pandas objects": lambda t: pd.Series(t, dtype=object),
    "pandas arrow": lambda t: pd.Series(t, dtype=pd.ArrowDtype(pa.utf8())),
    "pandas strings": lambda t: pd.Series(t, dtype="string[python]"),
    "pandas categories": lambda t: pd.Series(t, dtype="category"),
    "StringDType": lambda t: np.array(t, np.dtypes.StringDType(na_object=None)),
}


@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(make):
    expected = HashingVectorizer().transform(SCRIPTS)
    assert_same_rows(transform(make(SCRIPTS)), expected)
    between = make(["before", *SCRIPTS, "behind", "and more"])
    assert_same_rows(transform(between[1 : len(SCRIPTS) + 1]), expected)


@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_missing(make):
    with pytest.raises(ValueError, match="Document 3 is missing"):
        transform(make(GAPS))
    expected = HashingVectorizer().transform([text or "" for text in GAPS])
    assert_same_rows(transform(make(GAPS), missing="empty"), expected)


def test_missing_word_of_a_dictionary():
    words = pa.array(["one word", None])
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), words)
    with pytest.raises(ValueError, match="Document 1 is missing"):
        transform(column)
    assert transform(column, missing="empty").getnnz(axis=1).tolist() == [2, 0, 2]


@pytest.mark.parametrize(
    "options",
    [
        {"strip_accents": "unicode"},
        {"token_pattern": r"\b[a-z]+\b"},
        {"analyzer": "char_wb", "ngram_range": (2, 3)},
    ],
    ids=str,
)
def test_options(options):
    expected = HashingVectorizer(**options).transform(SCRIPTS)
    assert_same_rows(transform(pa.array(SCRIPTS), **options), expected)


def test_threads(monkeypatch):
    monkeypatch.setattr(counter, "CHARACTERS_PER_SHARE", 1)
    expected = HashingVectorizer().transform(SCRIPTS)
    assert_same_rows(transform(pa.array(SCRIPTS), n_jobs=3), expected)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2]),
        pa.array([b"bytes"]),
        pa.array([["a list"]]),
        pa.table({"text": SCRIPTS}),
        pl.Series([1, 2]),
        pl.DataFrame({"text": SCRIPTS}),
    ],
    ids=lambda column: type(column).__name__,
)
def test_other_types(column):
    with pytest.raises(TypeError, match="A column of strings is expected"):
        transform(column)


@pytest.mark.parametrize(
    "column", [pa.array([], "string"), pa.chunked_array([], "string")]
)
def test_nothing(column):
    with pytest.raises(ValueError, match="empty sequence"):
        transform(column)


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize(
    "fault",
    [b"\x80", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xe4\xb8", b"\xed\xa0\x80",
     b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff"],
)  # fmt: skip
def test_invalid_utf8(analyzer, fault):
    for text in (fault, b"in front " + fault, fault + b" behind"):
        column = pa.array([b"good text", text]).view(pa.string())
        with pytest.raises(UnicodeDecodeError, match=r"document 1\)"):
            transform(column, analyzer=analyzer)


def test_falling_offsets():
    offsets = pa.py_buffer(np.array([0, 5, 3, 8], np.int32))
    column = pa.Array.from_buffers(
        pa.string(), 3, [None, offsets, pa.py_buffer(b"abcdefgh")]
    )
    with pytest.raises(ValueError, match="offsets are negative or fall"):
        transform(column)


@pytest.mark.parametrize("index", [1, -1])
def test_index_outside_of_the_dictionary(index):
    indices = pa.array([0, index], pa.int8())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["word"]), safe=False)
    with pytest.raises(ValueError, match="outside of the dictionary"):
        transform(column)


@pytest.mark.parametrize(
    "view",
    [
        (-2, 0, 0, 0),
        (LONG_VIEW, 0, 1, 0),
        (LONG_VIEW, 0, -1, 0),
        (LONG_VIEW, 0, 0, 1),
        (LONG_VIEW, 0, 0, -1),
        (2**31 - 1, 0, 0, 2**31 - 1),
    ],
    ids=str,
)
def test_view_outside_of_its_buffer(view):
    views = pa.py_buffer(np.array(view, np.int32))
    data = pa.py_buffer(b"a" * LONG_VIEW)
    column = pa.Array.from_buffers(pa.string_view(), 1, [None, views, data])
    with pytest.raises(ValueError, match="outside of its buffer"):
        transform(column)


class Stream:
    """Gives away the same capsule every time."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __arrow_c_stream__(self, requested_schema=None):
        return self.capsule


class Array:
    """The same of two, for a schema and an array."""

    def __init__(self, capsules):
        self.capsules = capsules

    def __arrow_c_array__(self, requested_schema=None):
        return self.capsules


def test_released_before():
    """Reading a structure that its first reader released would crash."""
    array = Array(pa.array(SCRIPTS).__arrow_c_array__())
    transform(array)
    with pytest.raises(ValueError, match="released before"):
        transform(array)
    taken = pa.table({"text": SCRIPTS}).__arrow_c_stream__()
    pa.RecordBatchReader._import_from_c_capsule(taken)
    with pytest.raises(ValueError, match="released before"):
        transform(Stream(taken))


@pytest.mark.parametrize(
    "column",
    [
        Stream(None),
        Stream(pa.array(["a word"]).__arrow_c_array__()[1]),
        Array((None, None)),
        Array(pa.array(["a word"]).__arrow_c_array__()[::-1]),
    ],
)
def test_other_capsules(column):
    with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
        transform(column)


def test_texts_that_lie_one_behind_the_other():
    texts = [*SCRIPTS, "", "One fish, two"]
    encoded = [text.encode() for text in texts]
    text = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    documents = Documents.of_utf8(text, offsets)
    assert [documents[i] for i in range(len(documents))] == texts
    for part, given in zip(documents.utf8, (text, offsets), strict=True):
        np.testing.assert_array_equal(part, given)
    for options in ({}, {"strip_accents": "unicode"}, {"analyzer": str.split}):
        ours = HashingTfidfVectorizer(**options)
        expected = ours.fit_transform(texts)
        assert (ours.fit_transform(documents) != expected).nnz == 0
    nothing = Documents.of_utf8(text[:0], offsets[[0, 0]])
    assert len(nothing) == 1 and nothing[0] == ""
    for wrong in ([0, 5, 4, 9], [-1, 3], [0, len(text) + 1], []):
        with pytest.raises(ValueError, match="ffset"):
            Documents.of_utf8(text, np.array(wrong, np.int32))
