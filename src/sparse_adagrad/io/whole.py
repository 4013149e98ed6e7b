"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path beside a file's own, to write to; it is moved there at the end.

    After an error nothing is left, and a file that was there before is untouched.

    Parameters
    ----------
    path : str or path-like
        Where to; an existing file is replaced and lends its permissions. Of a link,
        what it leads to is.

    Raises
    ------
    OSError
        If the file cannot be written, or is a folder, a device or a pipe; if its
        folder does not exist.
    """
    path = Path(path).resolve()
    beside = _new_beside(path)
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(beside, _mode(path))
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Raise where `written_whole` would, before there is anything to write."""
    _new_beside(path.resolve()).unlink()


def _new_beside(path: Path) -> Path:
    """An empty file beside one that is to be written."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file.")
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is a device or a pipe, not a file; name a file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder of {path} does not exist.")
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part"
        )
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}.") from error
    os.close(handle)
    return Path(name)


def _mode(path: Path) -> int:
    """Permissions of the file that is replaced, or those of any new file."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
