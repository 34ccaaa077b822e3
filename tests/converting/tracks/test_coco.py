"""COCO files of videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socialcli.converting.report import Report, SourceError
from socialcli.converting.tracks.clock import FROM_0
from socialcli.converting.tracks.coco import IGNORED
from socialcli.converting.tracks.names import track_names

from .footage import clip, read, rounded, saved


def coco(*annotations: dict[str, Any], first: int = 0, videos: tuple[str, ...] = ("talk",)) -> dict[str, Any]:
    """A file with five images of each video."""
    size = {"width": 128, "height": 48}
    images = [
        {"id": 10 * number + frame, "video_id": number, "frame_id": first + frame, "file_name": f"{frame:06d}.jpg"}
        | size
        for number, _ in enumerate(videos, start=1)
        for frame in range(5)
    ]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "Ben"}]
    named = [{"id": number, "name": name} for number, name in enumerate(videos, start=1)]
    return {"videos": named, "images": images, "annotations": list(annotations), "categories": categories}


def annotation(image: int, track: int, left: float = 10, category: int = 1, **more: Any) -> dict[str, Any]:
    place = {"bbox": [left, 5, 20, 30], "area": 600, "iscrowd": 0}
    return {"id": 100 * track + image, "image_id": image, "track_id": track, "category_id": category} | place | more


def test_annotations_with_a_track_become_tracks(tmp_path: Path) -> None:
    value = coco(annotation(13, 3), annotation(10, 3, left=12), annotation(10, 8, category=2))
    report = Report(skip_bad=False)
    first, second = read(saved(tmp_path, value), clip(tmp_path), report)
    assert (first.id, first.label) == ("3", "person") and (second.id, second.label) == ("8", "Ben")
    assert rounded(first) == [(0.0, (12, 5, 32, 35)), (0.3, (10, 5, 30, 35))]
    assert track_names((first, second), None) == ["3", "Ben"] and report.counts[FROM_0] == 5


def test_instance_ids_and_names_in_attributes_are_read(tmp_path: Path) -> None:
    instance = annotation(10, 3, instance_id=7, attributes={"occluded": False, "speaker": "Anna"})
    del instance["track_id"]
    within = annotation(11, 3, attributes={"track_id": 4})  # as CVAT writes them
    del within["track_id"]
    tracks = read(saved(tmp_path, coco(instance, within)), clip(tmp_path))
    assert [(one.id, one.speaker) for one in tracks] == [("7", "Anna"), ("4", None)]


@pytest.mark.parametrize(("first", "given", "time"), [(0, None, 0.3), (1, None, 0.3), (1, 0, 0.4), (7, 1, 0.9)])
def test_frames_count_from_the_first_of_the_file(first: int, given: int | None, time: float, tmp_path: Path) -> None:
    file = saved(tmp_path, coco(annotation(13, 3), first=first))
    assert [one for one, _ in rounded(read(file, clip(tmp_path, first=given))[0])] == [time]


def test_a_file_that_does_not_show_its_first_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"images\.frame_id: begins at 5.*--first-frame"):
        read(saved(tmp_path, coco(annotation(10, 3), first=5)), clip(tmp_path))


def test_boxes_are_scaled_to_the_video(tmp_path: Path) -> None:
    value = coco(annotation(10, 3))
    value["images"][0] |= {"width": 1280, "height": 480}
    (track,) = read(saved(tmp_path, value), clip(tmp_path))
    assert rounded(track) == [(0.0, (1, 0.5, 3, 3.5))]
    value["images"][0] |= {"width": 100, "height": 100}
    with pytest.raises(SourceError, match="100 x 100 pixels"):
        read(saved(tmp_path, value), clip(tmp_path))


def test_the_video_of_this_name_is_read(tmp_path: Path) -> None:
    value = coco(annotation(10, 3), annotation(20, 3, left=50), videos=("other", "talk.mp4"))
    (track,) = read(saved(tmp_path, value), clip(tmp_path))
    assert rounded(track) == [(0.0, (50, 5, 70, 35))]
    with pytest.raises(SourceError, match=r"has 2 videos \('a', 'b'\), of which none is called talk\.mp4"):
        read(saved(tmp_path, coco(annotation(10, 3), videos=("a", "b"))), clip(tmp_path))


def test_crowds_are_counted(tmp_path: Path) -> None:
    report = Report(skip_bad=False)
    value = coco(annotation(10, 3), annotation(11, 3, iscrowd=1), annotation(12, 3, ignore=True))
    assert len(read(saved(tmp_path, value), clip(tmp_path), report)[0].boxes) == 1 and report.counts[IGNORED] == 2


@pytest.mark.parametrize(
    ("bad", "parts"),
    [
        ({"track_id": None}, ["annotations[0].track_id", "not detections"]),
        ({"bbox": [1, 2, 3]}, ["annotations[0].bbox", "[1, 2, 3]"]),
        ({"bbox": [1, 2, "3", 4]}, ["annotations[0].bbox"]),
        ({"image_id": [10]}, ["annotations[0].image_id"]),
        ({"track_id": [3]}, ["annotations[0].track_id"]),
    ],
)
def test_a_bad_annotation_says_where_and_can_be_skipped(bad: Any, parts: list[str], tmp_path: Path) -> None:
    file = saved(tmp_path, coco(annotation(10, 8) | bad, annotation(11, 3)))
    with pytest.raises(SourceError) as raised:
        read(file, clip(tmp_path))
    assert all(part in str(raised.value) for part in parts), raised.value
    report = Report(skip_bad=True)
    (track,) = read(file, clip(tmp_path), report)
    assert len(track.boxes) == 1 and report.skipped == 1


@pytest.mark.parametrize("frame", [None, "3", 1.5, -1, True, 10**12])
def test_images_need_the_number_of_their_frame(frame: Any, tmp_path: Path) -> None:
    value = coco(annotation(10, 3))
    value["images"][2]["frame_id"] = frame
    with pytest.raises(SourceError, match=r"images\[2\]\.frame_id: is .*must be the number of the frame"):
        read(saved(tmp_path, value), clip(tmp_path))
