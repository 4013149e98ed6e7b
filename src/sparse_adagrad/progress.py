"""What the command shows while it learns: lines at growing intervals, live bars."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Self

from sparse_adagrad.run import AnyBatch, Pass, Run, target_of

if TYPE_CHECKING:
    from sparse_adagrad.bars import RunBar


class RunProgress:
    """Lines of the progressive loss, each after twice the rows, and a bar.

    All goes to standard error; the bar only where that is a terminal.
    """

    def __init__(self, run: Run, n_passes: int) -> None:
        self.run = run
        self.n_passes = n_passes

    def __enter__(self) -> Self:
        self.start = perf_counter()
        self.n_rows = 0
        self.shown: Pass | None = None
        self.bar: RunBar | None = None
        if sys.stderr.isatty():
            from sparse_adagrad.bars import RunBar

            self.bar = RunBar()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, current: Pass, batch: AnyBatch) -> None:
        """After a batch, for `Run.learn`."""
        number = len(self.run.passes)
        if current is not self.shown:
            self._head(number)
            self.shown, self.said, self.next_line = current, Pass(), 1
        self.n_rows += len(target_of(batch))
        if current.n_rows >= self.next_line:
            self._line(current)
            self.next_line = 2 * current.n_rows
        if self.bar is None:
            return
        total = batch.bytes_total
        self.bar.update(
            completed=batch.bytes_read + (number - 1) * (total or 0),
            total=None if total is None else total * self.n_passes,
            n_rows=self.n_rows,
            seconds=perf_counter() - self.start,
            rmse=current.rmse,
        )

    def _print(self, text: str) -> None:
        if self.bar is None:
            print(text, file=sys.stderr)
        else:
            self.bar.print(text)

    def _head(self, number: int) -> None:
        what = "each row is predicted before it is learned from"
        if number > 1:
            what = "rows that were seen before"
        self._print(
            f"pass {number}: {what}\n"
            f"{'rows':>13}{'RMSE so far':>14}{'since last':>14}{'of the mean':>14}"
            f"{'seconds':>10}"
        )

    def _line(self, current: Pass) -> None:
        since = Pass(
            n_rows=current.n_rows - self.said.n_rows,
            loss_sum=current.loss_sum - self.said.loss_sum,
        )
        self.said = Pass(n_rows=current.n_rows, loss_sum=current.loss_sum)
        self._print(
            f"{current.n_rows:>13,}{current.rmse:>14.5g}{since.rmse:>14.5g}"
            f"{self.run.rmse_of_the_mean:>14.5g}{perf_counter() - self.start:>10.1f}"
        )
