"""Texts and targets from CSV and TSV."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparse_adagrad.io import csv_records as records
from sparse_adagrad.io.blocks import Limits, Part, cut
from sparse_adagrad.io.columns import TextColumns, bad_target, shown, text_of
from sparse_adagrad.io.sources import Progress, Source
from sparse_adagrad.text.documents import Documents

DELIMITERS = {"csv": ord(","), "tsv": ord("\t")}


def parts(
    source: Source, progress: Progress, columns: TextColumns, limits: Limits
) -> Iterator[Part]:
    """Parts of a file for `blocks.stream`."""
    rows = _Rows(source, columns, limits)
    with source.open(progress) as file:
        yield from cut(file, limits.batch_bytes, rows.parse, source.name)
    if not rows.header:
        raise ValueError(f"{source.name} is empty; it needs a header line and rows.")


class _Rows:
    """Parses the records of one file."""

    def __init__(self, source: Source, columns: TextColumns, limits: Limits) -> None:
        self.name = source.name
        self.format = source.format
        self.delimiter = DELIMITERS[source.format]
        self.columns = columns
        self.limits = limits
        self.header: list[str] = []
        self.n_lines = 0

    def parse(self, block: bytes, start: int, final: bool) -> tuple[int, Part]:
        """Rows from `start` on, for `cut`; of the first record on, the header."""
        if not self.header:
            return self._parse_header(block, final), (([], None), 0)
        data, offsets, y, end, n_lines, n_skipped, fault = records.parse_records(
            block,
            start,
            self.limits.batch_rows,
            final,
            self.limits.skip,
            self.delimiter,
            len(self.header),
            self.text_places,
            self.target_place,
            self.limits.target_above,
        )
        if fault is not None:
            code, line, n_fields, *target = fault
            what = self._fault(code, n_fields, block[slice(*target)])
            raise ValueError(f"{self.name}, line {self.n_lines + line + 1}: {what}")
        self.n_lines += n_lines
        target_values = None if self.columns.target is None else y
        documents = Documents.of_utf8(data, offsets)
        return end, ((documents, target_values), n_skipped)

    def _parse_header(self, block: bytes, final: bool) -> int:
        fields, end = records.split_record(block, final, self.delimiter)
        if fields is None and (end or final):
            raise ValueError(f"{self.name}, line 1: the header has a wrong quote.")
        if fields is None:
            return 0
        if not fields:
            raise ValueError(f"{self.name} is empty; it needs a header in line 1.")
        try:
            self.header = [field.decode() for field in fields]
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self.name}, line 1 is not UTF-8 text; convert the file first."
            ) from error
        places = [self._place(column) for column in self.columns.texts]
        self.text_places = np.array(places, np.int32)
        target = self.columns.target
        self.target_place = -1 if target is None else self._place(target)
        self.n_lines = records.count_lines(block, end)
        return end

    def _place(self, column: str) -> int:
        if self.header.count(column) != 1:
            has = "two columns" if column in self.header else "no column"
            raise ValueError(
                f"{self.name} has {has} {column!r}. Read as {self.format}, its first "
                f"line has {shown(self.header)}."
            )
        return self.header.index(column)

    def _fault(self, code: int, n_fields: int, target: bytes) -> str:
        if code == records.OPEN_QUOTE:
            return "unexpected end of data, in a field whose quote is never closed."
        if code == records.AFTER_QUOTE:
            return "text follows a closing quote; a quote within one is doubled."
        if code == records.NOT_UTF8:
            return "this is not UTF-8 text; convert the file first."
        if code == records.BAD_TARGET:
            above = self.limits.target_above
            return bad_target(self.columns.target, text_of(target), above)
        return f"{n_fields} fields where the header has {len(self.header)}."
