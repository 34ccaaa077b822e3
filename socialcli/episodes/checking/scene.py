"""Checks of a well-formed episode's clip, speakers, utterances and boxes.

Every function takes parts of a record that are valid under the JSON Schema and yields findings: the path of a field
and the problem with it. `socialcli.episodes.checking.questions` checks questions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.episodes.checking.box_units import SHARES_REMEDY, boxes_are_shares
from socialcli.episodes.checking.problems import Finding, shown

SLACK = 1e-6
"""Tolerance for rounding, in seconds or pixels."""

_LARGEST = sys.float_info.max
_TIMES = ("start", "end")
_EDGES = ("x0", "y0", "x1", "y1")

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """The parts of an episode that its utterances, boxes and questions refer to.

    `first` and `last` bound the clip in seconds; if the record gives no bound, they exclude nothing.
    """

    speakers: Sequence[str]
    people: frozenset[str]
    utterances: Mapping[str, Item]
    first: float
    last: float
    width: float
    height: float

    @classmethod
    def of(cls, record: Item) -> Scene:
        """The scene of a record whose video, speakers and utterances are valid under the schema."""
        video = record["video"]
        speakers = [speaker["id"] for speaker in record["speakers"]]
        first, last = video.get("start"), video.get("end")
        usable = not any(True for _ in _video_findings(video))  # else every utterance would be reported as outside
        return cls(
            speakers=speakers,
            people=frozenset(speakers),
            utterances={item["id"]: item for item in reversed(record["utterances"])},  # the first of equal ids
            first=first if usable and first is not None else 0.0,
            last=last if usable and last is not None else _LARGEST,
            width=video["width"],
            height=video["height"],
        )


def episode_findings(record: Item, scene: Scene) -> Iterator[Finding]:
    """All problems of an episode except those of its questions and repeated ids."""
    for name, message in _video_findings(record["video"]):
        yield ("video", *name), message
    yield from _repeated(record["speakers"], "speakers")
    yield from _repeated(record["utterances"], "utterances")
    yield from _utterances(record["utterances"], scene)
    for index, box in enumerate(record["boxes"]):
        if not _is_good(box, scene):
            for name, message in _box_findings(box, scene):
                yield ("boxes", index, *name), message
    if len(record["boxes"]) > 1 and boxes_are_shares(record):  # a single box may be that small
        yield ("boxes",), f"all {len(record['boxes'])} lie within 1 x 1 pixel; {SHARES_REMEDY}"


def _video_findings(video: Item) -> Iterator[Finding]:
    odd = [name for name in ("start", "end", "fps") if video.get(name) is not None and not _finite(video[name])]
    yield from _not_finite(video, odd, "leave it out if unknown")
    start, end = video.get("start"), video.get("end")
    if not odd and start is not None and end is not None and start >= end:
        yield ("end",), f"is {end}, not after the start at {start}; give the clip a length, in seconds"


def _repeated(items: Sequence[Item], name: str) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        first = seen.setdefault(item["id"], index)
        if first != index:
            yield (
                (name, index, "id"),
                f"is {shown(item['id'])}, the same as that of {name}[{first}]; give each its own id",
            )


def _utterances(utterances: Sequence[Item], scene: Scene) -> Iterator[Finding]:
    latest = 0.0
    for index, utterance in enumerate(utterances):
        for name, message in _utterance_findings(utterance, scene, latest):
            yield ("utterances", index, *name), message
        if _finite(utterance["start"]):
            latest = max(latest, utterance["start"])


def _utterance_findings(utterance: Item, scene: Scene, latest: float) -> Iterator[Finding]:
    if utterance.get("speaker") is not None:
        yield from _speaker_findings(utterance["speaker"], scene)
    odd = [name for name in _TIMES if not _finite(utterance[name])]
    yield from _not_finite(utterance, odd, "write a time in seconds")
    if odd:
        return
    start, end = utterance["start"], utterance["end"]
    if start > end:
        yield ("end",), f"is {end}, before the start at {start}; correct one of the two"
    if start < latest:
        yield (
            ("start",),
            f"is {start}, but an utterance above it starts at {latest}; put them in order of start",
        )
    for name in _TIMES:
        yield from _outside(name, utterance[name], scene)


def _is_good(box: Item, scene: Scene) -> bool:
    """Whether a box has no problem: the rules of `_box_findings` as one expression, for speed."""
    return (
        box["speaker"] in scene.people
        and scene.first - SLACK <= box["time"] <= scene.last + SLACK
        and -SLACK <= box["x0"] < box["x1"] <= scene.width + SLACK
        and -SLACK <= box["y0"] < box["y1"] <= scene.height + SLACK
    )


def _box_findings(box: Item, scene: Scene) -> Iterator[Finding]:
    yield from _speaker_findings(box["speaker"], scene)
    odd = [name for name in ("time", *_EDGES) if not _finite(box[name])]
    yield from _not_finite(box, odd, "write a number, or remove the box")
    if "time" not in odd:
        yield from _outside("time", box["time"], scene)
    if odd:
        return
    for low, high in (("x0", "x1"), ("y0", "y1")):
        if box[low] >= box[high]:
            yield (
                (low,),
                f"is {box[low]}, not less than {high} at {box[high]}; put them in order, or remove the box",
            )
    for name in _EDGES:
        size = scene.width if name[0] == "x" else scene.height
        if not -SLACK <= box[name] <= size + SLACK:
            yield (name,), f"is {box[name]}, outside the frame (0 to {size}); clip the box to the frame"


def _speaker_findings(speaker: str, scene: Scene) -> Iterator[Finding]:
    if speaker not in scene.people:
        known = ", ".join(shown(known) for known in scene.speakers) or "none"
        yield (
            ("speaker",),
            f"{shown(speaker)} is not a speaker of the episode ({known}); add the speaker or correct it",
        )


def _outside(name: str, time: float, scene: Scene) -> Iterator[Finding]:
    if time < scene.first - SLACK:
        yield (
            (name,),
            f"is {time}, before the clip begins at {scene.first}; times count from the file's beginning",
        )
    if time > scene.last + SLACK:
        yield (
            (name,),
            f"is {time}, after the clip ends at {scene.last}; times count from the file's beginning",
        )


def _not_finite(item: Item, names: Sequence[str], remedy: str) -> Iterator[Finding]:
    for name in names:
        yield (name,), f"is {shown(item[name])}, not a finite number; {remedy}"


def _finite(number: float) -> bool:
    return -_LARGEST <= number <= _LARGEST  # unlike math.isfinite, accepts integers of any size
