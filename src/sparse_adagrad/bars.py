"""Live bars on a terminal. Loading what draws them takes longer than many a file."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import psutil
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

MIB = 2**20


class RunBar:
    """Below the lines of a run: how far it is, how fast, the error, and memory."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
        )
        self.task = self.bar.add_task("", total=None, note="")
        self.bar.start()

    def print(self, text: str) -> None:
        """Write above the bar."""
        self.bar.console.print(text)

    def update(
        self,
        completed: int,
        total: int | None,
        n_rows: int,
        seconds: float,
        rmse: float,
    ) -> None:
        """Show where a run is, of whose bytes so many are done."""
        memory = self.process.memory_info().rss / MIB
        self.bar.update(
            self.task,
            total=total,
            completed=completed,
            note=f"{n_rows / seconds:,.0f} rows/s  "
            f"{completed / seconds / 1e6:,.1f} MB/s  "
            f"RMSE {rmse:.5g}  {memory:,.0f} MiB",
        )

    def stop(self) -> None:
        """Leave the bar as it is."""
        self.bar.stop()


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
