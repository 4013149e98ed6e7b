"""The memory that threads count text into, and keep for the next documents."""

import numpy as np
import pyarrow as pa
import pytest

from sparse_adagrad.text import HashingTfidfVectorizer, counter
from sparse_adagrad.text.ngrams import spare_memory


def test_what_was_left_of_a_failure_is_not_counted_again(monkeypatch):
    monkeypatch.setattr(counter, "CHARACTERS_PER_SHARE", 1)
    vectorizer = HashingTfidfVectorizer(use_idf=False, n_jobs=2, keep_tokens=1)
    texts = ["one two", "two three three", "four"] * 4
    expected = vectorizer.transform(texts)
    broken = pa.array([*(text.encode() for text in texts), b"five \xff six"])
    for _ in range(3):
        with pytest.raises(UnicodeDecodeError, match="document 12"):
            vectorizer.transform(broken.view("string"))
        again = vectorizer.transform(texts)
        np.testing.assert_array_equal(again.toarray(), expected.toarray())


def test_memory_is_kept_for_the_next_documents_up_to_a_limit():
    vectorizer = HashingTfidfVectorizer(use_idf=False)
    vectorizer.transform(["some words"])
    assert 0 < spare_memory() <= 1 << 26
    vectorizer.transform(["word " * (1 << 22)])  # 20 MB, and more to count it
    assert 0 <= spare_memory() <= 1 << 26
