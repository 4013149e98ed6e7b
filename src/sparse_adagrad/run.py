"""A run: files through a pipeline, in passes, that can be stopped and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from math import inf
from os import PathLike, fspath
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad._learner import Learner
from sparse_adagrad._stream import TextStream
from sparse_adagrad.io import model_file, pipeline_file
from sparse_adagrad.io.ahead import read_ahead
from sparse_adagrad.io.blocks import BATCH_BYTES, BATCH_ROWS, OnBadLine
from sparse_adagrad.io.sources import Source, find_sources
from sparse_adagrad.io.svmlight import MatrixBatch, read_svmlight
from sparse_adagrad.io.texts import TextBatch, read_documents
from sparse_adagrad.text.counter import TfidfCounter

AnyBatch = TextBatch | MatrixBatch
DEFAULT_COLUMNS = 2**20


def new_vectorizer(
    n_features: int = DEFAULT_COLUMNS, ngram_range: tuple[int, int] = (1, 1)
) -> TfidfCounter:
    """How the command turns text into columns, and remembers their words."""
    return TfidfCounter(
        n_features=n_features,
        ngram_range=ngram_range,
        sublinear_tf=True,
        keep_tokens=1,
        dtype=np.float32,
        n_jobs=-2,  # One core is left to the learning.
    )


@dataclass
class Reading:
    """How a run reads its files. The same files are then cut into the same batches.

    Attributes
    ----------
    text : list of str
        Columns of the texts; none where the files are svmlight.
    target : str or None
        Column of the numbers.
    format : str or None
        As `read_batches` takes it.
    batch_rows, batch_bytes : int
    skip_bad_lines : bool
    zero_based : bool or None
        Whether the columns of svmlight count from 0; None: not known yet.
    """

    text: list[str]
    target: str | None = None
    format: str | None = None
    batch_rows: int = BATCH_ROWS
    batch_bytes: int = BATCH_BYTES
    skip_bad_lines: bool = False
    zero_based: bool | None = None

    def batches(
        self,
        files: Sequence[str],
        n_features: int | None = None,
        target_above: float = -inf,
    ) -> Generator[AnyBatch, None, None]:
        """Read the batches of files; svmlight with `n_features`, or as many as come."""
        on_bad_line: OnBadLine = "skip" if self.skip_bad_lines else "error"
        if self.text:
            return read_documents(
                files,
                text=self.text,
                target=self.target,
                format=self.format,
                batch_rows=self.batch_rows,
                batch_bytes=self.batch_bytes,
                on_bad_line=on_bad_line,
                target_above=target_above,
            )
        return read_svmlight(
            files,
            n_features=n_features,
            zero_based="auto" if self.zero_based is None else self.zero_based,
            format=self.format,
            batch_rows=self.batch_rows,
            batch_bytes=self.batch_bytes,
            on_bad_line=on_bad_line,
            target_above=target_above,
        )


def rows_of(batch: AnyBatch) -> Any:
    """What a pipeline takes for X: texts, or rows of a matrix."""
    return batch.X if isinstance(batch, MatrixBatch) else batch.texts


def target_of(batch: AnyBatch) -> NDArray[np.float64]:
    """Targets of a batch that was read with them, shape (n_rows,)."""
    assert batch.y is not None
    return batch.y


@dataclass
class Pass:
    """How far a pass over the files has come.

    Attributes
    ----------
    n_batches, n_rows, n_skipped : int
        Learned from; bad lines left out.
    loss_sum : float
        Sum of the losses of its rows, each predicted before it was learned from.
    done : bool
    """

    n_batches: int = 0
    n_rows: int = 0
    n_skipped: int = 0
    loss_sum: float = 0.0
    done: bool = False

    @property
    def rmse(self) -> float:
        """Progressive root mean squared error; the loss is half the squared error."""
        return float(np.sqrt(2 * self.loss_sum / self.n_rows))


def new_pipeline(
    vectorizer: TfidfCounter | None, target_transform: str | None = None
) -> TextStream:
    """A model that has learned nothing: of texts, or of rows that may grow wider."""
    if vectorizer is not None:
        return TextStream(vectorizer, Learner(), target_transform=target_transform)
    # Rows that others have made have to be checked.
    pipeline_class, _, regressor_class = pipeline_file.estimators()
    pipeline: TextStream = pipeline_class(
        None, regressor_class(allow_growth=True), target_transform=target_transform
    )
    return pipeline


def changed(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Options that are given otherwise than they were; None is not given."""
    return {
        name: value
        for name, value in given.items()
        if value is not None and value != before[name]
    }


