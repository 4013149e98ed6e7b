"""Threads that do a small thing together, and then the next."""

import gc
import os
import signal
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from sparse_adagrad import _team
from sparse_adagrad._team import Team


@pytest.fixture(params=["looking", "sleeping"])
def wait_by(request, monkeypatch):
    """Whether threads look for the others' turns, or sleep until they are woken."""
    n_cores = 1000 if request.param == "looking" else 1
    monkeypatch.setattr(_team, "cpu_count", lambda: n_cores)


@pytest.mark.usefixtures("wait_by")
@pytest.mark.parametrize("n_threads", [2, 3, 5])
def test_every_thread_does_every_task_once_and_before_the_next(n_threads):
    done = np.zeros(n_threads, int)
    seen = []

    def task(thread):
        if thread == done[0] % n_threads:
            time.sleep(1e-3)
        done[thread] += 1

    def work():
        for turn in range(1, 101):
            team.each(task)
            seen.append((done == turn).all())

    team = Team(n_threads)
    team.run(work)
    assert seen == [True] * 100
    # Of another run, too.
    team.run(lambda: team.each(task))
    assert (done == 101).all()


@pytest.mark.usefixtures("wait_by")
@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_is_raised_when_all_are_done(failing):
    done = np.zeros(3, int)

    def task(thread):
        if thread == failing:
            raise ValueError(f"of thread {thread}")
        time.sleep(0.01)
        done[thread] += 1

    def work():
        with pytest.raises(ValueError, match=f"of thread {failing}"):
            team.each(task)
        assert done.sum() == 2
        # It is told once; the threads are there for the next task.
        team.each(lambda thread: None)
        team.each(task)

    team = Team(3)
    with pytest.raises(ValueError, match=f"of thread {failing}"):
        team.run(work)
    assert done.sum() == 4


def test_threads_share_the_work_of_a_run():
    threads = set()

    def task(thread):
        threads.add(threading.get_ident())

    def work():
        for _ in range(10):
            team.each(task)

    team = Team(3)
    team.run(work)
    assert len(threads) == 3
    assert threading.get_ident() not in threads


@pytest.mark.usefixtures("wait_by")
@pytest.mark.parametrize("n_had", [0, 1, 2])
def test_where_no_thread_is_to_be_had_the_leader_does_all(monkeypatch, n_had):
    """As when the interpreter ends."""
    team = Team(3)
    submit, submitted = team._pool.submit, []

    def refuse(*arguments):
        if len(submitted) == n_had:
            raise RuntimeError("cannot schedule new futures after shutdown")
        submitted.append(arguments)
        return submit(*arguments)

    monkeypatch.setattr(team._pool, "submit", refuse)
    done = []

    def work():
        for _ in range(2):
            team.each(done.append)

    team.run(work)
    team.run(work)
    assert done == 4 * [0, 1, 2]


@pytest.fixture
def interrupt():
    """A function that raises KeyboardInterrupt in the main thread, as Ctrl-C does."""
    if sys.platform == "win32":
        pytest.skip("no such signals on Windows")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_until_the_work_has_ended(interrupt):
    log = []

    def task(thread):
        time.sleep(0.02)
        log.append(thread)

    def work():
        interrupt()
        while not team.stopped:
            team.each(task)
        team.each(task)
        log.append("ended")

    team = Team(2)
    with pytest.raises(KeyboardInterrupt):
        team.run(work)
    assert log[-1] == "ended"
    assert log.count(0) == log.count(1) >= 1


def test_further_interrupts_wait_too(interrupt):
    ended = []

    def work():
        while not team.stopped:
            interrupt()
            time.sleep(0.01)
        for _ in range(5):
            interrupt()
            time.sleep(0.01)
        ended.append(True)

    team = Team(2)
    with pytest.raises(KeyboardInterrupt):
        team.run(work)
    assert ended


@pytest.mark.parametrize("failing", [[0], [1], [0, 1]])
def test_an_error_holds_neither_threads_nor_memory(failing):
    def task(thread):
        if thread in failing:
            raise ValueError("diverged")

    gc.collect()
    gc.disable()
    try:
        team = Team(2)
        gone = weakref.ref(team)
        # Whoever has the error, and so its traceback, has no threads by it.
        with pytest.raises(ValueError, match="diverged") as raised:
            team.run(lambda team=team: team.each(task))
        for thread in list(team._pool._threads):
            thread.join(10)
            assert not thread.is_alive()
        del team, raised
        assert gone() is None
    finally:
        gc.enable()


def test_work_that_has_not_begun_when_interrupted_never_begins(monkeypatch):
    team = Team(2)
    given = []

    def interrupt(*arguments):
        given.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(team._pool, "submit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        team.run(lambda: pytest.fail("began"))
    lead, work = given[0]
    with pytest.raises(RuntimeError, match="have been stopped"):
        lead(work)
