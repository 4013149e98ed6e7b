"""Files to read: found by name or pattern, decompressed, counted in bytes."""

from __future__ import annotations

import bz2
import errno
import glob
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    import gzip
    import zlib
else:
    # The same by a library that is three times as fast; it exists for x86-64 and ARM.
    try:
        from isal import igzip as gzip
        from isal import isal_zlib as zlib
    except ImportError:
        import gzip
        import zlib

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Format = Literal["csv", "tsv", "jsonl", "parquet", "svmlight"]

STANDARD_INPUT = "-"
FORMATS: dict[str, Format] = {
    "csv": "csv",
    "tsv": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
    "svm": "svmlight",
    "svmlight": "svmlight",
    "libsvm": "svmlight",
}
COMPRESSIONS = {"gz": "gzip", "bz2": "bzip2", "zst": "Zstandard"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input.

    Attributes
    ----------
    name : str
        As messages give it.
    format : str
        A value of `FORMATS`.
    compression : str or None
        A key of `COMPRESSIONS`.
    size : int or None
        Bytes as they lie on the disk; None for standard input.
    """

    name: str
    format: Format
    compression: str | None
    size: int | None

    @contextmanager
    def open(self, progress: Progress) -> Iterator[IO[bytes]]:
        """Decompressed bytes; `progress` counts what is read of the file itself."""
        with ExitStack() as stack:
            if self.size is None:
                # Not through its buffer, whose lock a waiting thread would hold.
                raw = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
            else:
                raw = stack.enter_context(open(self.name, "rb", buffering=0))
            counted = io.BufferedReader(cast(Any, _Counted(raw, progress)))
            file = stack.enter_context(_decompressed(counted, self.compression))
            try:
                yield file
            except (EOFError, OSError, zlib.error, _zstd_error()) as error:
                # Bad data is an OSError to gzip and bz2, but one without a number.
                if self.compression is None or getattr(error, "errno", None):
                    raise
                kind = COMPRESSIONS[self.compression]
                raise ValueError(
                    f"{self.name} is no whole {kind} file: {error}."
                ) from error


@dataclass
class Progress:
    """Bytes read, as they lie on the disk, and how many there are if that is known."""

    total: int | None
    read: int = field(default=0)


class _Counted(io.RawIOBase):
    """A raw file that adds what is read to a count."""

    def __init__(self, raw: Any, progress: Progress) -> None:
        self.raw = raw
        self.progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n: int | None = self.raw.readinto(buffer)
        if n is None:
            raise BlockingIOError(
                "The file is set not to block and has nothing to read yet; give one "
                "that waits."
            )
        self.progress.read += n
        return n


def _zstd() -> Any:
    """The module of Python 3.14, or its backport."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError as error:
            raise needs_extra("A .zst file", error) from error
    return zstd


def needs_extra(what: str, error: ImportError) -> ImportError:
    """The error that says how to install what is missing."""
    return ImportError(
        f"{what} needs {error.name}; install it with pip install 'sparse-adagrad[io]'."
    )


def _decompressed(file: IO[bytes], compression: str | None) -> IO[bytes]:
    if compression == "gz":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if compression == "bz2":
        return bz2.BZ2File(file)
    if compression == "zst":
        return cast(IO[bytes], _zstd().ZstdFile(file))
    return file


def _zstd_error() -> type[Exception]:
    """What bad Zstandard data raises; only a loaded module can raise it."""
    for name in ("compression.zstd", "backports.zstd"):
        if name in sys.modules:
            return cast(type[Exception], sys.modules[name].ZstdError)
    return EOFError


def find_sources(paths: Paths, format: str | None = None) -> list[Source]:
    """List the files that paths and patterns name.

    Parameters
    ----------
    paths : str, path-like or sequence of these
        A string with ``*``, ``?`` or ``[`` that is no file itself is a pattern, whose
        files are taken in the order of their names; "-" is standard input.
    format : str or None
        What a name would end in, as "csv" or "jsonl.gz"; None: each file's own ending.

    Returns
    -------
    sources : list of Source

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the format is not known.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    names = [name for path in paths for name in _expand(os.fspath(path))]
    if not names:
        raise ValueError("There are no files to read: paths is empty.")
    return [_source(name, format) for name in names]


def _expand(name: str) -> list[str]:
    if name == STANDARD_INPUT or os.path.lexists(name) or not glob.has_magic(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise FileNotFoundError(errno.ENOENT, "No such file matches", name)
    return found


def _source(name: str, format: str | None) -> Source:
    if name == STANDARD_INPUT:
        if format is None:
            raise ValueError(
                "Standard input has no name to tell its format: give format, or "
                "--format to the command, as csv or jsonl.gz."
            )
        kind, compression = _given_kind(format)
        if kind == "parquet":
            raise ValueError(
                "Parquet cannot be read from standard input: its index is at its end."
            )
        return Source("standard input", kind, compression, None)
    size = os.stat(name).st_size
    if os.path.isdir(name):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    kind, compression = _kind(name) if format is None else _given_kind(format)
    return Source(name, kind, compression, size)


def _kind(name: str) -> tuple[Format, str | None]:
    """Format and compression by the ending of a name."""
    found = _known_kind(name)
    if found is None:
        raise ValueError(
            f"{name} is of no known format: a name ends in one of {_joined(FORMATS)}, "
            f"and after it, except for Parquet, in one of {_joined(COMPRESSIONS)} or "
            "nothing. Or give format, or --format to the command."
        )
    return found


def _given_kind(format: str) -> tuple[Format, str | None]:
    found = _known_kind("." + format)
    if found is None:
        raise ValueError(
            f"{format!r} is no known format: give one of {', '.join(FORMATS)}, and "
            f"after it, except for Parquet, one of {_joined(COMPRESSIONS)} if the file "
            "is compressed."
        )
    return found


def _joined(endings: Iterable[str]) -> str:
    return ", ".join("." + ending for ending in endings)


def _known_kind(name: str) -> tuple[Format, str | None] | None:
    rest, last = _split_ending(name)
    compression = last if last in COMPRESSIONS else None
    kind = _split_ending(rest)[1] if compression else last
    if kind not in FORMATS or (FORMATS[kind] == "parquet" and compression):
        return None
    return FORMATS[kind], compression


def _split_ending(name: str) -> tuple[str, str]:
    rest, _, ending = os.path.basename(name).rpartition(".")
    return rest, ending.lower()