def began_otherwise(name: str, value: Any, before: Any) -> str:
    """What is said of an option of the command that a run began without."""
    return (
        f"--{name.replace('_', '-')} is {value} here, but the run began with {before}; "
        "leave it out, or start a new run"
    )


Watch = Callable[[Pass, AnyBatch], None]


@dataclass
class Run:
    """A pipeline, how its files are read, and what it has learned of them.

    Attributes
    ----------
    pipeline : TextStream
    reading : Reading or None
        None where the pipeline was saved from Python.
    sizes : list of int
        Bytes of the files of the passes.
    passes : list of Pass
        Over the files; the last may not be done.
    n_passes : int
        How many there are to be.
    saved_to : str or path-like or None
        Where the run is as of its last checkpoint.
    """

    pipeline: TextStream
    reading: Reading | None
    sizes: list[int] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    n_passes: int = 1
    saved_to: str | PathLike[str] | None = None

    def learn(
        self,
        files: Sequence[str],
        n_passes: int,
        watch: Watch,
        checkpoint: tuple[str | PathLike[str], int] | None = None,
    ) -> None:
        """Make passes over files until there are `n_passes`.

        Parameters
        ----------
        files : sequence of str
            Paths, patterns, or "-". Of a run that was cut short they must be the same.
        n_passes : int
        watch : callable
            Is given the pass and the batch after each batch.
        checkpoint : tuple of path and int, or None
            Where to save the run each time that at least so many rows were learned.

        Raises
        ------
        ValueError
            If the files are others than those of a run cut short, or bad, or if there
            is nothing to do.
        OSError
            If a file cannot be read or written.
        """
        assert self.reading is not None
        self._begin(find_sources(files, self.reading.format), n_passes)
        self.n_passes = n_passes
        unsaved = 0
        while len(self.passes) < n_passes or not self.passes[-1].done:
            if not self.passes or self.passes[-1].done:
                self.passes.append(Pass())
            current = self.passes[-1]
            to_learn = read_ahead(self._prepared(files, current.n_batches))
            with closing(to_learn) as batches:
                for batch, prepared in batches:
                    self._learn_batch(current, batch, prepared)
                    watch(current, batch)
                    unsaved += len(target_of(batch))
                    if checkpoint is not None and unsaved >= checkpoint[1]:
                        self.save(checkpoint[0])
                        self.saved_to = checkpoint[0]
                        unsaved = 0
            current.done = True

    @property
    def passes_to_make(self) -> int:
        """As many as a run that was cut short was to make, or one."""
        done = sum(each.done for each in self.passes)
        return self.n_passes if self.passes and done < self.n_passes else 1

    @property
    def is_cut_short(self) -> bool:
        return bool(self.passes) and not self.passes[-1].done

    def read_as(self, given: dict[str, Any], files: Sequence[str]) -> None:
        """Take what is given of `Reading` for files to come; None is not given.

        A pass that was cut short goes on with the same batches, so reads as it began.
        But it may leave out the bad line that stopped it: there were none before.

        Raises
        ------
        ValueError
            If it would read otherwise.
        """
        assert self.reading is not None
        if not self.is_cut_short and "-" not in files:
            self.reading = replace(self.reading, format=None)  # Names tell.
        before = asdict(self.reading)
        new = changed(before, given)
        for name, value in new.items():
            if self.is_cut_short and (name, value) != ("skip_bad_lines", True):
                raise ValueError(began_otherwise(name, value, before[name]))
        self.reading = replace(self.reading, **new)

    def _begin(self, sources: list[Source], n_passes: int) -> None:
        """Check that the files go with what was done before."""
        if self.is_cut_short and n_passes < len(self.passes):
            raise ValueError(
                f"Pass {len(self.passes)} of {self.n_passes} was cut short, and "
                f"{n_passes} are asked for; give that many, or more."
            )
        if n_passes > 1 and any(source.size is None for source in sources):
            raise ValueError("Standard input can be read once only; give one pass.")
        sizes = [-1 if source.size is None else source.size for source in sources]
        if self.is_cut_short and sizes != self.sizes:
            raise ValueError(
                f"A run that was cut short goes on with the files it began with, of "
                f"{self.sizes} bytes, but these have {sizes}. With --skip-bad-lines "
                "it goes on without a bad line in them."
            )
        if not self.is_cut_short and (sizes != self.sizes or -1 in sizes):
            # Other files, learned from on top of what is there.
            self.passes = []
        self.sizes = sizes
        if not self.is_cut_short and len(self.passes) >= n_passes:
            raise ValueError(
                f"There is nothing to do: the run has made its {len(self.passes)} "
                "passes over these files. Give more passes, or other files."
            )

    def _prepared(
        self, files: Sequence[str], n_done: int
    ) -> Generator[tuple[AnyBatch, Any], None, None]:
        """Batches after the first `n_done`, each with what the pipeline makes of it."""
        assert self.reading is not None
        above = self.pipeline.target_above
        with closing(self.reading.batches(files, target_above=above)) as batches:
            for batch in islice(batches, n_done, None):
                yield batch, self.pipeline.prepare(rows_of(batch))

    def _learn_batch(self, current: Pass, batch: AnyBatch, prepared: Any) -> None:
        assert self.reading is not None
        if isinstance(batch, MatrixBatch):
            self.reading.zero_based = batch.zero_based
        y = target_of(batch)
        try:
            self.pipeline.learn_prepared(prepared, y)
        except ValueError as error:
            first, last = current.n_rows + 1, current.n_rows + len(y)
            raise ValueError(f"in rows {first:,} to {last:,}: {error}") from error
        current.n_batches += 1
        current.n_rows += len(y)
        current.n_skipped = batch.skipped
        current.loss_sum += self.pipeline.regressor.loss_curve_[-1] * len(y)

    @property
    def rmse_of_the_mean(self) -> float:
        """Progressive error of the mean of all targets before each."""
        state = self.pipeline.regressor._state
        assert state is not None
        loss_sum = state.outputs["baseline_loss_sum"][0]
        return float(np.sqrt(2 * loss_sum / state.totals["weight_sum"][0]))

    def save(self, path: str | PathLike[str]) -> None:
        """Write all to one model file, which `StreamingPipeline.load` reads too."""
        assert self.reading is not None
        tensors, header = pipeline_file.pack(self.pipeline)
        header["run"] = {
            "reading": asdict(self.reading),
            "sizes": self.sizes,
            "passes": [asdict(each) for each in self.passes],
            "n_passes": self.n_passes,
        }
        model_file.write(path, tensors, header)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` has written, or the file of a pipeline or a regressor.

        Raises
        ------
        ValueError
            If the file is cut off, of another kind, or of a newer version.
        OSError
            If it cannot be read.
        """
        tensors, header = model_file.read(path)
        pipeline = pipeline_file.unpack_plain(tensors, header, path)
        said = header.get("run")
        if said is None:
            return cls(pipeline, None)
        try:
            return cls(
                pipeline,
                Reading(**said["reading"]),
                list(said["sizes"]),
                [Pass(**each) for each in said["passes"]],
                int(said.get("n_passes", 1)),  # Files of before do not tell.
                path,
            )
        except (*model_file.MALFORMED, ValueError) as error:
            raise ValueError(
                f"{fspath(path)} does not hold a whole run: {error}."
            ) from error
