"""Shares of work on threads that stay."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import Condition, get_ident
from typing import Any


@cache
def _threads() -> ThreadPoolExecutor:
    """Threads that stay, as starting them takes as long as counting a short text."""
    return ThreadPoolExecutor(os.cpu_count(), "sparse_adagrad")


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads.
    os.register_at_fork(after_in_child=_threads.cache_clear)


def on_threads(
    function: Callable[..., Any], *runs: Iterable[Any], n_threads: int
) -> list[Any]:
    """Map on threads, of which the caller's is one; each takes what is next.

    So none waits long for another whose core is slower, or has other work as well. Of
    several errors that of the first item is raised.
    """
    items = list(zip(*runs, strict=False))
    waiting = deque(range(len(items)))
    results: list[Any] = [None] * len(items)
    errors: dict[int, Exception] = {}
    changed = Condition()
    at_work: set[int] = set()

    def take() -> None:
        while True:
            with changed:
                if not waiting:
                    return
                k = waiting.popleft()
                at_work.add(get_ident())
            try:
                results[k] = function(*items[k])
            except Exception as error:
                errors[k] = error
            finally:
                with changed:
                    if errors:
                        waiting.clear()
                    at_work.discard(get_ident())
                    changed.notify_all()

    try:
        # Where no thread is to be had, as when the interpreter ends, the caller's own
        # does all.
        with suppress(RuntimeError):
            for _ in range(min(n_threads, len(items)) - 1):
                _threads().submit(take)
        take()
    finally:
        # Nobody works on behind the caller's back. A thread that comes later, be it one
        # that was thought not to be had, finds nothing to take.
        with changed:
            waiting.clear()
            # An interrupt may have come before the caller's own was at an end.
            changed.wait_for(lambda: not at_work - {get_ident()})
    if errors:
        raise errors[min(errors)]
    return results
