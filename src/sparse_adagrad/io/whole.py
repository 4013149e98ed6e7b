"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


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
    with _beside(path) as beside:
        mode = (path if path.exists() else beside).stat().st_mode & 0o777
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(beside, mode)
        os.replace(beside, path)


def check_writable(path: Path) -> None:
    """Raise where `written_whole` would, before there is anything to write."""
    with _beside(path.resolve()):
        pass


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """An empty file beside one that is to be written, which does not stay."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file.")
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is a device or a pipe, not a file; name a file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder of {path} does not exist.")
    # Named before it exists, and removed by one call of C on a str, before which Python
    # looks for no signal: Ctrl-C must not leave it, whenever it comes.
    beside = path.with_name(f".{path.name}.{token_hex(8)}.part")
    name = str(beside)
    try:
        try:
            # What is to be replaced may be private.
            beside.touch(0o600 if path.exists() else 0o666, exist_ok=False)
        except OSError as error:
            raise OSError(f"{path} cannot be written: {error.strerror}.") from error
        yield beside
    finally:
        try:  # noqa: SIM105 (suppress is Python, where a signal is looked for)
            os.unlink(name)
        except FileNotFoundError:
            pass
