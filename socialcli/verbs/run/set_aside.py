"""Tracks which questions of a run failed, so that their earlier answers can be set aside."""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import Any

import numpy as np

from socialcli.results.columns import storable
from socialcli.results.predictions import STRENGTH, Prediction


class FailedQuestions:
    """Which questions failed, and which have an answer; takes eight bytes of memory per row."""

    def __init__(self) -> None:
        """Start without questions."""
        self.unidentified = False  # whether the ids of some failed questions cannot be read
        self._failed: set[int] = set()
        self._answered = array("q")

    def add(self, row: Prediction) -> None:
        """Add a row of the run."""
        if row.status == "failed":
            self._failed.add(_hash(row))
        else:
            self._answered.append(_hash(row))

    def includes(self, row: Prediction) -> bool:
        """Whether the question of an earlier row failed, or may be an unidentified one; call after all `add`s."""
        if not self.unidentified:
            return _hash(row) in self._failed
        place = int(np.searchsorted(self._sorted, _hash(row)))
        return place == len(self._sorted) or bool(self._sorted[place] != _hash(row))

    @cached_property
    def _sorted(self) -> Any:
        return np.sort(np.array(self._answered, np.int64))


def _hash(row: Prediction) -> int:
    """A 64-bit hash of the question's id, the order of its candidates and its condition."""
    strength = (getattr(row, name) for name in STRENGTH)
    return hash((storable(row.question_id), row.order or 0, row.alignment, *strength))
