"""Shares of work on threads."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread, current_thread, get_ident, main_thread

import pytest

from sparse_adagrad._threads import on_threads


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


def test_what_an_unexpected_thread_takes_is_waited_for(monkeypatch):
    """The pool keeps what it could not start a thread for, and does it later."""
    others_may_take = Event()

    def submit(pool, take):
        Thread(target=lambda: others_may_take.wait() and take()).start()
        raise RuntimeError("can't start new thread")

    def square(k):
        others_may_take.set()
        time.sleep(0.01)
        return k * k

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    for _ in range(20):
        squares = on_threads(square, range(7), n_threads=2)
        assert squares == [k * k for k in range(7)]


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_interrupt_leaves_no_thread_at_work(n_threads):
    at_work = []

    def interrupted(k):
        if current_thread() is main_thread():
            time.sleep(0.01)
            raise KeyboardInterrupt
        at_work.append(k)
        time.sleep(0.1)
        at_work.remove(k)

    with pytest.raises(KeyboardInterrupt):
        on_threads(interrupted, range(9), n_threads=n_threads)
    assert at_work == []
