"""Seconds of a call."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter


def seconds(function: Callable[[], object]) -> float:
    """Call a function once and tell how long it took."""
    start = perf_counter()
    function()
    return perf_counter() - start
