"""Which time of a recording is compared, and to which episode of the reference each moment belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.agreement.annotation import Annotation

Seconds = npt.NDArray[np.float64]
Owners = npt.NDArray[np.int64]  # indices of episodes; -1: none

_SLACK = 2e-6  # seconds: the episodes' own tolerance for rounding, twice


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The time that both annotations cover: the others say nothing about it, right or wrong.

    Where windows of the reference overlap, time belongs to the first of them, so that nothing counts twice.
    """

    episode_ids: tuple[str, ...]  # of the reference
    bounds: Seconds  # (intervals + 1,), ascending; the outer ones may be infinite
    owners: Owners  # (intervals,)

    def owners_at(self, times: Sequence[float] | Seconds) -> Owners:
        """The episode that each time belongs to. The end of a window belongs to it unless another begins there."""
        moments = np.asarray(times, dtype=np.float64)
        found = np.full(moments.shape, -1)
        for shift in (0.0, -_SLACK, _SLACK):
            found = np.where(found < 0, self._inside(moments + shift), found)
        return found

    def _inside(self, moments: Seconds) -> Owners:
        """The episodes of times, an interval without its end."""
        places = np.searchsorted(self.bounds, moments, side="right") - 1
        within = (places >= 0) & (places < len(self.owners))
        return np.where(within, self.owners[np.where(within, places, 0)], -1)


def common_scope(reference: Annotation, other: Annotation) -> Scope:
    """The scope of a comparison with `reference`. Without common time, no moment has an owner."""
    bounds = np.unique([edge for one in (*reference.windows, *other.windows) for edge in (one.start, one.end)])
    starts, ends = bounds[:-1], bounds[1:]
    covered = np.zeros(len(starts), dtype=bool)
    for window in other.windows:
        covered |= (starts >= window.start) & (ends <= window.end)
    owners = np.full(len(starts), -1)
    for place, window in enumerate(reference.windows):
        mine = (starts >= window.start) & (ends <= window.end)
        owners[covered & mine & (owners < 0)] = place
    return Scope(tuple(window.episode_id for window in reference.windows), bounds, owners)
