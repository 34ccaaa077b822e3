"""Errors in the boxes: what trackers, detectors and re-identification get wrong.

Each function gives the episode with other boxes; `level` is above 0. Changed boxes stay inside the frame.
`gap`: seconds over which boxes are interpolated (`--box-gap`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from socialcli.episodes.records import Box, Episode, Video
from socialcli.episodes.tracks import speaker_boxes
from socialcli.perturbation.draws import Draws

Edges = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels


def jittered(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """Each edge moves by a normal deviate with a standard deviation of `level` times the box's width or height."""

    def moved(box: Box) -> Edges:
        width, height = box.x1 - box.x0, box.y1 - box.y0
        x0, y0, x1, y1 = (level * draws.normal("box", box.speaker, box.time, edge) for edge in ("x0", "y0", "x1", "y1"))
        across = sorted((box.x0 + x0 * width, box.x1 + x1 * width))
        down = sorted((box.y0 + y0 * height, box.y1 + y1 * height))
        return across[0], down[0], across[1], down[1]

    return _with_edges(episode, moved)


def drifted(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """Each speaker's boxes move off steadily in a direction of their own: by `level` times their size at the end."""
    start, end = _clip_times(episode)
    turns = {speaker: math.tau * draws.uniform("speaker", speaker) for speaker in _boxed(episode)}

    def moved(box: Box) -> Edges:
        way = level * (box.time - start) / (end - start) if end > start else level
        turn = turns[box.speaker]
        right = way * math.cos(turn) * (box.x1 - box.x0)
        down = way * math.sin(turn) * (box.y1 - box.y0)
        return box.x0 + right, box.y0 + down, box.x1 + right, box.y1 + down

    return _with_edges(episode, moved)


def dropped(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """Each box is missing with a probability of `level`."""
    kept = (box for box in episode.boxes if draws.uniform("box", box.speaker, box.time) >= level)
    return replace(episode, boxes=tuple(kept))


def swapped(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """A share of `level` of the speakers on average have each other's boxes, in a cycle.

    A swap takes two: below two speakers per episode on average, a part of the episodes have two and the others none.
    """
    speakers = sorted(_boxed(episode), key=lambda speaker: draws.uniform("speaker", speaker))
    chosen = speakers[: _swapped_count(level * len(speakers), draws.uniform("count"))]
    owners = dict(pairwise([*chosen, *chosen[:1]])) if len(chosen) > 1 else {}
    return replace(
        episode, boxes=tuple(replace(box, speaker=owners.get(box.speaker, box.speaker)) for box in episode.boxes)
    )


def merged(episode: Episode, level: float, _draws: Draws, gap: float) -> Episode:
    """Each box grows by `level` of the way to the smallest box around all people of its moment."""
    moments = _moments(episode, gap)

    def grown(box: Box) -> Edges:
        return _towards(_edges(box), _around(moments[box.time].values()), level)

    return _with_edges(episode, grown)


def side_by_side(episode: Episode, level: float, _draws: Draws, gap: float) -> Episode:
    """Each box is stretched towards the nearest one of its moment until it covers a share of `level` of it."""
    moments = _moments(episode, gap)

    def stretched(box: Box) -> Edges:
        own = _edges(box)
        others = [edges for speaker, edges in moments[box.time].items() if speaker != box.speaker]
        if not others:
            return own
        neighbour = min(others, key=lambda other: math.dist(_centre(own), _centre(other)))
        return _stretched(own, neighbour, level)

    return _with_edges(episode, stretched)


def shifted(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """All boxes are `level` seconds late, or as early, by the episode."""
    seconds = level if draws.uniform("sign") < 0.5 else -level
    return replace(episode, boxes=tuple(replace(box, time=box.time + seconds) for box in episode.boxes))


def removed(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """The episode has no box at all with a probability of `level`."""
    return replace(episode, boxes=()) if draws.uniform("episode") < level else episode


def _swapped_count(mean: float, draw: float) -> int:
    """A whole number with this mean that is never 1, and does not fall as the mean rises."""
    if mean < 2:
        return 2 if draw < mean / 2 else 0
    return math.floor(mean) + (draw < mean % 1)


def _boxed(episode: Episode) -> list[str]:
    """The speakers who have a box."""
    return sorted({box.speaker for box in episode.boxes})


def _clip_times(episode: Episode) -> tuple[float, float]:
    """The first and the last second of the clip; without them in the file, those of the annotation."""
    times = [*(line.start for line in episode.utterances), *(line.end for line in episode.utterances)]
    times += [box.time for box in episode.boxes]
    start, end = episode.video.start, episode.video.end
    return min(times, default=0.0) if start is None else start, max(times, default=0.0) if end is None else end


def _with_edges(episode: Episode, changed: Callable[[Box], Edges]) -> Episode:
    return replace(episode, boxes=tuple(_inside(box, changed(box), episode.video) for box in episode.boxes))


def _inside(box: Box, edges: Edges, video: Video) -> Box:
    """The box with these edges, cut to the frame and at least one pixel wide and high; as it is, if none changed."""
    if edges == _edges(box):
        return box
    x0, x1 = _cut(edges[0], edges[2], video.width)
    y0, y1 = _cut(edges[1], edges[3], video.height)
    return replace(box, x0=x0, y0=y0, x1=x1, y1=y1)


def _cut(low: float, high: float, size: int) -> tuple[float, float]:
    low, high = max(low, 0.0), min(high, float(size))
    if high - low >= 1:
        return low, high
    low = min(max((low + high - 1) / 2, 0.0), size - 1.0)
    return low, low + 1


def _moments(episode: Episode, gap: float) -> Mapping[float, Mapping[str, Edges]]:
    """Where each speaker is at the time of each box, interpolated as for a sampled frame."""
    times = sorted({box.time for box in episode.boxes})
    tracks = speaker_boxes(episode.boxes, times, gap)
    return {
        time: {speaker: _edges(box) for speaker, track in tracks.items() if (box := track[index]) is not None}
        for index, time in enumerate(times)
    }


def _edges(box: Box) -> Edges:
    return box.x0, box.y0, box.x1, box.y1


def _centre(edges: Edges) -> tuple[float, float]:
    return (edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2


def _around(boxes: Iterable[Edges]) -> Edges:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _towards(start: Edges, end: Edges, share: float) -> Edges:
    """The box whose edges are a share of the way from one box's to another's: exactly the other's at 1."""
    x0, y0, x1, y1 = ((1 - share) * a + share * b for a, b in zip(start, end, strict=True))
    return x0, y0, x1, y1


def _stretched(own: Edges, neighbour: Edges, level: float) -> Edges:
    """The first box on the way from `own` to the union of both that covers a share of `level` of the neighbour.

    A share s of the way, the boxes overlap by a + b s in each direction, if that is above 0, where b is what `own`
    lacks to cover the neighbour's side: so the covered area is a product of two such terms, which rises with s.
    """
    (ax, bx), (ay, by) = _overlap(own[::2], neighbour[::2]), _overlap(own[1::2], neighbour[1::2])
    wanted = level * (ax + bx) * (ay + by)  # at s = 1 all of the neighbour is covered
    if max(ax, 0.0) * max(ay, 0.0) >= wanted:
        return own
    linear, square, missing = ax * by + ay * bx, bx * by, wanted - ax * ay
    root = math.sqrt(linear**2 + 4 * square * missing)
    share = 2 * missing / (root + linear) if linear > 0 else (root - linear) / (2 * square)  # without cancellation
    return _towards(own, _around((own, neighbour)), min(share, 1.0))


def _overlap(own: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """By how much two intervals overlap (below 0: their distance), and what the first one lacks to cover the second."""
    overlap = min(own[1], other[1]) - max(own[0], other[0])
    return overlap, other[1] - other[0] - overlap
