"""Read video exports of Label Studio: JSON, or JSON-MIN.

A task of the export has annotations; a `videorectangle` result of an annotation is one region:

    {"type": "videorectangle", "id": "RRxnu061g3", "value": {"framesCount": 131, "duration": 5.425, "labels": ["Anna"],
     "sequence": [{"frame": 1, "time": 0.0417, "enabled": true, "rotation": 0, "x": 20.5, "y": 15.7, "width": 58.9,
                   "height": 68.7}, ...]}}

Edges are percent of the picture. Frames are counted from 1, at the rate of the labelling interface, which need not be
the video's: `time` is `frame` divided by it. A region is interpolated from one keyframe to the next, and the last one
lasts until the end; a keyframe with `enabled: false` is the last of its span. In JSON-MIN, regions are lists of such
values under the name of their tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import is_number, required_field
from socialcli.converting.tracks.clock import Clock
from socialcli.converting.tracks.keyframes import Keyframe, every_frame, upright
from socialcli.converting.tracks.names import own_name, states_a_name
from socialcli.converting.tracks.records import Footage, Track, scaled
from socialcli.converting.tracks.videos import index_of_video

OTHERS = "annotations left out because the task has another one"
CANCELLED = "annotations left out because they were skipped in Label Studio"
_PERCENT = 100.0
_SAME_LENGTH = 0.1  # share by which the video's length may differ from the annotated one's, beyond a second


@dataclass(frozen=True, slots=True)
class _Region:
    """A region of a task: the value with its keyframes, its place in the file, and a name that is stated beside it."""

    where: str
    id: str
    value: Mapping[str, Any]
    name: str | None = None


def is_label_studio(value: Any) -> bool:
    """Whether a JSON value is an export of Label Studio."""
    return any(_is_task(task) for task in _tasks(value))


def read_label_studio(path: Path, value: Any, footage: Footage, report: Report) -> list[Track]:
    """The tracks of the export's task about the video. Regions that cannot be read go to `report` as problems.

    Raises SourceError if no task, or more than one, is about this video.
    """
    found = [(task, f"[{place}]") for place, task in enumerate(_tasks(value)) if _is_task(task)]
    names = [_addresses(task) for task, _ in found]
    task, where = found[index_of_video(path, names, footage.clock.video)]
    tracks = []
    for region in _regions(task, path, where, report):
        with report.skipping_bad():
            tracks.append(_track(region, path, footage, report))
    if not tracks and not report.skipped:
        message = "has no regions of a video (type videorectangle); draw boxes, submit them, and export again"
        raise SourceError(path, None, where, message)
    return tracks


def _tasks(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_task(task: Any) -> bool:
    if not isinstance(task, dict):
        return False
    whole = isinstance(task.get("annotations"), list) and isinstance(task.get("data"), dict)
    return whole or next(_regions_of_json_min(task, ""), None) is not None


def _addresses(task: Mapping[str, Any]) -> list[str]:
    """The paths and addresses in a task's data, one of which is its video's."""
    data = task["data"] if isinstance(task.get("data"), dict) else task
    return [one for one in (*data.values(), task.get("file_upload")) if isinstance(one, str)]


def _regions(task: Mapping[str, Any], path: Path, where: str, report: Report) -> Iterator[_Region]:
    if not isinstance(task.get("annotations"), list):
        yield from _regions_of_json_min(task, where)
        return
    place = _chosen(task["annotations"], report)
    if place is None:
        return
    results = task["annotations"][place]["result"]
    stated = {str(one.get("id")): name for one in results if (name := _stated_name(one)) is not None}
    for number, one in enumerate(results):
        if str(one.get("type")).lower() == "videorectangle":
            spot = f"{where}.annotations[{place}].result[{number}]"
            with report.skipping_bad():
                value = required_field(one, "value", dict, path, spot)
                yield _Region(f"{spot}.value", str(one.get("id", number)), value, stated.get(str(one.get("id"))))


def _chosen(annotations: list[Any], report: Report) -> int | None:
    """The place of the annotation to read: the ground truth, else the first that was not skipped; None without one."""
    made = [place for place, one in enumerate(annotations) if isinstance(one, dict) and _has_results(one)]
    kept = [place for place in made if not annotations[place].get("was_cancelled")]
    if len(kept) < len(made):
        report.count(CANCELLED, len(made) - len(kept))
    if len(kept) > 1:
        report.count(OTHERS, len(kept) - 1)
    return next((place for place in kept if annotations[place].get("ground_truth")), kept[0] if kept else None)


def _has_results(annotation: Mapping[str, Any]) -> bool:
    results = annotation.get("result")
    return isinstance(results, list) and all(isinstance(one, dict) for one in results)


def _regions_of_json_min(task: Mapping[str, Any], where: str) -> Iterator[_Region]:
    """The regions of a task of JSON-MIN."""
    for tag, values in task.items():
        for place, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, dict) and isinstance(value.get("sequence"), list):
                yield _Region(f"{where}.{tag}[{place}]", str(place + 1), value)


def _stated_name(result: Mapping[str, Any]) -> str | None:
    """The name that a result states for its region: in a text or a choice called "speaker", or in the region's note."""
    value, note = result.get("value"), result.get("meta")
    if states_a_name(str(result.get("from_name"))) and isinstance(value, dict):
        said = value.get("text") or value.get("choices")
    else:
        said = note.get("text") if isinstance(note, dict) else None
    parts = said if isinstance(said, list) else [said]
    return str(parts[0]) if len(parts) == 1 and isinstance(parts[0], str) and parts[0].strip() else None


