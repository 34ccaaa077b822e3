"""Each error in the boxes does what its name says."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import mean, stdev

import pytest

from socialcli.episodes.records import Box, Episode, Speaker, Utterance, Video
from socialcli.perturbation.perturbation import Perturbation, perturbed

NAMES = ("a", "b", "c", "d")
PLACES = {"a": 100.0, "b": 300.0, "c": 550.0, "d": 900.0}
SIZE = 80.0


def episode(name: str = "e", names: tuple[str, ...] = NAMES) -> Episode:
    """People in a row of a large picture, still for 4 seconds, with a box each every half second."""
    boxes = tuple(
        Box(name, time / 2, PLACES[name], 400.0, PLACES[name] + SIZE, 480.0) for time in range(9) for name in names
    )
    lines = tuple(Utterance(f"u{index}", index, index + 0.9, "words", name) for index, name in enumerate(names))
    people = tuple(Speaker(name) for name in NAMES)
    return Episode(name, Video("clip.mp4", 2000, 1000, 0.0, 4.0), people, lines, boxes, ())


def many(kind: str, level: float, count: int = 200) -> list[Episode]:
    return [perturbed(episode(f"e{number}"), Perturbation(kind, level)) for number in range(count)]


def boxes_of(found: Episode, name: str) -> list[Box]:
    return [box for box in found.boxes if box.speaker == name]


def area(box: Box) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def overlap(one: Box, other: Box) -> float:
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(across, 0) * max(down, 0)


def test_box_jitter_moves_each_edge_by_a_share_of_the_size() -> None:
    moves = [box.x0 - PLACES["b"] for found in many("box-jitter", 0.1) for box in boxes_of(found, "b")]
    assert mean(moves) == pytest.approx(0, abs=1)
    assert stdev(moves) == pytest.approx(0.1 * SIZE, rel=0.1)


def test_a_larger_box_jitter_is_the_same_draw_scaled() -> None:
    small, large = (perturbed(episode(), Perturbation("box-jitter", level)) for level in (0.1, 0.2))
    for before, one, two in zip(episode().boxes, small.boxes, large.boxes, strict=True):
        assert two.x0 - before.x0 == pytest.approx(2 * (one.x0 - before.x0))
        assert two.y1 - before.y1 == pytest.approx(2 * (one.y1 - before.y1))


def test_box_drift_is_steady_and_reaches_the_level_at_the_end() -> None:
    found = perturbed(episode(), Perturbation("box-drift", 2.0))
    directions = set()
    for name in NAMES:
        moved = [(box.x0 - PLACES[name], box.y0 - 400.0) for box in boxes_of(found, name)]
        assert moved[0] == (0, 0)
        assert math.hypot(*moved[-1]) == pytest.approx(2 * SIZE)
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(moved)]
        assert all(step == pytest.approx(steps[0]) for step in steps)
        directions.add(steps[0])
    assert len(directions) == len(NAMES)


def test_dropped_boxes_are_a_share_and_nest() -> None:
    half, most = many("dropped-boxes", 0.5), many("dropped-boxes", 0.9)
    assert mean(len(found.boxes) for found in half) == pytest.approx(18, abs=0.6)
    assert mean(len(found.boxes) for found in most) == pytest.approx(3.6, abs=0.4)
    assert all(set(b.boxes) < set(a.boxes) for a, b in zip(half, most, strict=True))
    assert all(not found.boxes for found in many("dropped-boxes", 1.0, 3))


def swaps(found: Episode) -> dict[str, str]:
    """Whose boxes each speaker has, where these are another's."""
    owners = {box.x0: name for box in episode().boxes for name in [box.speaker]}
    return {box.speaker: owners[box.x0] for box in found.boxes if owners[box.x0] != box.speaker}


@pytest.mark.parametrize("level", [0.1, 0.25, 0.6])
def test_swapped_tracks_are_a_share_of_the_speakers(level: float) -> None:
    found = [swaps(one) for one in many("swapped-tracks", level, 400)]
    assert mean(len(one) / len(NAMES) for one in found) == pytest.approx(level, abs=0.04)
    assert all(set(one) == set(one.values()) and len(one) != 1 for one in found)


def test_swapped_tracks_nest_and_leave_nobody_in_place_at_1() -> None:
    levels = [[set(swaps(one)) for one in many("swapped-tracks", level, 50)] for level in (0.2, 0.5, 0.8, 1.0)]
    assert all(a <= b for lower, higher in pairwise(levels) for a, b in zip(lower, higher, strict=True))
    assert all(one == set(NAMES) for one in levels[-1])


