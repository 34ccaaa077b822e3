"""What became of the questions of a run, so that answers of before can be kept for those that fail now."""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import Any

import numpy as np

from socialcli.results.columns import storable
from socialcli.results.predictions import Prediction


class Fates:
    """Which questions have failed, and which have an answer; in memory are eight bytes a row."""

    def __init__(self) -> None:
        """Begin with no question."""
        self.nameless = False  # whether some failed of which nobody knows the name
        self._failed: set[int] = set()
        self._answered = array("q")

    def add(self, row: Prediction) -> None:
        """Note a row of the run."""
        if row.status == "failed":
            self._failed.add(_name(row))
        else:
            self._answered.append(_name(row))

    def has_failed(self, row: Prediction) -> bool:
        """Whether the question of an earlier row fails now, or may be one of the nameless; once all rows are noted."""
        if not self.nameless:
            return _name(row) in self._failed
        place = int(np.searchsorted(self._in_order, _name(row)))
        return place == len(self._in_order) or bool(self._in_order[place] != _name(row))

    @cached_property
    def _in_order(self) -> Any:
        return np.sort(np.array(self._answered, np.int64))


def _name(row: Prediction) -> int:
    """The question under its condition, as a file names it, in 64 bits."""
    setting = row.alpha, row.lambda_, row.layers, row.bias
    return hash((storable(row.question_id), row.alignment, setting))
