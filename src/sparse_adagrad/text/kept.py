"""The most frequent n-grams behind each column, kept in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sparse_adagrad.text.ngrams import SLOT_DTYPE, TEXT_DTYPE, Keeper, Plan

# What a slot holds, with its text.
KEPT_DTYPE = np.dtype(
    [
        *((name, SLOT_DTYPE[name]) for name in ("hash", "count")),
        *((name, TEXT_DTYPE[name]) for name in ("size", "text")),
    ]
)


@dataclass(slots=True)
class KeptTokens:
    """Slots of all columns, and the texts of those that have one.

    Attributes
    ----------
    slots : ndarray of shape (n_features, n_slots), SLOT_DTYPE
    texts : ndarray of shape (room,), TEXT_DTYPE
        In the order in which slots came to need one.
    n_texts : ndarray of shape (1,), int64
        An array, as compiled code counts along.
    """

    slots: NDArray[np.void]
    texts: NDArray[np.void]
    n_texts: NDArray[np.int64]

    @classmethod
    def empty(cls, n_features: int, n_slots: int) -> Self:
        """Slots that nothing has come to; pages are not touched until one is met."""
        return cls(
            np.zeros((n_features, n_slots), SLOT_DTYPE),
            np.zeros(1, TEXT_DTYPE),
            np.zeros(1, np.int64),
        )

    def keeper(self, plan: Plan, n_ngrams: int) -> Keeper:
        """For so many n-grams, each of which may need a text."""
        n_texts = int(self.n_texts[0])
        needed = min(n_texts + n_ngrams, self.slots.size)
        if needed > len(self.texts):
            grown = np.zeros(min(needed + needed // 2, self.slots.size), TEXT_DTYPE)
            # Pages of what is not used yet are not touched.
            grown[:n_texts] = self.texts[:n_texts]
            self.texts = grown
        return Keeper(plan, self.slots, self.texts, self.n_texts)

    @property
    def columns(self) -> NDArray[np.intp]:
        """Those that something has come to, in order."""
        return np.flatnonzero((self.slots["text_1"] > 0).any(axis=1))

    def records(self, columns: Any) -> NDArray[np.void]:
        """What the slots of some columns hold, (n_columns, n_slots) of KEPT_DTYPE."""
        slots = self.slots[columns]
        records = np.zeros(slots.shape, KEPT_DTYPE)
        records["hash"], records["count"] = slots["hash"], slots["count"]
        has_text = slots["text_1"] > 0
        texts = self.texts[slots["text_1"][has_text] - 1]
        for name in ("size", "text"):
            records[name][has_text] = texts[name]
        return records

    @classmethod
    def of_records(
        cls, n_features: int, columns: NDArray[np.intp], records: NDArray[np.void]
    ) -> Self:
        """Inverse of `records`, of all `columns`."""
        kept = cls.empty(n_features, records.shape[1])
        slots = np.empty(records.shape, SLOT_DTYPE)
        slots["hash"], slots["count"] = records["hash"], records["count"]
        slots["text_1"] = 1 + np.arange(records.size).reshape(records.shape)
        kept.slots[columns] = slots
        kept.texts = np.zeros(max(1, records.size), TEXT_DTYPE)
        for name in ("size", "text"):
            kept.texts[name][: records.size] = records[name].ravel()
        kept.n_texts[0] = records.size
        return kept
