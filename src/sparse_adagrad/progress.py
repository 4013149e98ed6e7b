"""What the command shows while it learns: lines at growing intervals, live bars."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Self

import psutil
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from sparse_adagrad.run import AnyBatch, Pass, Run, target_of

MIB = 2**20


class RunProgress:
    """Lines of the progressive loss, each after twice the rows, and a bar.

    All goes to standard error; the bar only where that is a terminal.
    """

    def __init__(self, run: Run, n_passes: int) -> None:
        console = Console(stderr=True, highlight=False)
        self.run = run
        self.n_passes = n_passes
        self.process = psutil.Process()
        self.bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self.start = perf_counter()
        self.n_rows = 0
        self.shown: Pass | None = None
        self.task = self.bar.add_task("", total=None, note="")
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
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
        seconds = perf_counter() - self.start
        memory = self.process.memory_info().rss / MIB
        total = batch.bytes_total
        completed = batch.bytes_read + (number - 1) * (total or 0)
        self.bar.update(
            self.task,
            total=None if total is None else total * self.n_passes,
            completed=completed,
            note=f"{self.n_rows / seconds:,.0f} rows/s  "
            f"{completed / seconds / 1e6:,.1f} MB/s  "
            f"RMSE {current.rmse:.5g}  {memory:,.0f} MiB",
        )

    def _head(self, number: int) -> None:
        what = "each row is predicted before it is learned from"
        if number > 1:
            what = "rows that were seen before"
        self.bar.console.print(
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
        self.bar.console.print(
            f"{current.n_rows:>13,}{current.rmse:>14.5g}{since.rmse:>14.5g}"
            f"{self.run.rmse_of_the_mean:>14.5g}{perf_counter() - self.start:>10.1f}"
        )


class EpochBar:
    """scikit-learn callback: a bar of epochs with rows a second and the loss."""

    def __init__(self) -> None:
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs  {task.fields[note]}"),
            console=Console(stderr=True),
        )

    def setup(self, estimator: Any, context: Any) -> None:
        self.task = self.bar.add_task("", total=estimator.max_iter, note="")
        self.start = perf_counter()
        self.bar.start()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        pass

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        if context.parent is None:
            return
        rows = estimator.t_ / (perf_counter() - self.start)
        loss = estimator.loss_curve_[-1]
        self.bar.update(
            self.task,
            completed=estimator.n_iter_,
            note=f"{rows:,.0f} rows/s  progressive loss {loss:.5g}",
        )

    def teardown(self, estimator: Any, context: Any) -> None:
        self.bar.stop()
