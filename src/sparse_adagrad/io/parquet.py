"""Texts and targets from Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.io.blocks import Limits, Part
from sparse_adagrad.io.columns import TextColumns, bad_target, pyarrow, shown
from sparse_adagrad.io.sources import Progress, Source

# Pages are read as they come; without this, a row group's columns are, whole.
READ_BYTES = 2**20


def parts(
    source: Source, progress: Progress, columns: TextColumns, limits: Limits
) -> Iterator[Part]:
    """Parts of a file for `blocks.stream`; bytes read are told by the share of rows."""
    pa = pyarrow("Reading Parquet")
    import pyarrow.parquet as pq

    before, size = progress.read, source.size or 0
    try:
        with pq.ParquetFile(
            source.name, pre_buffer=False, buffer_size=READ_BYTES
        ) as file:
            wanted = _check_columns(pa, file.schema_arrow, columns, source.name)
            n_rows, first = file.metadata.num_rows, 0
            n_at_once = _rows_at_once(file.metadata, wanted, limits)
            for batch in file.iter_batches(n_at_once, columns=wanted):
                for start, stop in _pieces(batch, limits.batch_bytes):
                    piece = batch.slice(start, stop - start)
                    progress.read = before + size * (first + stop) // n_rows
                    yield _part(pa, piece, columns, limits, source.name, first + start)
                first += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        # To Arrow, bad data is an OSError too, but one without a number.
        if getattr(error, "errno", None):
            raise
        what = str(error).rstrip(".")
        raise ValueError(f"{source.name} is no whole Parquet file: {what}.") from error
    progress.read = before + size


def _check_columns(pa: Any, schema: Any, columns: TextColumns, name: str) -> list[str]:
    """Names to read; raise ValueError if one is missing or of another type."""
    wanted = [*columns.texts, *([columns.target] if columns.target is not None else [])]
    for column in wanted:
        if schema.names.count(column) != 1:
            raise ValueError(
                f"{name} has no column {column!r}, or two. Its columns are "
                f"{shown(schema.names)}."
            )
        kind = schema.field(column).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        is_text = (
            pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_string_view(kind)
        )
        is_number = (
            pa.types.is_integer(kind)
            or pa.types.is_floating(kind)
            or pa.types.is_decimal(kind)
        )
        if not (is_text if column in columns.texts else is_number):
            needed = "text" if column in columns.texts else "number"
            raise ValueError(f"{name}: {column} is of the type {kind}, no {needed}.")
    return list(dict.fromkeys(wanted))


def _rows_at_once(metadata: Any, wanted: list[str], limits: Limits) -> int:
    """Rows of about `batch_bytes`, in the row group that has the longest."""
    n_rows = limits.batch_rows
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        columns = map(group.column, range(group.num_columns))
        size = sum(
            column.total_uncompressed_size
            for column in columns
            if column.path_in_schema in wanted
        )
        if group.num_rows:
            n_rows = min(n_rows, group.num_rows * limits.batch_bytes // max(size, 1))
    return max(1, n_rows)


def _pieces(batch: Any, batch_bytes: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows of about so many bytes each."""
    n = max(1, len(batch) * batch_bytes // max(batch.nbytes, 1))
    for start in range(0, len(batch), n):
        yield start, min(start + n, len(batch))


def _part(
    pa: Any, batch: Any, columns: TextColumns, limits: Limits, name: str, first: int
) -> Part:
    good = np.ones(len(batch), bool)
    for column in columns.texts:
        good &= _is_text(pa, batch.column(column))
    y = None if columns.target is None else _numbers(pa, batch.column(columns.target))
    if y is not None:
        sound = np.isfinite(y) & (y > limits.target_above)
        good &= sound
    if not good.all() and not limits.skip:
        row = int(np.argmin(good))
        what = "a text is missing, or not UTF-8."
        if y is not None and not sound[row]:
            value = batch.column(columns.target)[row].as_py()
            what = bad_target(columns.target, value, limits.target_above)
        raise ValueError(f"{name}, row {first + row + 1}: {what}")
    if not good.all():
        batch = batch.filter(pa.array(good))
        y = None if y is None else y[good]
    texts = _joined(pa, [batch.column(column) for column in columns.texts])
    return (texts, y), int(len(good) - good.sum())


def _is_text(pa: Any, column: Any) -> NDArray[np.bool_]:
    """Which rows are there and UTF-8, which Parquet does not ensure."""
    good: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        good = good.copy()
        for row in np.flatnonzero(good):
            try:
                column[row].as_py()
            except UnicodeDecodeError:
                good[row] = False
    return good


def _numbers(pa: Any, column: Any) -> NDArray[np.float64]:
    """A column as float64, NaN where it has nothing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    # Not safe in pyarrow's sense: an integer above 2^53 is rounded.
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(
        zero_copy_only=False
    )
    return values


def _joined(pa: Any, texts: list[Any]) -> Any:
    import pyarrow.compute as pc

    if len(texts) == 1:
        return texts[0]
    plain = [column.cast(pa.large_utf8()) for column in texts]
    return pc.binary_join_element_wise(*plain, pa.scalar(" ", pa.large_utf8()))
