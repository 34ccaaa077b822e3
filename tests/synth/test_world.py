"""What there is to see: people with looks and places of their own, who point at each other."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from socialcli.synth.appearance import SHIRTS
from socialcli.synth.places import APART, direction_gap, direction_gaps, person_height
from socialcli.synth.poses import Point, Pose, chest
from socialcli.synth.settings import SynthSettings, stream
from socialcli.synth.world import World, draw_world
from socialcli.video.timing import pick_uniform


def worlds(count: int = 20, settings: SynthSettings | None = None) -> list[World]:
    return [draw_world(settings or SynthSettings(), stream(3, index, "world")) for index in range(count)]


def angle(origin: Point, one: Point, other: Point) -> float:
    """Degrees between two points as seen from a third."""
    ways = [math.atan2(y - origin[1], x - origin[0]) for x, y in (one, other)]
    return abs(math.degrees(math.remainder(ways[0] - ways[1], 2 * math.pi)))


def pointed_at(pose: Pose, poses: tuple[Pose, ...]) -> int:
    """Whom the arm points at: the one nearest to the line from the shoulder through the hand."""
    others = {number: chest(one.foot, one.height) for number, one in enumerate(poses) if one is not pose}
    return min(others, key=lambda number: angle(pose.shoulder, pose.hand, others[number]))


@pytest.mark.parametrize("settings", [SynthSettings(), SynthSettings(people=(3, 6), distractors=2)])
def test_no_two_people_of_a_scene_look_alike(settings: SynthSettings) -> None:
    for world in worlds(settings=settings):
        looks = [person.look for person in world.people]
        assert len({look.shirt for look in looks}) == len(looks)
        assert len({(look.hair, look.style) for look in looks}) == len(looks)
        assert len({round(person.height, 1) for person in world.people}) == len(looks)


def test_every_shirt_is_worn() -> None:
    assert {person.look.shirt for world in worlds(40) for person in world.people} == set(SHIRTS)


@pytest.mark.parametrize("size", [(336, 336), (640, 360), (120, 480)])
def test_people_stand_inside_the_frame_and_apart(size: tuple[int, int]) -> None:
    for world in worlds(settings=SynthSettings(size=size)):
        feet = np.array([person.foot for person in world.people])
        assert (feet > 0).all() and (feet < size).all()
        assert all(person.foot[1] > person.height for person in world.people)


@pytest.mark.parametrize("size", [(336, 336), (640, 360)])
def test_nobody_stands_in_front_of_another_one(size: tuple[int, int]) -> None:
    for world in worlds(settings=SynthSettings(size=size)):
        feet = np.array([person.foot for person in world.people])
        gaps = np.abs(feet[:, None] - feet[None, :]) / person_height(size, len(feet))
        np.fill_diagonal(gaps[..., 0], np.inf)
        assert ((gaps[..., 0] >= APART[0]) | (gaps[..., 1] >= APART[1])).all()
        assert direction_gaps(feet).min() >= direction_gap(len(feet))


@pytest.mark.parametrize("people", [(4, 4), (5, 6)])
def test_the_hand_points_at_the_one_who_is_meant_and_at_nobody_else(people: tuple[int, int]) -> None:
    settings = SynthSettings(people=people)
    for world in worlds(settings=settings):
        for frame in range(world.frames):
            poses = world.poses(frame)
            meant = world.gestures[world.stretch(frame)]
            assert [pointed_at(pose, poses) for pose in poses] == list(meant)


def test_the_others_are_far_from_the_line_of_the_arm() -> None:
    nearest = []
    for world in worlds():
        poses = world.poses(0)
        for pose, meant in zip(poses, world.gestures[0], strict=True):
            others = [one for number, one in enumerate(poses) if one is not pose and number != meant]
            nearest.append(min(angle(pose.shoulder, pose.hand, chest(one.foot, one.height)) for one in others))
    assert min(nearest) > 10 and np.median(nearest) > 25  # degrees


def test_everybody_points_at_any_other_speaker_alike_and_nobody_at_a_distractor() -> None:
    settings = SynthSettings(distractors=1, turns=4)
    gestures = [stretch for world in worlds(60, settings) for stretch in world.gestures]
    assert len(gestures) == 60 * 16
    for person in range(5):
        counts = Counter(stretch[person] for stretch in gestures)
        assert set(counts) == set(range(4)) - {person}
        expected = len(gestures) / len(counts)
        assert max(abs(count - expected) for count in counts.values()) < 5 * math.sqrt(expected)


def test_the_frames_of_the_stretches_are_all_frames_in_order() -> None:
    for frames, people in ((16, 4), (17, 5), (8, 8)):
        world = worlds(1, SynthSettings(people=(people, people), frames=frames))[0]
        stretches = [list(world.frames_of(stretch)) for stretch in range(people)]
        assert [frame for own in stretches for frame in own] == list(range(frames))
        assert all({world.stretch(frame) for frame in own} == {number} for number, own in enumerate(stretches))


@pytest.mark.parametrize(("frames", "people"), [(16, 3), (16, 4), (16, 5), (16, 6), (16, 7), (16, 8), (8, 8)])
def test_eight_sampled_frames_show_each_of_eight_utterances_or_less(frames: int, people: int) -> None:
    world = worlds(1, SynthSettings(people=(people, people), frames=frames))[0]
    assert {world.stretch(frame) for frame in pick_uniform(range(frames), 8)} == set(range(people))


def test_the_number_of_people_is_drawn_from_the_range() -> None:
    counts = Counter(world.speakers for world in worlds(60, SynthSettings(people=(3, 5))))
    assert set(counts) == {3, 4, 5}
