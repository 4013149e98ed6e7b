"""Shares of work on threads, and the memory that they count into."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident

import numpy as np
import pyarrow as pa
import pytest

from sparse_adagrad.text import HashingTfidfVectorizer, counter
from sparse_adagrad.text.ngrams import spare_memory
from sparse_adagrad.text.threads import on_threads


@pytest.mark.parametrize("n_threads", [1, 2, 5, 50])
def test_results_stand_in_order(n_threads):
    squares = on_threads(
        lambda k, by: k * by, range(40), range(40), n_threads=n_threads
    )
    assert squares == [k * k for k in range(40)]


def test_no_work_needs_no_thread():
    assert on_threads(abs, [], n_threads=3) == []


def test_a_thread_that_is_slow_takes_fewer():
    others_are_done = Barrier(2, timeout=60)
    taken_by = {}

    def take(k):
        taken_by[k] = get_ident()
        if k in (0, 9):  # The first share takes as long as all others.
            others_are_done.wait()

    on_threads(take, range(10), n_threads=2)
    assert len({taken_by[k] for k in range(1, 10)}) == 1
    assert taken_by[0] != taken_by[9]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_of_several_errors_the_first_is_raised(n_threads):
    done = []

    def fail(k):
        if k >= 3:
            raise ValueError(f"share {k}")
        done.append(k)

    with pytest.raises(ValueError, match=r"^share 3$"):
        on_threads(fail, range(100), n_threads=n_threads)
    assert sorted(done) == [0, 1, 2]


@pytest.mark.parametrize("n_had", [0, 1])
def test_without_threads_the_caller_does_all(monkeypatch, n_had):
    submit, left = ThreadPoolExecutor.submit, [n_had]

    def refuse(*arguments):
        if not left[0]:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        left[0] -= 1
        return submit(*arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert on_threads(abs, range(9), n_threads=4) == list(range(9))


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