def _track(region: _Region, path: Path, footage: Footage, report: Report) -> Track:
    sequence = required_field(region.value, "sequence", list, path, region.where)
    frames = [
        _keyframe(one, path, f"{region.where}.sequence[{place}]", footage, report) for place, one in enumerate(sequence)
    ]
    _check_length(region, path, footage.clock)
    rate = _rate(region.value, footage.clock)

    def seconds(frame: int) -> float:
        return footage.clock.seconds(frame - 1) if rate is None else (frame - 1) / rate

    end = footage.clock.frames() if rate is None else int(footage.clock.length * rate) + 1
    boxes = tuple((seconds(frame), edges) for frame, edges in every_frame([*frames, *_lasting(frames, end)], end))
    labels = region.value.get("labels")
    label = own_name([one for one in labels if isinstance(one, str)]) if isinstance(labels, list) else None
    return Track(region.id, label, region.name, boxes)


def _lasting(frames: Sequence[Keyframe], end: int) -> Iterator[Keyframe]:
    """A keyframe at the video's `end` if the last one lasts until there."""
    last = max(frames, key=lambda one: one.frame, default=None)
    if last is not None and last.lasts and last.frame < end:
        yield replace(last, frame=end)


def _keyframe(one: Any, path: Path, where: str, footage: Footage, report: Report) -> Keyframe:
    if not isinstance(one, dict):
        raise SourceError(path, None, where, f"is {one!r}, not an object; correct it")
    frame = _number(one, "frame", path, where)
    if frame < 0 or frame != int(frame):
        raise SourceError(path, None, f"{where}.frame", f"is {frame:g}, and must be a whole number from 0; correct it")
    x, y, width, height = (_number(one, name, path, where) for name in ("x", "y", "width", "height"))
    edges = scaled((x, y, x + width, y + height), (footage.size[0] / _PERCENT, footage.size[1] / _PERCENT))
    degrees = _number(one, "rotation", path, where) if one.get("rotation") else 0.0
    edges = upright(edges, degrees, edges[:2], report)  # it is turned around its upper left corner
    return Keyframe(max(int(frame), 1), edges, lasts=bool(one.get("enabled", True)))


def _number(record: Mapping[str, Any], name: str, path: Path, where: str) -> float:
    value = required_field(record, name, (int, float), path, where)
    if not is_number(value):
        raise SourceError(path, None, f"{where}.{name}", f"is {value!r}, not a plausible number; correct it")
    return float(value)


def _rate(value: Mapping[str, Any], clock: Clock) -> float | None:
    """Frames per second of the labelling interface; None if the file does not say them, or `--fps` does."""
    if clock.fps is not None:
        return None
    sequence: list[Mapping[str, Any]] = value["sequence"]
    timed = [(one["frame"], one["time"]) for one in sequence if is_number(one.get("time"))]
    whole = [(value.get("framesCount"), value.get("duration"))]
    for frames, seconds in (*sorted(timed)[-1:], *whole):
        if is_number(frames) and is_number(seconds) and frames > 0 and seconds > 0:
            return float(frames / seconds)
    return None


def _check_length(region: _Region, path: Path, clock: Clock) -> None:
    """Raise SourceError if the annotated video was much longer or shorter than this one."""
    duration = region.value.get("duration")
    if duration and is_number(duration) and abs(duration - clock.length) > max(1.0, _SAME_LENGTH * clock.length):
        message = f"is {duration:g} s, but {clock.video} lasts {clock.length:g} s; name the video that was annotated"
        raise SourceError(path, None, f"{region.where}.duration", message)
