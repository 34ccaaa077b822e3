"""Where a speaker is at the moment of a frame."""

from __future__ import annotations

import pytest

from socialcli.episodes.records import Box
from socialcli.episodes.tracks import speaker_boxes


def box(time: float, x0: float = 0.0, speaker: str = "s") -> Box:
    """100 pixels wide, 50 high, at (x0, 2 * x0)."""
    return Box(speaker, time, x0, 2 * x0, x0 + 100, 2 * x0 + 50)


def left_edge(boxes: list[Box], time: float, max_gap: float = 1.0) -> float | None:
    found = speaker_boxes(boxes, [time], max_gap)["s"][0]
    return None if found is None else found.x0


def test_a_box_at_the_very_moment_is_taken_as_it_is() -> None:
    assert speaker_boxes([box(0.5, 10), box(1, 20), box(1.5, 40)], [1.0]) == {"s": (box(1, 20),)}


def test_all_edges_are_interpolated_in_proportion() -> None:
    boxes = [Box("s", 1.0, 0, 10, 100, 60), Box("s", 2.0, 40, 30, 200, 160)]
    assert speaker_boxes(boxes, [1.25]) == {"s": (Box("s", 1.25, 10, 15, 125, 85),)}


def test_the_neighbours_in_time_count_whatever_the_order_of_the_boxes() -> None:
    assert left_edge([box(3, 90), box(1, 10), box(2, 20), box(0, 50)], 1.5) == 15


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (1.0, 4.0),  # just small enough: 0.4 of the way from 0 to 10
        (1.25, 0.0),  # too wide to say what lies between: the nearer of the two
    ],
)
def test_only_boxes_at_most_the_gap_apart_are_interpolated(gap: float, expected: float) -> None:
    assert left_edge([box(10, 0), box(10 + gap, 10)], 10 + 0.4 * gap) == pytest.approx(expected)


def test_the_nearest_box_counts_within_the_gap_and_no_further() -> None:
    assert left_edge([box(2, 7)], 1.0) == 7
    assert left_edge([box(2, 7)], 3.0) == 7
    assert left_edge([box(2, 7)], 0.99) is None
    assert left_edge([box(2, 7)], 3.01) is None


def test_in_a_wide_gap_there_is_no_box_far_from_both_ends() -> None:
    boxes = [box(0, 1), box(4, 2)]
    assert [left_edge(boxes, time) for time in (0.5, 1.0, 2.0, 3.0, 3.5)] == [1, 1, None, 2, 2]


def test_of_two_equally_near_boxes_the_earlier_counts() -> None:
    assert left_edge([box(2, 20), box(0, 10)], 1.0, max_gap=1.5) == 10


def test_the_gap_can_be_chosen() -> None:
    boxes = [box(0, 0), box(3, 30)]
    assert left_edge(boxes, 1.0) == 0
    assert left_edge(boxes, 1.0, max_gap=3.0) == 10
    assert left_edge(boxes, 1.0, max_gap=0.5) is None


def test_no_gap_allows_only_boxes_at_the_very_moment() -> None:
    boxes = [box(0, 0), box(1, 10)]
    assert [left_edge(boxes, time, max_gap=0.0) for time in (0.0, 0.5, 1.0)] == [0, None, 10]


def test_of_two_boxes_at_one_moment_the_first_counts() -> None:
    assert left_edge([box(1, 5), box(1, 9)], 1.0) == 5


def test_every_speaker_has_a_track_in_order_of_mention() -> None:
    tracks = speaker_boxes([box(5, 1, "b"), box(0, 2, "a"), box(0, 3, "b")], [0.0, 5.0])
    assert list(tracks) == ["b", "a"]
    assert tracks == {"b": (box(0, 3, "b"), box(5, 1, "b")), "a": (box(0, 2, "a"), None)}


def test_no_boxes_are_no_tracks() -> None:
    assert speaker_boxes([], [0.0, 1.0]) == {}


@pytest.mark.parametrize("start", [1.2, 0.1, 2.2, 3.3, 1001 / 30])
def test_boxes_once_a_second_are_interpolated_whatever_the_rounding(start: float) -> None:
    assert left_edge([box(start, 0), box(start + 1, 10)], start + 0.25) == pytest.approx(2.5)
    assert left_edge([box(2.2, 0), box(1.2, 10)], 1.2 + 0.75) == pytest.approx(2.5)
