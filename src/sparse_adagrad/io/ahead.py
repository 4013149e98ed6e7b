"""Reading ahead of whoever takes the batches, on a thread."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

# Made before they are asked for: one may be in use while the next one waits.
DEPTH = 2
# A thread that waits for standard input cannot be woken; it ends with the process.
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing a thread hands over, with what ended it."""

    error: BaseException | None


def read_ahead(batches: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield what `batches` yields, which runs on a thread of its own.

    An error there is raised here, after all that came before it. When this generator
    is closed, by an error of its user too, the thread closes `batches` and ends.

    Parameters
    ----------
    batches : generator

    Yields
    ------
    batch
    """
    ready: SimpleQueue[T | _End] = SimpleQueue()
    slots = threading.Semaphore(DEPTH)
    stop = threading.Event()

    def work() -> None:
        error = None
        try:
            while slots.acquire() and not stop.is_set():
                ready.put(next(batches))
        except StopIteration:
            pass
        except BaseException as raised:
            error = raised
        finally:
            batches.close()
            ready.put(_End(error))

    # A daemon: a stream that nobody closed must not keep the process from ending.
    thread = threading.Thread(target=work, name="sparse_adagrad reader", daemon=True)
    thread.start()
    try:
        while not isinstance(batch := ready.get(), _End):
            slots.release()
            yield batch
        if batch.error is not None:
            raise batch.error
    finally:
        stop.set()
        slots.release()
        thread.join(PATIENCE_SECONDS)
