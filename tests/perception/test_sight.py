from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.perception.contract import Detection, PartOptions, Rectangle
from socialcli.perception.people import join, standing
from socialcli.perception.sight import Shot, Sight
from socialcli.plugins.registry import registry
from socialcli.video.streaming import stream_frames

from ..video.clips import write_video
from .pictures import FOOTAGE, needs_faces, needs_footage, wall

pytest.importorskip("scenedetect")

RED, GREEN = (220, 50, 40), (60, 190, 60)
SHOTS = (30, 20, 30)  # frames of three shots, at 10 a second


def film(index: int) -> npt.NDArray[np.uint8]:
    """Red at the left and green at the right; red alone, nearer; green at the left and red, who walks, at the right."""
    if index < SHOTS[0]:
        return wall(640, 360, (40, 120, 200, RED), (400, 100, 220, GREEN))
    if index < SHOTS[0] + SHOTS[1]:
        return wall(640, 360, (200, 20, 320, RED), paint=(90, 60, 50))
    step = index - SHOTS[0] - SHOTS[1]
    return wall(640, 360, (30, 110, 210, GREEN), (420 - 3 * step, 130, 200, RED), paint=(150, 160, 190))


@pytest.fixture(scope="module")
def sight() -> Sight:
    detect = registry().detector("faces").item.load(PartOptions())
    return Sight(finds="face", detect=detect, track=registry().tracker("overlap").item.load(5.0))


@needs_faces
def test_a_film_becomes_shots_with_tracks_and_people(sight: Sight, tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", sum(SHOTS), rate=10, draw=film)
    shots = list(sight.shots(stream_frames(path)))
    assert [(shot.start, shot.end) for shot in shots] == [(0.0, 3.0), (3.0, 5.0), (5.0, 8.0)]
    assert [[(one.first, one.last) for one in shot.tracks] for shot in shots] == [
        [(0, 14)] * 2,
        [(15, 24)],
        [(25, 39)] * 2,
    ]
    red, green = sorted(
        join([track for shot in shots for track in shot.tracks]), key=lambda person: -len(person.tracks)
    )
    assert list(red.detections) == list(range(40))
    assert list(green.detections) == [*range(15), *range(25, 40)]
    assert green.detections[0].box.centre[0] > 450 and green.detections[30].box.centre[0] < 180
    assert red.detections[0].box.centre[0] < 180 and red.detections[39].box.centre[0] < red.detections[25].box.centre[0]
    again = [track for shot in sight.shots(stream_frames(path)) for track in shot.tracks]
    assert [list(map(repr, one.detections.values())) for one in again] == [
        list(map(repr, one.detections.values())) for shot in shots for one in shot.tracks
    ]


@needs_faces
@needs_footage
def test_both_people_of_the_real_footage_have_one_track_each(sight: Sight) -> None:
    (shot,) = sight.shots(stream_frames(FOOTAGE))
    assert [(one.first, one.last) for one in shot.tracks] == [(0, 12), (0, 12)]
    assert len(join(shot.tracks)) == 2
    black, grey = sorted(shot.tracks, key=lambda track: -track.detections[0].box.x0)
    assert [round(track.detections[0].box.centre[0], -1) for track in (black, grey)] == [1020, 740]
    assert [round(track.detections[12].box.centre[0], -1) for track in (black, grey)] == [970, 910]


@needs_faces
@needs_footage
def test_boxes_of_the_real_footage_agree_with_those_drawn_by_hand(sight: Sight) -> None:
    (shot,) = sight.shots(stream_frames(FOOTAGE))
    black, grey = sorted(shot.tracks, key=lambda track: -track.detections[0].box.x0)
    drawn = json.loads((FOOTAGE.parent / "episodes.jsonl").read_text(encoding="utf-8").splitlines()[0])["boxes"]
    centres, unions = [], []
    for speaker, track in (("speaker1", grey), ("speaker2", black)):
        own = [box for box in drawn if box["speaker"] == speaker]
        times = [box["time"] for box in own]
        for number, face in track.detections.items():
            sides = [np.interp(number / 5, times, [box[side] for box in own]) for side in ("x0", "y0", "x1", "y1")]
            person = Rectangle(*map(float, sides))
            x, y = face.box.centre
            centres.append(person.x0 <= x <= person.x1 and person.y0 <= y <= person.y1)
            unions.append(person.iou(standing(face.box, 1920, 1080)))
    assert len(centres) == 26 and all(centres)
    assert np.mean([union >= 0.5 for union in unions]) >= 0.9


def test_frames_are_looked_at_once_and_stills_count_at_each_moment(tmp_path: Path) -> None:
    looked: list[int] = []

    def detect(image: npt.NDArray[np.uint8]) -> list[Detection]:
        looked.append(int(image.mean()))
        return [Detection(Rectangle(10, 10, 50, 50), 0.9)]

    still = np.full((96, 128, 3), 90, np.uint8)
    path = write_video(tmp_path / "still.mp4", 3, milliseconds=[0, 40, 1000], draw=lambda _: still)
    track = registry().tracker("overlap").item.load(5.0)
    (shot,) = Sight(finds="face", detect=detect, track=track).shots(stream_frames(path))
    assert len(looked) == 3
    assert list(shot.tracks[0].detections) == list(range(round(shot.end * 5)))


def test_colours_are_taken_now_and_then_and_never_of_two_people_at_once(tmp_path: Path) -> None:
    def faces() -> Iterator[list[Rectangle]]:
        for k in range(40):
            yield [Rectangle(100, 40, 140, 80), Rectangle(300 - (150 if k > 20 else 0), 40, 340, 80)]

    places = faces()
    still = wall(480, 270)
    path = write_video(tmp_path / "two.mp4", 40, rate=5, draw=lambda _: still)
    sight = Sight(
        finds="face",
        detect=lambda _: [Detection(box, 0.9) for box in next(places)],
        track=registry().tracker("overlap").item.load(5.0),
    )
    shots: list[Shot] = list(sight.shots(stream_frames(path)))
    left = next(track for track in shots[0].tracks if track.detections[track.first].box.x0 == 100)
    assert [k for k, one in left.detections.items() if one.embedding is not None] == [0, 10, 20]


def test_a_detectors_own_embedding_is_kept(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", 10, rate=5, draw=lambda _: wall(480, 270))
    vector = np.float32([0.6, 0.8])
    face = Detection(Rectangle(100, 40, 140, 80), 0.9, embedding=vector)
    sight = Sight(finds="face", detect=lambda _: [face], track=registry().tracker("overlap").item.load(5.0))
    (shot,) = sight.shots(stream_frames(path))
    assert all(one.embedding is vector for one in shot.tracks[0].detections.values())


def test_nothing_seen_is_a_shot_without_tracks(tmp_path: Path) -> None:
    path = write_video(tmp_path / "empty.mp4", 10)
    sight = Sight(finds="face", detect=lambda _: [], track=registry().tracker("overlap").item.load(5.0))
    (shot,) = sight.shots(stream_frames(path))
    assert shot == Shot(0.0, 0.4, ())
    assert list(sight.shots(iter(()))) == []
