"""Streams of batches, whatever the format."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from numbers import Integral
from typing import IO, Any, Literal, TypeVar

from sparse_adagrad.io.ahead import read_ahead
from sparse_adagrad.io.sources import Progress, Source

BATCH_ROWS = 10_000
# What is made of a batch of this size stays in the cache until it is learned from. And
# the sooner a document is counted, the better the next ones are weighed.
BATCH_BYTES = 2**20
# Longer than any row; a quote that was never closed makes one of the rest of a file.
MAX_ROW_BYTES = 2**28
# Together with the longest row, what places of 32 bits can tell apart.
MAX_BATCH_BYTES = 2**30
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

OnBadLine = Literal["error", "skip"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What all batches tell.

    Attributes
    ----------
    skipped : int
        Bad lines left out of the stream so far.
    bytes_read : int
        Bytes read of the stream so far, compressed where the files are. Reading is
        ahead of the rows.
    bytes_total : int or None
        Bytes of all files; None with standard input among them.
    """

    skipped: int
    bytes_read: int
    bytes_total: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a batch may be, and which lines are bad and what becomes of them."""

    batch_rows: int
    batch_bytes: int
    skip: bool
    target_above: float

    @classmethod
    def of(
        cls, batch_rows: int, batch_bytes: int, on_bad_line: str, target_above: float
    ) -> Limits:
        """Check what a caller has given; raise ValueError if it is not usable."""
        for name, value in (("batch_rows", batch_rows), ("batch_bytes", batch_bytes)):
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name}={value!r}; it must be an integer from 1 on.")
        if batch_bytes > MAX_BATCH_BYTES:
            raise ValueError(
                f"batch_bytes={batch_bytes}; it must be at most {MAX_BATCH_BYTES}."
            )
        if on_bad_line not in ("error", "skip"):
            raise ValueError(f'on_bad_line={on_bad_line!r}; give "error" or "skip".')
        if not target_above < inf:
            raise ValueError(f"target_above={target_above!r}; no target would be.")
        skip = on_bad_line == "skip"
        return cls(int(batch_rows), int(batch_bytes), skip, float(target_above))


# Rows as columns, of which the first has a length, and how many bad lines there were.
Part = tuple[Sequence[Any], int]
B = TypeVar("B", bound=Batch)


def stream(
    sources: list[Source],
    parts: Callable[[Source, Progress], Iterator[Part]],
    batch: Callable[..., B],
) -> Generator[B, None, None]:
    """Batches of all sources, read on a thread.

    Parameters
    ----------
    sources : list of Source
    parts : callable
        Yields the parts of a source.
    batch : callable
        Makes a batch of the attributes of `Batch` and a part's columns.

    Raises
    ------
    ValueError
        If there is not one good row.
    """
    return read_ahead(_last_told(_batches(sources, parts, batch), sources))


def _batches(
    sources: list[Source],
    parts: Callable[[Source, Progress], Iterator[Part]],
    batch: Callable[..., B],
) -> Generator[tuple[B, int], None, None]:
    sizes = [source.size for source in sources]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    progress = Progress(total)
    skipped = 0
    for source in sources:
        for columns, n_skipped in parts(source, progress):
            skipped += n_skipped
            yield batch(skipped, progress.read, total, *columns), len(columns[0])


def _last_told(
    batches: Generator[tuple[B, int], None, None], sources: list[Source]
) -> Generator[B, None, None]:
    """Leave out batches without rows; the one before tells what they skipped."""
    held: B | None = None
    skipped = 0
    for batch, n_rows in batches:
        skipped = batch.skipped
        if n_rows:
            if held is not None:
                yield held
            held = batch
        elif held is not None:
            held = replace(held, skipped=skipped, bytes_read=batch.bytes_read)
    if held is None:
        names = ", ".join(source.name for source in sources)
        has = f"has no good rows, and {skipped} bad ones" if skipped else "has no rows"
        raise ValueError(f"{names} {has}.")
    yield held


def cut(
    file: IO[bytes],
    batch_bytes: int,
    parse: Callable[[bytes, int, bool], tuple[int, Part]],
    name: str,
) -> Iterator[Part]:
    """Parts of a file that is parsed in blocks.

    Parameters
    ----------
    file : binary file
    batch_bytes : int
        Size of a block, unless one row takes more.
    parse : callable
        Is given a block, the place in it to start at, and whether the file ends with
        it. Returns where it has stopped, at the start if no row is whole, and a part.
    name : str
        Of the file, for messages.
    """
    rest, size, final = file.read(len(BYTE_ORDER_MARK)), batch_bytes, False
    if rest == BYTE_ORDER_MARK:
        rest = b""
    while not final:
        read = file.read(size)
        final = len(read) < size
        block, start = rest + read, 0
        while start < len(block):
            end, part = parse(block, start, final)
            if end == start:
                break
            yield part
            start = end
        rest = block[start:]
        # Twice as much each time, so that a long row is not looked at too often.
        size = max(batch_bytes, len(rest))
        if len(rest) > MAX_ROW_BYTES:
            raise ValueError(f"{name} has a row of more than {MAX_ROW_BYTES:,} bytes.")
