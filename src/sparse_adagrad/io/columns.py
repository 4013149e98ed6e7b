"""The columns that a stream of texts takes from its files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparse_adagrad.io.sources import needs_extra

MOST_SHOWN = 200  # characters of a value


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


def bad_target(name: str | None, value: object, target_above: float) -> str:
    """What is wrong with a target."""
    try:
        is_low = -math.inf < float(str(value)) <= target_above
    except ValueError:
        is_low = False
    what = f"not above {target_above:g}" if is_low else "no finite number"
    return f"{name} is {shown(value)}, which is {what}. Correct or remove the line."


def shown(value: object) -> str:
    """A value for a message, cut off where it is long."""
    if isinstance(value, str):
        return repr(value[:MOST_SHOWN]) + "..." * (len(value) > MOST_SHOWN)
    written = repr(value)
    return written[:MOST_SHOWN] + "..." * (len(written) > MOST_SHOWN)


def text_of(field: bytes) -> str:
    """A field as text, whatever its bytes are."""
    return field.decode("utf-8", "backslashreplace")


def pyarrow(what: str) -> Any:
    """Import pyarrow, or say how to install it."""
    try:
        import pyarrow
    except ImportError as error:
        raise needs_extra(what, error) from error
    return pyarrow
