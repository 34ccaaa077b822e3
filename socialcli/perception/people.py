"""The same person in many tracks: joined across shots and gaps by their looks; and boxes of people from their faces."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from socialcli.perception.contract import Detection, Rectangle, Track

LEAST_LIKENESS = 0.85  # of colours: below it, tracks stay apart
MARGIN = 0.05  # of likeness: what differs by less is not told apart
HEAD_AND_SHOULDERS = 2.8  # the width of shoulders in widths of a face, which is roughly square from brow to chin

_ABOVE = 0.5  # heights of a face above it: brow and hair
_STANDING_WIDTH = 3.5  # widths of a face, with arms
_STANDING_BELOW = 7.0  # heights of a face from the chin to the feet
_NEVER = 1e12  # a distance that the mean of millions of others cannot hide


Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody in a recording: tracks that do not overlap in time, the earliest first."""

    tracks: tuple[Track, ...]

    @property
    def detections(self) -> Mapping[int, Detection]:
        """All detections, by the frame's number, ascending."""
        return {number: one for track in self.tracks for number, one in track.detections.items()}


def join(tracks: Sequence[Track], least: float = LEAST_LIKENESS) -> tuple[Person, ...]:
    """The people whose tracks these are, the earliest first; each track is in one of them.

    Tracks are joined while the mean likeness of their looks is at least `least` (average linkage); likeness is the
    cosine of embeddings, averaged over each track. Two tracks that overlap in time are two people, and so are all that
    were joined with them. Where two people at one time are about equally like a track, it is ambiguous whose it is, and
    counts as unlike both. A track without an embedding stays alone. Memory grows with the square of the number of
    tracks: 5000 take 1 GB.
    """
    looks = [_look(track) for track in tracks]
    known = [place for place, look in enumerate(looks) if look is not None]
    groups: dict[tuple[str, int], list[Track]] = {}
    labels = _labels([tracks[place] for place in known], [look for look in looks if look is not None], least)
    named = dict(zip(known, labels, strict=True))
    for place, track in enumerate(tracks):
        key = ("joined", named[place]) if place in named else ("alone", place)
        groups.setdefault(key, []).append(track)
    people = [Person(tuple(sorted(group, key=lambda track: track.first))) for group in groups.values()]
    return tuple(sorted(people, key=lambda person: person.tracks[0].first))


def _look(track: Track) -> Numbers | None:
    """The mean of a track's embeddings, of length 1; None without any."""
    vectors = [one.embedding for one in track.detections.values() if one.embedding is not None]
    if not vectors:
        return None
    mean = np.stack(vectors).astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length) if length > 0 else None


def _labels(tracks: Sequence[Track], looks: Sequence[Numbers], least: float) -> list[int]:
    """A number for each track, the same for tracks of one person."""
    if len(tracks) < 2:
        return list(range(len(tracks)))
    likeness = np.clip(np.array(looks) @ np.transpose(looks), -1, 1)
    first, last = np.array([track.first for track in tracks]), np.array([track.last for track in tracks])
    apart = (first[:, None] <= last) & (first <= last[:, None])
    distances = 1 - likeness
    distances[_ambiguous(likeness, apart)] = 1
    distances[apart] = _NEVER
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    return [int(label) for label in fcluster(tree, 1 - least, criterion="distance")]


def _ambiguous(likeness: Numbers, apart: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pairs that are hardly more alike than one of them and somebody who is in the picture beside the other."""
    possible = np.where(apart, -np.inf, likeness)
    beside = apart & ~np.eye(len(apart), dtype=bool)
    rival = np.full_like(likeness, -np.inf)
    for place, others in enumerate(beside):
        if others.any():
            rival[:, place] = possible[:, others].max(axis=1)
    return likeness < np.maximum(rival, rival.T) + MARGIN


def box_at(track: Track, number: float) -> Rectangle | None:
    """Where a track is at a frame's number, or between two: on the line between its detections; None outside them."""
    numbers = list(track.detections)
    after = bisect_left(numbers, number)
    if after == len(numbers) or number < numbers[0]:
        return None
    end = track.detections[numbers[after]].box
    if numbers[after] == number:
        return end
    start = track.detections[numbers[after - 1]].box
    share = (number - numbers[after - 1]) / (numbers[after] - numbers[after - 1])
    pairs = ((start.x0, end.x0), (start.y0, end.y0), (start.x1, end.x1), (start.y1, end.y1))
    return Rectangle(*(one + share * (other - one) for one, other in pairs))


def grown(face: Rectangle, width: float, height: float, factor: float = HEAD_AND_SHOULDERS) -> Rectangle:
    """A face's box grown to head and shoulders, clipped to a frame of `width` x `height` pixels.

    It is `factor` times as wide and as high as the face, centred on it from left to right, and begins half a face above
    it. With 1 it is the face. Raises ValueError for a factor below 1.
    """
    if not factor >= 1:
        raise ValueError(f"the factor is {factor}; a face grows by 1 or more")
    top = face.y0 - min(_ABOVE, factor - 1) * (face.y1 - face.y0)
    return _around(face, factor, top, top + factor * (face.y1 - face.y0)).clipped(width, height)


def standing(face: Rectangle, width: float, height: float) -> Rectangle:
    """The box of a person who stands upright, from the face's, clipped to the frame.

    The proportions are those of adults. Of somebody who sits or is hidden below, the box takes in what is before them.
    """
    high = face.y1 - face.y0
    return _around(face, _STANDING_WIDTH, face.y0 - _ABOVE * high, face.y1 + _STANDING_BELOW * high).clipped(
        width, height
    )


def _around(face: Rectangle, factor: float, top: float, bottom: float) -> Rectangle:
    half = factor * (face.x1 - face.x0) / 2
    return Rectangle(face.centre[0] - half, top, face.centre[0] + half, bottom)
