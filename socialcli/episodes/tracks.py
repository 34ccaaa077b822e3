"""Find each speaker's box at the time of a frame, from boxes annotated at other times.

Annotations rarely coincide with a sampled frame. Between two boxes of a speaker at most `max_gap` seconds apart, the
box is interpolated linearly; otherwise the nearest box within `max_gap` is used; otherwise there is none (there may be
a cut in between).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from socialcli.episodes.records import Box

MAX_GAP = 1.0  # seconds
ROUNDING = 1e-6  # seconds: 2.2 - 1.2 is slightly more than 1, and boxes once a second are common


def speaker_boxes(
    boxes: Iterable[Box], times: Sequence[float], max_gap: float = MAX_GAP
) -> dict[str, tuple[Box | None, ...]]:
    """Each speaker's box at each of `times` (seconds), None if there is none; speakers in order of mention."""
    tracks: dict[str, list[Box]] = defaultdict(list)
    for box in boxes:
        tracks[box.speaker].append(box)
    return {speaker: _track_at(track, times, max_gap) for speaker, track in tracks.items()}


def _track_at(track: list[Box], times: Sequence[float], max_gap: float) -> tuple[Box | None, ...]:
    track = sorted(track, key=lambda box: box.time)
    moments = [box.time for box in track]
    return tuple(_box_at(track, moments, time, max_gap) for time in times)


def _box_at(track: list[Box], moments: list[float], time: float, max_gap: float) -> Box | None:
    following = bisect_left(moments, time)
    after = track[following] if following < len(track) else None
    if after is not None and after.time == time:
        return after
    before = track[following - 1] if following > 0 else None
    max_gap += ROUNDING
    if before is not None and after is not None and after.time - before.time <= max_gap:
        return _between(before, after, time)
    neighbours = [box for box in (before, after) if box is not None and abs(box.time - time) <= max_gap]
    return min(neighbours, key=lambda box: abs(box.time - time), default=None)


def _between(before: Box, after: Box, time: float) -> Box:
    share = (time - before.time) / (after.time - before.time)

    def mix(start: float, end: float) -> float:
        return start + share * (end - start)

    return Box(
        speaker=before.speaker,
        time=time,
        x0=mix(before.x0, after.x0),
        y0=mix(before.y0, after.y0),
        x1=mix(before.x1, after.x1),
        y1=mix(before.y1, after.y1),
    )
