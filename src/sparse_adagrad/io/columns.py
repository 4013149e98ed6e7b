"""The columns that a stream of texts takes from its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparse_adagrad.io.sources import needs_extra


@dataclass(frozen=True, slots=True)
class TextColumns:
    """Names of the columns.

    Attributes
    ----------
    texts : tuple of str
        Their texts are joined by a space.
    target : str or None
    """

    texts: tuple[str, ...]
    target: str | None

    @classmethod
    def of(cls, text: str | Sequence[str], target: str | None) -> TextColumns:
        """Check what a caller has given; raise ValueError if it is not usable."""
        texts = (text,) if isinstance(text, str) else tuple(text)
        if not texts or len(set(texts)) != len(texts):
            raise ValueError(f"text={text!r}; give one column or several different.")
        return cls(texts, target)


def no_number(column: str | None, value: object) -> str:
    """What is wrong with a target."""
    return (
        f"{column} is {value!r:.80}, which is no finite number. "
        "Correct or remove the line."
    )


def shown(field: bytes) -> str:
    """The start of a field, for a message."""
    return field[:80].decode("utf-8", "backslashreplace")


def pyarrow(what: str) -> Any:
    """Import pyarrow, or say how to install it."""
    try:
        import pyarrow
    except ImportError as error:
        raise needs_extra(what, error) from error
    return pyarrow
