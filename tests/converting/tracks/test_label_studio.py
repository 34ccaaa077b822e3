"""Video exports of Label Studio."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from socialcli.converting.report import Report, SourceError
from socialcli.converting.tracks.keyframes import TURNED
from socialcli.converting.tracks.label_studio import CANCELLED, OTHERS
from socialcli.converting.tracks.names import track_names

from .footage import clip, read, rounded, saved

RATE = 24  # of the labelling interface by default, whatever the video's


def keyframe(frame: int, x: float, enabled: bool = True, **more: Any) -> dict[str, Any]:
    place = {"x": x, "y": 25.0, "width": 12.5, "height": 50.0, "rotation": 0}
    return {"frame": frame, "enabled": enabled, "time": frame / RATE} | place | more


def region(name: str, *sequence: dict[str, Any], labels: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    value = {"framesCount": 96, "duration": 4.0, "sequence": list(sequence), "labels": list(labels)}
    tags = {"from_name": "box", "to_name": "video", "type": "videorectangle", "origin": "manual"}
    return {"value": value, "id": name, **tags, **more}


def task(*results: dict[str, Any], video: str = "/data/upload/1/5fc1a2b3-talk.mp4", **more: Any) -> dict[str, Any]:
    annotation = {"id": 7, "was_cancelled": False, "ground_truth": False, "result": list(results)}
    return {"id": 1, "annotations": [annotation], "data": {"video": video}, "predictions": [], "project": 1, **more}


def test_a_region_is_interpolated_and_ends_with_the_keyframe_that_is_disabled(tmp_path: Path) -> None:
    drawn = region("RRxnu061g3", keyframe(1, 0), keyframe(5, 50, enabled=False), labels=("Anna",))
    (track,) = read(saved(tmp_path, [task(drawn)]), clip(tmp_path))
    assert (track.id, track.label, track.speaker) == ("RRxnu061g3", "Anna", None)
    assert rounded(track) == [  # 128 x 48 pixels; frame 1 is the first
        (round(frame / RATE, 4), (16 * frame, 12, 16 * frame + 16, 36)) for frame in range(5)
    ]


def test_a_span_begins_again_and_the_last_keyframe_lasts_until_the_end(tmp_path: Path) -> None:
    spans = (keyframe(3, 0, enabled=False), keyframe(50, 10), keyframe(49, 9, enabled=False))
    (track,) = read(saved(tmp_path, [task(region("r", *spans))]), clip(tmp_path))
    frames = [round(time * RATE) + 1 for time, _ in track.boxes]
    assert frames == [3, 49, *range(50, 98)]  # sorted; 97 is at the end of 4 seconds
    assert {edges for _, edges in track.boxes[2:]} == {track.boxes[2][1]}


def test_frames_follow_the_interface_of_the_file_unless_fps_is_given(tmp_path: Path) -> None:
    spans = (keyframe(1, 0, time=0.1), keyframe(3, 0, time=0.3, enabled=False))
    file = saved(tmp_path, [task(region("r", *spans))])
    assert [time for time, _ in rounded(read(file, clip(tmp_path))[0])] == [0.0, 0.1, 0.2]
    assert [time for time, _ in rounded(read(file, clip(tmp_path, fps=2))[0])] == [0.0, 0.5, 1.0]
    untimed = region("r", *({key: value for key, value in one.items() if key != "time"} for one in spans))
    (counted,) = read(saved(tmp_path, [task(untimed)]), clip(tmp_path))
    assert [time for time, _ in rounded(counted)] == [0.0, round(1 / 24, 4), round(2 / 24, 4)]  # framesCount/duration
    del untimed["value"]["duration"]
    (own,) = read(saved(tmp_path, [task(untimed)]), clip(tmp_path))
    assert [time for time, _ in rounded(own)] == [0.0, 0.1, 0.2]  # the video's own


def test_a_turned_region_becomes_the_upright_box_around_it(tmp_path: Path) -> None:
    drawn = region("r", keyframe(1, 50, enabled=False, rotation=90))  # 16 x 24 pixels at (64, 12)
    report = Report(skip_bad=False)
    (track,) = read(saved(tmp_path, task(drawn)), clip(tmp_path), report)
    assert rounded(track) == [(0.0, (40, 12, 64, 28))] and report.counts[TURNED] == 1


def test_names_come_from_notes_choices_and_labels(tmp_path: Path) -> None:
    beside = {"id": "c", "type": "choices", "from_name": "speaker", "value": {"choices": ["Cleo"]}}
    regions = (
        region("a", keyframe(1, 0), labels=("person", "Anna")),
        region("b", keyframe(1, 20), labels=("person",), meta={"text": ["Ben"]}),
        region("c", keyframe(1, 40), labels=("person",)),
        region("d", keyframe(1, 60), labels=("person",)),
        beside,
    )
    tracks = read(saved(tmp_path, [task(*regions)]), clip(tmp_path))
    assert track_names(tracks, None) == ["Anna", "Ben", "Cleo", "d"]


def test_json_min_is_read(tmp_path: Path) -> None:
    values = [region("a", keyframe(1, 0), labels=("Anna",))["value"], region("b", keyframe(1, 50))["value"]]
    file = saved(tmp_path, [{"video": "/data/upload/talk.mp4", "box": values, "id": 1, "annotator": 1}])
    assert [(one.id, one.label) for one in read(file, clip(tmp_path))] == [("1", "Anna"), ("2", None)]


def test_one_annotation_of_a_task_counts(tmp_path: Path) -> None:
    value = task(region("first", keyframe(1, 0)))
    skipped, second, truth = (deepcopy(value["annotations"][0]) for _ in range(3))
    skipped |= {"was_cancelled": True}
    second["result"][0]["id"] = "second"
    truth |= {"ground_truth": True}
    truth["result"][0]["id"] = "truth"
    report = Report(skip_bad=False)
    value["annotations"] = [skipped, second]
    assert read(saved(tmp_path, [value]), clip(tmp_path), report)[0].id == "second"
    value["annotations"] = [skipped, second, truth]
    assert read(saved(tmp_path, [value]), clip(tmp_path), report)[0].id == "truth"
    assert report.counts == {CANCELLED: 2, OTHERS: 1}


def test_the_task_with_the_name_of_the_video_is_read(tmp_path: Path) -> None:
    other = task(region("other", keyframe(1, 0)), video="s3://bucket/other.mp4")
    mine = task(region("mine", keyframe(1, 0)), video="https://example.org/a%20b/talk.mp4?token=1")
    assert read(saved(tmp_path, [other, mine]), clip(tmp_path))[0].id == "mine"
    assert read(saved(tmp_path, [other]), clip(tmp_path))[0].id == "other"  # files are renamed
    with pytest.raises(SourceError, match=r"has 2 videos .*other\.mp4.* of which none is called talk\.mp4"):
        read(saved(tmp_path, [other, other]), clip(tmp_path))


@pytest.mark.parametrize(
    ("bad", "parts"),
    [
        ({"x": "12"}, ["[0].annotations[0].result[0].value.sequence[0].x", "'12'"]),
        ({"frame": 1.5}, ["value.sequence[0].frame", "1.5"]),
        ({"width": None}, ["value.sequence[0].width"]),
        ({"height": float("nan")}, ["value.sequence[0].height", "nan"]),
    ],
)
def test_a_bad_keyframe_says_where_and_costs_its_region(bad: Any, parts: list[str], tmp_path: Path) -> None:
    file = saved(tmp_path, [task(region("bad", keyframe(1, 0) | bad), region("good", keyframe(1, 0)))])
    with pytest.raises(SourceError) as raised:
        read(file, clip(tmp_path))
    assert all(part in str(raised.value) for part in parts)
    report = Report(skip_bad=True)
    assert [one.id for one in read(file, clip(tmp_path), report)] == ["good"] and report.skipped == 1


def test_annotations_of_a_longer_video_are_refused(tmp_path: Path) -> None:
    drawn = region("r", keyframe(1, 0))
    drawn["value"]["duration"] = 60.0
    with pytest.raises(SourceError, match=r"value\.duration: is 60 s, but .*talk\.mp4 lasts 4 s"):
        read(saved(tmp_path, [task(drawn)]), clip(tmp_path))


def test_an_export_without_boxes_says_so(tmp_path: Path) -> None:
    words = {"id": "t", "type": "textarea", "from_name": "words", "value": {"text": ["No."]}}
    with pytest.raises(SourceError, match=r"has no regions of a video"):
        read(saved(tmp_path, [task(words)]), clip(tmp_path))


def test_a_frame_far_beyond_the_video_costs_nothing(tmp_path: Path) -> None:
    file = saved(tmp_path, [task(region("r", keyframe(90, 0), keyframe(10**9, 50)))])
    (track,) = read(file, clip(tmp_path))
    assert len(track.boxes) == 8  # 90 to 96, and the keyframe itself, which is late
