"""Texts and targets from JSON lines: an object a line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sparse_adagrad.io.blocks import Limits, Part, cut
from sparse_adagrad.io.columns import TextColumns, bad_target, shown
from sparse_adagrad.io.sources import Progress, Source, needs_extra


def parts(
    source: Source, progress: Progress, columns: TextColumns, limits: Limits
) -> Iterator[Part]:
    """Parts of a file for `blocks.stream`."""
    rows = _Rows(source.name, columns, limits)
    with source.open(progress) as file:
        yield from cut(file, limits.batch_bytes, rows.parse, source.name)


class _Rows:
    """Parses the lines of one file."""

    def __init__(self, name: str, columns: TextColumns, limits: Limits) -> None:
        try:
            import orjson
        except ImportError as error:
            raise needs_extra("Reading JSON lines", error) from error
        self.loads = orjson.loads
        self.name = name
        self.columns = columns
        self.limits = limits
        self.n_lines = 0

    def parse(self, block: bytes, start: int, final: bool) -> tuple[int, Part]:
        """Rows from `start` on, for `cut`."""
        texts: list[str] = []
        numbers: list[float] = []
        n_skipped = 0
        for _ in range(self.limits.batch_rows):
            end = block.find(b"\n", start)
            if end < 0 and not final:
                break
            line = block[start : end if end >= 0 else None]
            start = end + 1 if end >= 0 else len(block)
            self.n_lines += 1
            if line and not line.isspace():
                try:
                    text, number = self._row(line)
                except ValueError as error:
                    if not self.limits.skip:
                        raise ValueError(
                            f"{self.name}, line {self.n_lines}: {error}"
                        ) from error
                    n_skipped += 1
                else:
                    texts.append(text)
                    numbers.append(number)
            if start == len(block):
                break
        y = None if self.columns.target is None else np.array(numbers)
        return start, ((texts, y), n_skipped)

    def _row(self, line: bytes) -> tuple[str, float]:
        """Text and number of a line; 0 where none is asked for."""
        try:
            row = self.loads(line)
        except ValueError as error:
            # Where in the line it is, not in which: that is said by file.
            what = str(error).partition(": line ")[0]
            raise ValueError(f"this is no JSON: {what}.") from error
        if not isinstance(row, dict):
            raise ValueError("this is no JSON object.")
        text = " ".join([self._text(row, column) for column in self.columns.texts])
        if self.columns.target is None:
            return text, 0.0
        if self.columns.target not in row:
            raise ValueError(f"no {self.columns.target!r}; a number is needed.")
        value: Any = row[self.columns.target]
        above = self.limits.target_above
        # Exactly these: a bool is an int too.
        if type(value) not in (int, float) or not above < value < math.inf:
            raise ValueError(bad_target(self.columns.target, value, above))
        return text, float(value)

    @staticmethod
    def _text(row: dict[str, Any], column: str) -> str:
        text = row.get(column)
        if not isinstance(text, str):
            has = f"{column} is {shown(text)}" if column in row else f"no {column!r}"
            raise ValueError(f"{has}; a text is needed.")
        return text