def test_one_speaker_has_nobody_to_swap_with() -> None:
    alone = episode(names=("a",))
    assert perturbed(alone, Perturbation("swapped-tracks", 1.0)).boxes == alone.boxes


def test_one_box_ends_with_the_box_around_everybody() -> None:
    all_one = perturbed(episode(), Perturbation("one-box", 1.0))
    assert {(box.x0, box.y0, box.x1, box.y1) for box in all_one.boxes} == {(100.0, 400.0, 980.0, 480.0)}
    half = perturbed(episode(), Perturbation("one-box", 0.5))
    assert {(box.x0, box.x1) for box in boxes_of(half, "b")} == {((300 + 100) / 2, (380 + 980) / 2)}


def test_people_of_a_moment_include_those_annotated_between() -> None:
    """Tracks are rarely annotated at the same times: a person is where the plan would see them."""
    a, b = Box("a", 0.0, 0, 0, 10, 10), Box("b", 0.4, 90, 90, 100, 100)
    found = perturbed(replace(episode(), boxes=(a, b)), Perturbation("one-box", 1.0))
    assert {(box.x0, box.x1) for box in found.boxes} == {(0, 100)}
    far = replace(episode(), boxes=(a, replace(b, time=3.0)))
    assert perturbed(far, Perturbation("one-box", 1.0)).boxes == far.boxes
    wide = perturbed(far, Perturbation("one-box", 1.0), box_gap=5.0)
    assert {(box.x0, box.x1) for box in wide.boxes} == {(0, 100)}


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_side_by_side_covers_a_share_of_the_nearest_neighbour(level: float) -> None:
    found = perturbed(episode(), Perturbation("side-by-side", level))
    neighbours = {"a": "b", "b": "a", "c": "b", "d": "c"}
    places = {box.speaker: box for box in episode().boxes}
    for box in found.boxes:
        neighbour = places[neighbours[box.speaker]]
        assert overlap(box, neighbour) / area(neighbour) == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize("level", [0.05, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(
    "other",
    [
        (150, 300, 200, 420),
        (20, 20, 60, 60),
        (-0.0, 130, 100, 190),
        (60, 50, 300, 90),
        (0, 0, 300, 300),
        (100, 0, 130, 100),
    ],
    ids=["apart", "inside", "below", "across", "around", "touching"],
)
def test_a_box_is_stretched_no_further_than_needed(other: tuple[float, ...], level: float) -> None:
    own, neighbour = Box("a", 0.0, 0, 0, 100, 100), Box("b", 0.0, *other)
    found, _ = perturbed(replace(episode(), boxes=(own, neighbour)), Perturbation("side-by-side", level)).boxes
    covered, before = overlap(found, neighbour) / area(neighbour), overlap(own, neighbour) / area(neighbour)
    assert covered == pytest.approx(max(level, before), abs=1e-9)
    assert (found == own) == (before >= level)
    assert found.x0 <= own.x0 and found.x1 >= own.x1 and found.y0 <= own.y0 and found.y1 >= own.y1


def test_boxes_that_overlap_enough_stay_as_they_are() -> None:
    crowd = replace(episode(), boxes=(Box("a", 0.0, 0, 0, 100, 100), Box("b", 0.0, 20, 0, 120, 100)))
    assert perturbed(crowd, Perturbation("side-by-side", 0.5)) == crowd


def test_time_shift_is_late_or_early_by_the_level() -> None:
    shifts = []
    for found in many("time-shift", 1.5, 60):
        moved = {after.time - before.time for before, after in zip(episode().boxes, found.boxes, strict=True)}
        assert len(moved) == 1
        shifts += moved
    assert set(shifts) == {1.5, -1.5}


def test_no_boxes_empties_a_share_of_the_clips_and_nests() -> None:
    half, most = many("no-boxes", 0.5), many("no-boxes", 0.8)
    assert mean(not found.boxes for found in half) == pytest.approx(0.5, abs=0.1)
    assert all(found.boxes in ((), episode().boxes) for found in half)
    assert all(not b.boxes for a, b in zip(half, most, strict=True) if not a.boxes)
    assert not any(found.boxes for found in many("no-boxes", 1.0, 20))


def test_a_box_moved_out_of_the_picture_keeps_a_pixel_at_its_edge() -> None:
    found = perturbed(episode(), Perturbation("box-drift", 100.0))
    last = [box for box in found.boxes if box.time == 4.0]
    assert all(min(box.x1 - box.x0, box.y1 - box.y0) == 1 for box in last)
    assert all(box.x0 == 0 or box.x1 == 2000 or box.y0 == 0 or box.y1 == 1000 for box in last)
