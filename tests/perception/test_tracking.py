from __future__ import annotations

from collections.abc import Sequence

import pytest

from socialcli.perception.contract import Detection, Rectangle, Track, TrackShot
from socialcli.plugins.registry import registry

RATE = 5.0


@pytest.fixture
def track() -> TrackShot:
    return registry().tracker("overlap").item.load(RATE)


def face(x: float, y: float = 100, size: float = 40, score: float = 0.9) -> Detection:
    return Detection(Rectangle(x, y, x + size, y + size), score)


def places(tracks: Sequence[Track]) -> list[dict[int, float]]:
    return [{number: one.box.x0 for number, one in track.detections.items()} for track in tracks]


def test_two_people_who_walk_keep_their_tracks(track: TrackShot) -> None:
    # 25 pixels in 0.2 s, more than half a face; the detector names now one first, now the other.
    shot = {k: [face(100 + 25 * k), face(600 - 25 * k, y=300)][:: 1 if k % 2 else -1] for k in range(10)}
    assert places(track(shot)) == [{k: 600.0 - 25 * k for k in range(10)}, {k: 100.0 + 25 * k for k in range(10)}]


def test_the_assignment_is_the_best_of_all_not_the_first(track: TrackShot) -> None:
    # In frame 1 the left face overlaps both earlier ones, the right face only the right one.
    shot = {k: [face(100), face(140)] for k in range(3)} | {k: [face(125), face(165)] for k in range(3, 6)}
    assert places(track(shot)) == [
        {0: 100, 1: 100, 2: 100, 3: 125, 4: 125, 5: 125},
        {0: 140, 1: 140, 2: 140, 3: 165, 4: 165, 5: 165},
    ]


def test_a_gap_of_a_second_is_bridged_and_a_longer_one_is_not(track: TrackShot) -> None:
    seen = [0, 1, 2, 3, 8, 9, 10, 11, 17, 18, 19, 20]
    found = track({k: [face(100)] if k in seen else [] for k in range(21)})
    assert [list(one.detections) for one in found] == [seen[:8], seen[8:]]
    assert [(one.first, one.last) for one in found] == [(0, 11), (17, 20)]
    # Frames that were never looked at are a gap, too.
    assert places(track({k: [face(100)] for k in seen})) == places(found)


def test_a_gap_is_measured_in_time() -> None:
    track = registry().tracker("overlap").item.load(10.0)
    found = track({k: [face(100)] for k in (*range(6), *range(15, 21), *range(31, 37))})
    assert [(one.first, one.last) for one in found] == [(0, 20), (31, 36)]


def test_short_tracks_are_dropped(track: TrackShot) -> None:
    assert track({0: [face(100)], 1: [face(100)], 2: [face(100)], 3: []}) == []
    assert len(track({k: [face(100)] for k in range(4)})) == 1
    assert track({}) == []


def test_a_face_far_away_begins_a_track_of_its_own(track: TrackShot) -> None:
    shot = {k: [face(100)] for k in range(5)} | {k: [face(400)] for k in range(5, 10)}
    assert places(track(shot)) == [dict.fromkeys(range(5), 100), dict.fromkeys(range(5, 10), 400)]


def test_of_tracks_that_begin_together_the_surest_is_first(track: TrackShot) -> None:
    shot = {k: [face(100, score=0.6), face(300, score=0.8)] for k in range(5)}
    assert [one.detections[0].score for one in track(shot)] == [0.8, 0.6]
