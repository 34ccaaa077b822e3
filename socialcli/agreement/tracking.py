"""Errors of tracks: misses, false boxes and identity switches, moment by moment.

Bernardin & Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics", EURASIP Journal on
Image and Video Processing, 2008.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from socialcli.agreement.matching import Partners, Weights
from socialcli.agreement.scope import Seconds

There = npt.NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class TrackErrors:
    """Sums by episode, (episodes,), over moments that are added in the order of time."""

    misses: Seconds
    false_boxes: Seconds
    switches: Seconds
    _now: Partners = field(repr=False)  # (reference,): whose box each speaker had at the last moment; -1: nobody's
    _known: Partners = field(repr=False)  # the same at the last moment at which there was one

    @classmethod
    def none(cls, episodes: int, people: int) -> Self:
        """Before the first moment."""
        misses, false_boxes, switches = np.zeros((3, episodes))
        return cls(misses, false_boxes, switches, np.full(people, -1), np.full(people, -1))

    def add(self, episode: int, overlaps: Weights, there: There, other: There) -> None:
        """Add moments of an episode.

        `overlaps`, (reference, other, moments), are 0 where boxes overlap too little; `there`, (reference, moments),
        and `other`, (other, moments), say who has a box.
        """
        for moment in range(there.shape[1]):
            now = corresponding(overlaps[:, :, moment], self._now)
            paired = now >= 0
            self.misses[episode] += there[:, moment].sum() - paired.sum()
            self.false_boxes[episode] += other[:, moment].sum() - paired.sum()
            self.switches[episode] += (paired & (self._known >= 0) & (self._known != now)).sum()
            self._now, self._known = now, np.where(paired, now, self._known)


def corresponding(overlaps: Weights, before: Partners) -> Partners:
    """Whose box each speaker of the reference has at a moment, (reference,); -1: nobody's.

    A correspondence of the moment before stays while its boxes overlap. Of the others there are as many as possible,
    with the largest sum of overlaps. `overlaps`, (reference, other), are 0 where boxes overlap too little.
    """
    now = np.full(len(before), -1)
    staying = [row for row, column in enumerate(before) if column >= 0 and overlaps[row, column] > 0]
    now[staying] = before[staying]
    rows = [row for row in range(len(before)) if now[row] < 0 and overlaps[row].any()]
    columns = [column for column in range(overlaps.shape[1]) if column not in now[staying]]
    if rows and columns:
        from scipy.optimize import linear_sum_assignment  # imported late: slow

        free = overlaps[np.ix_(rows, columns)]
        most = len(rows) + 1.0  # one more pair outweighs all overlaps
        for row, column in zip(*linear_sum_assignment(free + most * (free > 0), maximize=True), strict=True):
            if free[row, column] > 0:
                now[rows[row]] = columns[column]
    return now
