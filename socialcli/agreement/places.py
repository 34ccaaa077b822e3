"""Where two annotations have each speaker, at the moments at which the reference has boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.agreement.annotation import Annotation
from socialcli.agreement.matching import Weights
from socialcli.agreement.scope import Owners, Scope, Seconds
from socialcli.agreement.tracking import TrackErrors
from socialcli.episodes.records import Box
from socialcli.episodes.tracks import MAX_GAP, speaker_boxes

Edges = npt.NDArray[np.float64]  # (speakers, moments, 4): x0, y0, x1, y1; NaN where a speaker has no box

_BLOCK = 256  # moments whose overlaps are in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The boxes of both annotations at each moment, by the rule with which commands find boxes at a frame's time."""

    owners: Owners  # (moments,)
    seconds: Seconds  # (moments,): from each to the next, at most MAX_GAP
    reference: Edges
    other: Edges
    episodes: int


@dataclass(frozen=True, slots=True, eq=False)
class PlaceCounts:
    """Sums over the moments of an episode; "pairs" are (episodes, reference, other)."""

    reference: Weights  # (episodes, reference): boxes
    other: Weights  # (episodes, other): boxes
    covered: Weights  # (episodes, reference): boxes of the reference that overlap enough with a box of anybody
    both: Weights  # pairs: moments at which both have a box
    overlaps: Weights  # pairs: sum of the intersections over unions of these
    hits: Weights  # pairs: moments at which they overlap enough
    centred: Weights  # pairs: moments at which the centre of the smaller box lies in the larger one
    together: Weights  # pairs: seconds at the same place
    tracks: TrackErrors


def moments(reference: Annotation, other: Annotation, scope: Scope, gap: float) -> Moments:
    """The moments in the scope; `gap` as for `speaker_boxes`, for both annotations."""
    every = np.unique([box.time for box in reference.boxes])
    owners = scope.owners_at(every)
    times = every[owners >= 0]
    return Moments(
        owners=owners[owners >= 0],
        seconds=np.minimum(np.diff(times, append=np.inf), MAX_GAP),
        reference=_edges(reference, times.tolist(), gap),
        other=_edges(other, times.tolist(), gap),
        episodes=len(scope.episode_ids),
    )


def count_places(found: Moments, least_iou: float) -> PlaceCounts:
    """Compare the boxes of all moments; boxes overlap enough from an intersection over union of `least_iou` on."""
    people, others = len(found.reference), len(found.other)
    pairs = (found.episodes, people, others)
    sums = {name: np.zeros(pairs) for name in ("both", "overlaps", "hits", "centred", "together")}
    boxes = {"reference": np.zeros(pairs[:2]), "other": np.zeros((found.episodes, others))}
    covered, tracks = np.zeros(pairs[:2]), TrackErrors.none(found.episodes, people)
    for owner, mine in _blocks(found.owners):
        a, b = found.reference[:, mine], found.other[:, mine]
        overlaps, centred = intersection_over_union(a, b), centre_inside(a, b)
        hits, known = overlaps >= least_iou, np.nan_to_num(overlaps)
        covered[owner] += hits.any(axis=1).sum(axis=1)
        boxes["reference"][owner] += _there(a).sum(axis=1)
        boxes["other"][owner] += _there(b).sum(axis=1)
        added = {
            "both": ~np.isnan(overlaps),
            "overlaps": known,
            "hits": hits,
            "centred": centred,
            "together": known * (hits | centred) * found.seconds[mine],
        }
        for name, values in added.items():
            sums[name][owner] += values.sum(axis=2)
        tracks.add(owner, np.where(hits, known, 0.0), _there(a), _there(b))
    return PlaceCounts(**boxes, covered=covered, **sums, tracks=tracks)


def same_places(
    reference: Annotation,
    other: Annotation,
    lines: Sequence[tuple[float, str, str | None]],
    gap: float,
    least_iou: float,
) -> list[bool | None]:
    """Whether two speakers have boxes that overlap enough, for each (time, speaker of the reference, speaker there).

    None where the reference has no box. Without a speaker or a box there, they have not.
    """
    times = [time for time, _, _ in lines]
    here, there = speaker_boxes(reference.boxes, times, gap), speaker_boxes(other.boxes, times, gap)
    found: list[bool | None] = []
    for place, (_, speaker, partner) in enumerate(lines):
        box = here[speaker][place] if speaker in here else None
        same = there[partner][place] if partner in there else None
        found.append(None if box is None else same is not None and _overlap(box, same) >= least_iou)
    return found


def intersection_over_union(a: Edges, b: Edges) -> Weights:
    """Of all pairs of boxes at each moment: (a, b, moments); NaN where either has none."""
    a, b = a[:, None], b[None]
    shared = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=-1)
    overlaps: Weights = shared / (_area(a) + _area(b) - shared)
    return overlaps


def centre_inside(a: Edges, b: Edges) -> npt.NDArray[np.bool_]:
    """Whether the centre of the smaller box lies in the larger one, as of a face in a person: (a, b, moments)."""
    a, b = np.broadcast_arrays(a[:, None], b[None])
    small, large = np.where((_area(a) <= _area(b))[..., None], (a, b), (b, a))
    centre = (small[..., :2] + small[..., 2:]) / 2
    inside: npt.NDArray[np.bool_] = ((centre >= large[..., :2]) & (centre <= large[..., 2:])).all(axis=-1)
    return inside


def _blocks(owners: Owners) -> Iterator[tuple[int, slice]]:
    """Stretches of moments in the order of time, each of one episode and not too long."""
    changes = np.flatnonzero(np.diff(owners)) + 1
    for first, last in zip([0, *changes], [*changes, len(owners)], strict=True):
        for start in range(first, last, _BLOCK):
            yield int(owners[start]), slice(start, min(start + _BLOCK, last))


def _there(edges: Edges) -> npt.NDArray[np.bool_]:
    """Whether each speaker has a box: (speakers, moments)."""
    return ~np.isnan(edges[..., 0])


def _overlap(a: Box, b: Box) -> float:
    edges = np.array([[[one.x0, one.y0, one.x1, one.y1]] for one in (a, b)])
    return float(intersection_over_union(edges[:1], edges[1:])[0, 0, 0])


def _area(edges: Edges) -> Weights:
    area: Weights = (edges[..., 2] - edges[..., 0]) * (edges[..., 3] - edges[..., 1])
    return area


def _edges(annotation: Annotation, times: Sequence[float], gap: float) -> Edges:
    tracks: Mapping[str, Sequence[Box | None]] = speaker_boxes(annotation.boxes, times, gap)
    edges = np.full((len(annotation.speakers), len(times), 4), np.nan)
    for place, speaker in enumerate(annotation.speakers):
        for moment, box in enumerate(tracks.get(speaker, ())):
            if box is not None:
                edges[place, moment] = box.x0, box.y0, box.x1, box.y1
    return edges
