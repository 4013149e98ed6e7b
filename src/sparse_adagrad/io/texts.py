"""Batches of texts and targets from files of any format."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.io import csv_texts, json_lines, parquet
from sparse_adagrad.io.blocks import (
    BATCH_BYTES,
    BATCH_ROWS,
    Batch,
    Limits,
    OnBadLine,
    Part,
    stream,
)
from sparse_adagrad.io.columns import TextColumns, pyarrow
from sparse_adagrad.io.sources import Paths, Progress, Source, find_sources
from sparse_adagrad.text.documents import Documents

PARTS = {
    "csv": csv_texts.parts,
    "tsv": csv_texts.parts,
    "jsonl": json_lines.parts,
    "parquet": parquet.parts,
}


@dataclass(frozen=True, slots=True)
class TextBatch(Batch):
    """Texts and, where asked for, their targets.

    Attributes
    ----------
    texts : pyarrow.Array or list of str
        An Arrow column of strings, except from JSON lines.
    y : ndarray of shape (n_rows,), float64, or None
    skipped, bytes_read, bytes_total : int
        As `Batch` has them.
    """

    texts: Any
    y: NDArray[np.float64] | None


def read_batches(
    paths: Paths,
    *,
    text: str | Sequence[str],
    target: str | None = None,
    format: str | None = None,
    batch_rows: int = BATCH_ROWS,
    batch_bytes: int = BATCH_BYTES,
    on_bad_line: OnBadLine = "error",
    target_above: float = -inf,
) -> Generator[TextBatch, None, None]:
    """Read texts and targets from CSV, TSV, JSON lines or Parquet, in batches.

    Reading is ahead of the batches, on a thread; closing the generator ends it. CSV and
    TSV have a header and follow RFC 4180: quotes are doubled within quotes, lines end
    with LF, CR LF or CR. All text is UTF-8, with a byte order mark or without.

    Parameters
    ----------
    paths : str, path-like or sequence of these
        Files, patterns, or "-" for standard input. Names end in .csv, .tsv, .jsonl,
        .ndjson or .parquet, and but for the last may end in .gz, .bz2 or .zst too.
    text : str or sequence of str
        Column of the texts; those of several are joined by spaces.
    target : str or None
        Column of the numbers; None: batches have none.
    format : str or None
        As "csv" or "jsonl.gz". None: by the names' endings.
    batch_rows, batch_bytes : int
        Rows of a batch, and bytes of text read for it, at most, but for one row that
        is longer by itself.
    on_bad_line : {"error", "skip"}
        Whether a bad line ends the stream, or is left out and counted.
    target_above : float
        A line whose target is not above it is bad.

    Yields
    ------
    batch : TextBatch

    Raises
    ------
    ValueError
        With file and line (in Parquet: row), if a line is bad: another number of fields
        than the header, no JSON object, text that is missing or not UTF-8, a target
        that is no finite number. If there are no rows, no such column, or a quote that
        is never closed, whatever `on_bad_line` says.
    ImportError
        If what the format needs is not installed (the extra `io`).
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> from sparse_adagrad.io import read_batches
    >>> for batch in read_batches("reviews-*.csv.gz", text="review", target="stars"):
    ...     model.partial_fit(batch.texts, batch.y)  # doctest: +SKIP
    """
    return _in_arrow(
        read_documents(
            paths,
            text=text,
            target=target,
            format=format,
            batch_rows=batch_rows,
            batch_bytes=batch_bytes,
            on_bad_line=on_bad_line,
            target_above=target_above,
        )
    )


def _in_arrow(
    batches: Generator[TextBatch, None, None],
) -> Generator[TextBatch, None, None]:
    with closing(batches):
        for batch in batches:
            if isinstance(batch.texts, Documents):
                pa = pyarrow("Reading CSV")
                text, offsets = batch.texts.utf8
                buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
                texts = pa.Array.from_buffers(pa.utf8(), len(batch.texts), buffers)
                batch = replace(batch, texts=texts)
            yield batch


def read_documents(
    paths: Paths,
    *,
    text: str | Sequence[str],
    target: str | None = None,
    format: str | None = None,
    batch_rows: int = BATCH_ROWS,
    batch_bytes: int = BATCH_BYTES,
    on_bad_line: OnBadLine = "error",
    target_above: float = -inf,
) -> Generator[TextBatch, None, None]:
    """The same, but texts of CSV and TSV are `Documents`.

    Loading pyarrow takes longer than many a file.
    """
    limits = Limits.of(batch_rows, batch_bytes, on_bad_line, target_above)
    columns = TextColumns.of(text, target)
    sources = find_sources(paths, format)
    for source in sources:
        if source.format not in PARTS:
            raise ValueError(f"{source.name} is svmlight; read_svmlight reads that.")

    def parts(source: Source, progress: Progress) -> Iterator[Part]:
        return PARTS[source.format](source, progress, columns, limits)

    return stream(sources, parts, TextBatch)
