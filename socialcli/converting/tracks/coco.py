"""Read COCO files of videos: `videos`, `images` with the number of their frame, `annotations` with a track.

    {"videos": [{"id": 1, "name": "talk"}], "categories": [{"id": 1, "name": "person"}],
     "images": [{"id": 7, "video_id": 1, "frame_id": 0, "width": 640, "height": 360}],
     "annotations": [{"id": 1, "image_id": 7, "track_id": 3, "category_id": 1, "bbox": [10, 20, 50, 70]}]}

`bbox` is left, top, width, height in pixels, counted from 0. Some tools call a track `instance_id`. Frames are counted
from 0 in some files (MMTracking) and from 1 in others (ByteTrack): the first frame of the video's images decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import is_number, required_field
from socialcli.converting.tracks.names import states_a_name
from socialcli.converting.tracks.records import Footage, Track, scaled
from socialcli.converting.tracks.videos import index_of_video
from socialcli.episodes.checking.box_units import Edges

IGNORED = "boxes that the file itself ignores (iscrowd, ignore)"
_TRACK = ("track_id", "instance_id")
_FRAME = ("frame_id", "frame_index")
_MOST_FRAMES = 10**8
_Moment = tuple[float, tuple[float, float]]  # seconds, and the factors from the image's pixels to the video's


def is_coco(value: Any) -> bool:
    """Whether a JSON value is a COCO file."""
    return isinstance(value, dict) and all(isinstance(value.get(name), list) for name in ("images", "annotations"))


def read_coco(path: Path, value: Any, footage: Footage, report: Report) -> list[Track]:
    """The tracks of a file's video. Images and annotations that cannot be read go to `report` as problems.

    Raises SourceError if the file has several videos and not exactly one of this name, or no numbers of frames.
    """
    moments = _moments(path, value, footage, report)
    labels = {str(one.get("id")): str(one["name"]) for one in _records(value, "categories") if "name" in one}
    boxes: dict[str, list[tuple[float, Edges]]] = {}
    about: dict[str, tuple[str | None, str | None]] = {}
    for number, one in enumerate(value["annotations"]):
        where = f"annotations[{number}]"
        with report.skipping_bad():
            if not isinstance(one, dict):
                raise SourceError(path, None, where, f"is {one!r}, not an object; correct it")
            moment = moments.get(required_field(one, "image_id", (int, str), path, where))
            if moment is None:  # of another video
                continue
            if one.get("iscrowd") or one.get("ignore"):
                report.count(IGNORED)
                continue
            track = _track_id(one, path, where)
            seconds, scale = moment
            edges = scaled(_edges(one, path, where), scale)
            boxes.setdefault(track, []).append((seconds, edges))
            about.setdefault(track, (labels.get(str(one.get("category_id"))), _stated_name(one)))
    return [Track(track, *about[track], tuple(sorted(found))) for track, found in boxes.items()]


def _moments(path: Path, value: Mapping[str, Any], footage: Footage, report: Report) -> dict[Any, _Moment]:
    """The time and scale of each image of the video, by the image's id."""
    frames: dict[Any, tuple[int, tuple[float, float]]] = {}
    for image, where in _images(path, value, footage):
        with report.skipping_bad():
            number = next((image[name] for name in _FRAME if name in image), None)
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < _MOST_FRAMES:
                message = f"is {number!r}, and must be the number of the frame; a COCO file of a video has it"
                raise SourceError(path, None, f"{where}.frame_id", message)
            size = (image.get("width") or footage.size[0], image.get("height") or footage.size[1])
            if not all(is_number(side) and side > 0 for side in size):
                raise SourceError(path, None, where, f"has a size of {size[0]!r} x {size[1]!r}; correct it")
            frames[_identity(image, path, where)] = (number, footage.scale(path, size))
    first = _first_frame(path, [number for number, _ in frames.values()], footage, report)
    return {image: (footage.clock.seconds(number - first), scale) for image, (number, scale) in frames.items()}


def _images(path: Path, value: Mapping[str, Any], footage: Footage) -> list[tuple[Mapping[str, Any], str]]:
    """The images of the video, each with its place in the file."""
    images: list[tuple[Mapping[str, Any], str]]
    images = [(one, f"images[{place}]") for place, one in enumerate(value["images"]) if isinstance(one, dict)]
    videos = _records(value, "videos")
    if not videos:
        return images
    names = [[str(one[name]) for name in ("name", "file_name", "id") if name in one][:1] for one in videos]
    video = videos[index_of_video(path, names, footage.clock.video)]
    return [(one, where) for one, where in images if len(videos) == 1 or one.get("video_id") == video.get("id")]


def _first_frame(path: Path, frames: list[int], footage: Footage, report: Report) -> int:
    """The number of the first frame. Raises SourceError if the file does not show where it begins to count."""
    if footage.clock.first is None and frames and min(frames) > 1:
        message = f"begins at {min(frames)}, so it may count from 0 or from 1; say which with --first-frame"
        raise SourceError(path, None, "images.frame_id", message)
    return footage.clock.counted_from(frames, report)


def _records(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _identity(image: Mapping[str, Any], path: Path, where: str) -> int | str:
    found: int | str = required_field(image, "id", (int, str), path, where)
    return found


def _track_id(one: Mapping[str, Any], path: Path, where: str) -> str:
    attributes = one.get("attributes")
    for record in (one, attributes if isinstance(attributes, dict) else {}):
        found = next((record[name] for name in _TRACK if record.get(name) is not None), None)
        if isinstance(found, int | str) and not isinstance(found, bool):
            return str(found)
    message = "is missing, so nobody knows whose box this is; export tracks, not detections"
    raise SourceError(path, None, f"{where}.track_id", message)


def _stated_name(one: Mapping[str, Any]) -> str | None:
    attributes = one.get("attributes")
    known = attributes if isinstance(attributes, dict) else {}
    return next((str(value) for name, value in known.items() if states_a_name(name) and value), None)


def _edges(one: Mapping[str, Any], path: Path, where: str) -> Edges:
    box = one.get("bbox")
    if not (isinstance(box, list) and len(box) == 4 and all(map(is_number, box))):
        message = f"is {box!r}, and must be left, top, width and height in pixels; correct it"
        raise SourceError(path, None, f"{where}.bbox", message)
    left, top, width, height = map(float, box)
    return left, top, left + width, top + height
