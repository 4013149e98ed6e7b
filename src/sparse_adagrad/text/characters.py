"""What the Python that runs says of every character, as a table for compiled code."""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PAGE = 256
N_CODE_POINTS = 0x110000
# Planes that hold characters of any class. Beyond them a character is its own lower
# case, and nothing else is known of it.
PLANES = (range(0x40000), range(0xE0000, 0xF0000))

# The bits of an entry, as native/characters.h names them.
DISTANCE = (1 << 21) - 1
IN_WORD, WHITE, CASED, IGNORABLE, EXPANDS = (1 << bit for bit in range(21, 26))
MOST_LOWER = 3

# Of what `fold` tells.
FOLDED_END = 1 << 16
FOLDED_LENGTH = 24
FOLDED_IN_WORD, NOT_FOLDED = 1 << 26, 1 << 27

SIGMA, FINAL_SIGMA = "Σς"
UTF_32 = f"utf-32-{sys.byteorder[0]}e"  # Without a word on the order, it wants a mark.


class Characters(NamedTuple):
    """Entries of all code points, in pages of which many are the same."""

    pages: NDArray[np.uint16]  # (N_CODE_POINTS / PAGE,)
    entries: NDArray[np.uint32]  # (n_pages * PAGE,)
    expansions: NDArray[np.uint32]  # (n_expansions * MOST_LOWER,)


def _text(code_points: NDArray[np.uint32]) -> str:
    return code_points.tobytes().decode(UTF_32, "surrogatepass")


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode(UTF_32, "surrogatepass"), np.uint32)


def _expanding(points: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Characters whose lower case is several: U+0130, in Unicode so far."""
    pages = points.reshape(-1, PAGE)
    found = [page for page in pages if len(_text(page).lower()) != PAGE]
    several = [c for page in found for c in page if len(chr(c).lower()) > 1]
    return np.array(several, np.uint32)


def _ends_in_final_sigma(before: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether a sigma is final behind each row of characters, before a line's end."""
    lines = np.empty((len(before), before.shape[1] + 2), np.uint32)
    lines[:, :-2] = before
    lines[:, -2:] = ord("Σ"), ord("\n")
    lowered = _code_points(_text(lines).lower()).reshape(lines.shape)
    return np.asarray(lowered[:, -2] == ord(FINAL_SIGMA))


def _points() -> NDArray[np.uint32]:
    return np.concatenate([np.arange(p.start, p.stop, dtype=np.uint32) for p in PLANES])


def classify() -> Characters:
    """Ask Python about every character, but for its case."""
    points = _points()
    expanding = _expanding(points)
    # A stand-in of one character.
    single = np.where(np.isin(points, expanding), np.uint32(ord("a")), points)
    entries = (_code_points(_text(single).lower()) - points) & np.uint32(DISTANCE)
    for place, c in enumerate(expanding):
        entries[points == c] = EXPANDS | place

    # What `re` takes for \w and \s.
    as_text = points.view("U1")
    entries[np.strings.isalnum(as_text) | (points == ord("_"))] |= IN_WORD
    entries[np.strings.isspace(as_text)] |= WHITE

    expansions = np.zeros((max(1, len(expanding)), MOST_LOWER), np.uint32)
    for place, c in enumerate(expanding):
        lower = _code_points(chr(c).lower())
        expansions[place, : len(lower)] = lower
    return _in_pages(points, entries, expansions)


def _in_pages(
    points: NDArray[np.uint32],
    entries: NDArray[np.uint32],
    expansions: NDArray[np.uint32],
) -> Characters:
    pages = np.zeros(N_CODE_POINTS // PAGE, np.uint16)
    known = {bytes(4 * PAGE): 0}
    for number, page in zip(
        points[::PAGE] // PAGE, entries.reshape(-1, PAGE), strict=True
    ):
        pages[number] = known.setdefault(page.tobytes(), len(known))
    return Characters(
        pages, np.frombuffer(b"".join(known), np.uint32), expansions.ravel()
    )


CHARACTERS = classify()


def _entries(points: NDArray[np.uint32]) -> NDArray[np.uint32]:
    by_page = CHARACTERS.entries.reshape(-1, PAGE)
    return np.asarray(by_page[CHARACTERS.pages[points // PAGE], points % PAGE])


def with_cases() -> Characters:
    """CHARACTERS, with CASED and IGNORABLE told.

    Takes some hundredths of a second, and only a capital sigma needs it.
    """
    points = _points()
    entries = _entries(points)
    # A stand-in of one character: like all that expand, it is cased.
    single = np.where(entries & EXPANDS > 0, np.uint32(ord("a")), points)
    # No function tells, but str.lower does by the sigma: it is final behind a cased
    # character, also with an ignorable one in between. All sigmas are alike here.
    cased = _ends_in_final_sigma(single[:, None])
    behind_cased = np.stack([np.full_like(single, ord("a")), single], axis=1)
    entries[cased] |= CASED
    entries[~cased & _ends_in_final_sigma(behind_cased)] |= IGNORABLE
    return _in_pages(points, entries, CHARACTERS.expansions)


@cache
def fold(lowercase: bool) -> NDArray[np.uint32]:
    """What each character below FOLDED_END becomes in words, as UTF-8.

    Up to three bytes, the first the lowest, and above them how many they are and
    whether they are of a word; or NOT_FOLDED, where the lower case is several
    characters or one that depends on others.
    """
    points = np.arange(FOLDED_END, dtype=np.uint32)
    rare = np.zeros(FOLDED_END, np.bool_)
    lowered = points
    if lowercase:
        entries = _entries(points)
        lowered = (points + entries) & np.uint32(DISTANCE)
        rare = (entries & EXPANDS > 0) | (points == ord(SIGMA))
        rare |= lowered >= FOLDED_END
        lowered = np.where(rare, points, lowered)
    follow, last = 0x80 | (lowered >> 6 & 0x3F), 0x80 | (lowered & 0x3F)
    length = 1 + (lowered >= 0x80).astype(np.uint32) + (lowered >= 0x800)
    folded = np.choose(
        length - 1,
        [
            lowered,
            0xC0 | lowered >> 6 | last << 8,
            0xE0 | lowered >> 12 | follow << 8 | last << 16,
        ],
    )
    folded |= length.astype(np.uint32) << FOLDED_LENGTH
    folded[_entries(lowered) & IN_WORD > 0] |= FOLDED_IN_WORD
    folded[rare] = NOT_FOLDED
    return folded
