"""Threads that do a small thing together, and then the next."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import count
from threading import Condition, Lock
from typing import Any

import numpy as np
from joblib import cpu_count

from sparse_adagrad.kernels import turns

# Looks at whether others are done before a thread sleeps: about a millisecond's. To
# wake one takes a tenth or two, on some machines, of what threads do in seven.
LOOKS = 1 << 15
# Python looks for interrupts between two waits: one that comes on the way into a wait
# does not end it, and on Windows none does.
SECONDS_AWAY = 0.1


class Team:
    """Threads of which one leads, and the others do with it what it says.

    All of them are the team's own, for Python raises interrupts in its main thread
    alone: a leader is not torn away from its followers. They end with the team.

    Parameters
    ----------
    n_threads : int
        Leader included; at least 2.

    Attributes
    ----------
    stopped : bool
        Whether the leader's work is to end soon: after an interrupt, or an error, there
        is no other run.
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self.stopped = False
        # Who looks keeps a core from those that work.
        self._looks = LOOKS if n_threads <= cpu_count() else 0
        self._pool = ThreadPoolExecutor(n_threads)
        # Whether the leader does all tasks itself.
        self._alone = False
        self._leading = Lock()
        self._changed = Condition()
        self._task: Callable[[int], None] | None = None
        # Tasks that the leader has given, and that each follower has done.
        self._turns = np.zeros(n_threads, np.int64)
        self._errors: list[BaseException] = []

    def run(self, work: Callable[[], None]) -> None:
        """Let the leader work, with `each`; raise what it raises.

        An interrupt waits until the work has ended, which is told to stop.
        """
        leading = None
        try:
            leading = self._start(self._lead, work)
            if leading is None:
                self._lead(work)
            else:
                while not leading.done():
                    wait([leading], timeout=SECONDS_AWAY)
                leading.result()
        except BaseException:
            self.stopped = True
            self._see_it_end()
            self.end()
            raise
        finally:
            # It leads to an error, which must not lead back to it by this frame.
            del leading

    def end(self) -> None:
        """Let the threads end: they would last as long as a traceback to the team."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(
        self, function: Callable[..., None], *arguments: Any
    ) -> Future[None] | None:
        """Let a thread do something, if one is to be had.

        None is when the interpreter ends. Then the caller leads, and does all tasks.
        """
        try:
            return self._pool.submit(function, *arguments)
        except RuntimeError:
            self._alone = True
            return None

    def _see_it_end(self) -> None:
        """Wait for a leader that stops, whatever else is raised meanwhile."""
        ended = False
        while not ended:
            try:
                with self._leading:
                    ended = True
            except BaseException:  # what made it stop will be raised
                continue

    def each(self, task: Callable[[int], None]) -> None:
        """Let all threads do a task, given their numbers; for the leader to call.

        Returns when all have done it; raises what one of them has raised.
        """
        if self._alone:
            for thread in range(self.n_threads):
                task(thread)
            return
        self._give(task)
        try:
            try:
                task(0)
            finally:
                self._gather()
            if self._errors:
                raise self._errors[0]
        finally:
            # An error leads to this frame, which must not lead back to it.
            self._errors = []

    def _lead(self, work: Callable[[], None]) -> None:
        with self._leading:
            if self.stopped:
                raise RuntimeError("The threads have been stopped.")
            followers = []
            try:
                for thread in range(1, self.n_threads):
                    last = int(self._turns[0])
                    follower = self._start(self._follow, thread, last)
                    if follower is not None:
                        followers.append(follower)
                work()
            finally:
                self._give(None)
                wait(followers)

    def _follow(self, thread: int, last: int) -> None:
        """Do what is given after the last task, until there is no more."""
        for turn in count(last + 1):
            self._wait(0, turn)
            task = self._task
            if task is not None:
                try:
                    task(thread)
                except BaseException as error:  # the leader raises it
                    self._errors.append(error)
            self._announce(thread, turn)
            if task is None:
                return

    def _give(self, task: Callable[[int], None] | None) -> None:
        self._task = task
        self._announce(0, int(self._turns[0]) + 1)

    def _gather(self) -> None:
        for thread in range(1, self.n_threads):
            self._wait(thread, int(self._turns[0]))

    def _announce(self, thread: int, turn: int) -> None:
        turns.announce(self._turns, thread, turn)
        with self._changed:
            self._changed.notify_all()

    def _wait(self, thread: int, turn: int) -> None:
        if turns.look_for(self._turns, thread, turn, self._looks):
            return
        with self._changed:
            while not turns.look_for(self._turns, thread, turn, 1):
                self._changed.wait()
