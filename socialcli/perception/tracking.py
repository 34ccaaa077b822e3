"""Tracks within a shot, by the overlap of boxes from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from socialcli.perception.contract import Detection, Rectangle, Source, Track, TrackerSpec, TrackShot

REACH = 1.5  # factor by which boxes grow before they are compared: a face moves half its width in 0.2 s
LEAST_OVERLAP = 0.15  # intersection over union of grown boxes from which they can be of the same track
LONGEST_GAP = 1.0  # seconds in which a face may be hidden
SHORTEST = 0.5  # seconds between the first and the last detection of a track that is kept


@dataclass(slots=True)
class _Open:
    """A track that may go on."""

    found: dict[int, Detection] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return next(reversed(self.found))


@dataclass(frozen=True, slots=True)
class OverlapTracker:
    """Assigns the boxes of each frame to the tracks that go on, so that the sum of overlaps is largest.

    The assignment is Kuhn's (1955), as in SORT (Bewley et al., 2016) without its motion model: at a few frames a second
    a velocity is out of date.
    """

    longest_gap: int  # frames, by their numbers
    shortest: int

    def tracks(self, shot: Mapping[int, Sequence[Detection]]) -> Sequence[Track]:
        """The tracks of a shot, the earliest first, of equally early ones that with the surest first detection."""
        active: list[_Open] = []
        ended: list[_Open] = []
        for number, detections in shot.items():
            ended += [one for one in active if number - one.last > self.longest_gap]
            active = [one for one in active if number - one.last <= self.longest_gap]
            for detection, track in zip(detections, _continued(active, detections), strict=True):
                if track is None:
                    track = _Open()
                    active.append(track)
                track.found[number] = detection
        kept = [Track(one.found) for one in ended + active if one.last - next(iter(one.found)) >= self.shortest]
        return sorted(kept, key=lambda track: (track.first, -track.detections[track.first].score))


def _continued(active: Sequence[_Open], detections: Sequence[Detection]) -> list[_Open | None]:
    """For each detection the track that it continues, or None for one that begins a track."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    before = [_grown(one.found[one.last].box) for one in active]
    overlaps = np.array([[_grown(found.box).iou(box) for box in before] for found in detections])
    chosen: list[_Open | None] = [None] * len(detections)
    if active and detections:
        overlaps[overlaps < LEAST_OVERLAP] = 0
        for row, column in zip(*linear_sum_assignment(overlaps, maximize=True), strict=True):
            if overlaps[row, column] > 0:
                chosen[row] = active[column]
    return chosen


def _grown(box: Rectangle) -> Rectangle:
    x, y = box.centre
    width, height = (box.x1 - box.x0) * REACH / 2, (box.y1 - box.y0) * REACH / 2
    return Rectangle(x - width, y - height, x + width, y + height)


def load_overlap(rate: float) -> TrackShot:
    """The tracker, for frames whose numbers count `rate` in a second."""
    return OverlapTracker(max(1, math.floor(LONGEST_GAP * rate)), max(1, math.ceil(SHORTEST * rate))).tracks


TRACKERS = (
    TrackerSpec(
        name="overlap",
        summary=f"boxes that overlap from frame to frame, over gaps of up to {LONGEST_GAP:g} s",
        source=Source(package=None, licence="Apache-2.0"),
        load=load_overlap,
    ),
)
