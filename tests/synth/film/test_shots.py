"""Shots: cuts, views, and who is on screen."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from socialcli.synth.film.shots import Shot, View, draw_shots
from socialcli.synth.frames import pictures
from socialcli.synth.poses import head
from socialcli.synth.settings import SynthSettings, stream
from socialcli.synth.world import World, draw_world
from tests.synth.speaking import SPEAKING, performed

SETTINGS = SynthSettings(people=(2, 6), distractors=1, size=(320, 240), frames=200)


def filmed(index: int, count: int = 6) -> tuple[World, tuple[Shot, ...]]:
    world = draw_world(SETTINGS, stream(3, index, "world"))
    return world, draw_shots(world, count, stream(3, index, "shots"))


@pytest.mark.parametrize("index", range(12))
def test_shots_cover_the_clip_and_each_differs_from_the_one_before(index: int) -> None:
    world, shots = filmed(index)
    assert [shot.first for shot in shots] == [0, *(shot.end for shot in shots[:-1])] and shots[-1].end == world.frames
    assert all(shot.end - shot.first >= 0.6 / 6 * 200 * 0.8 for shot in shots)
    assert all(one.view != other.view for one, other in pairwise(shots))
    assert shots[0].framing == "room" and shots[0].end >= world.frames / 8 - 1
    assert shots[0].people == set(range(len(world.people)))


def test_there_are_all_framings_and_people_off_screen() -> None:
    shots = [shot for index in range(12) for shot in filmed(index)[1]]
    assert {shot.framing for shot in shots} == {"room", "few", "one"}
    assert all(1 <= len(shot.people) <= 3 for shot in shots if shot.framing == "few")
    close = [shot for shot in shots if shot.framing == "one"]
    assert np.mean([len(shot.people) for shot in close]) < 1.5 and all(shot.people for shot in close)


def test_views_lie_in_the_room_and_heads_are_rarely_cut() -> None:
    heads = cut = 0
    for index in range(12):
        world, shots = filmed(index)
        for shot in shots:
            (x, y), zoom = shot.view.corner, shot.view.zoom
            assert zoom >= 1 and x >= 0 and y >= 0
            assert x + 320 / zoom <= 320 + 1e-6 and y + 240 / zoom <= 240 + 1e-6
            for number in shot.people:
                person = world.people[number]
                x0, y0, x1, y1 = head(person.foot, person.height)
                corners = (shot.view.at((x0, y0)), shot.view.at((x1, y1)))
                heads += 1
                cut += not all(-1 <= a <= 321 and -1 <= b <= 241 for a, b in corners)
    assert heads > 150 and cut < 0.05 * heads


def test_one_shot_shows_the_room_and_there_are_never_more_shots_than_frames() -> None:
    world, shots = filmed(0, 1)
    assert [(shot.first, shot.end, shot.view) for shot in shots] == [(0, world.frames, View())]
    for seed in range(20):
        shots = draw_shots(replace(world, frames=5), 9, stream(seed, 0, "shots"))
        assert len(shots) <= 5 and all(shot.first < shot.end for shot in shots) and shots[-1].end == 5


def test_boxes_follow_the_view_and_people_off_screen_have_none() -> None:
    plot, performance = performed(replace(SPEAKING, shots=5))
    film, whole = performance.film, list(pictures(plot.world))
    shown = list(pictures(plot.world, film))
    inside = 0
    for frame, (picture, room) in enumerate(zip(shown, whole, strict=True)):
        shot = film.shot(frame)
        assert {person for person, box in enumerate(picture.extents) if box} == shot.people
        for person in shot.people:
            box, known = picture.extents[person], room.extents[person]
            assert box is not None and known is not None
            corners = (*shot.view.at((known[0], known[1])), *shot.view.at((known[2], known[3])))
            expected = np.clip(corners, 0, 240)
            inside += 1
            assert np.abs(expected - box).max() <= 2 + 2 * shot.view.zoom
    assert inside > 100


def test_a_cut_changes_the_picture_more_than_any_movement() -> None:
    plot, performance = performed(replace(SPEAKING, shots=5))
    images = [np.asarray(picture.image, dtype=float) for picture in pictures(plot.world, performance.film)]
    changes = [float(np.abs(one - other).mean()) for one, other in pairwise(images)]
    cuts = {shot.first - 1 for shot in performance.film.shots[1:]}
    assert len(cuts) == 4
    assert min(changes[cut] for cut in cuts) > 2 * max(
        change for place, change in enumerate(changes) if place not in cuts
    )


def test_the_picture_is_the_enlarged_room() -> None:
    plot, performance = performed(replace(SPEAKING, shots=5))
    shot = next(shot for shot in performance.film.shots if shot.framing != "room")
    shown = list(pictures(plot.world, performance.film))
    uncut = replace(performance.film, shots=(replace(shot, first=0, end=plot.world.frames, view=View()),))
    room = list(pictures(plot.world, uncut))[shot.first].image
    (x, y), zoom = shot.view.corner, shot.view.zoom
    enlarged = room.resize((240, 240), Image.Resampling.BICUBIC, (x, y, x + 240 / zoom, y + 240 / zoom))
    difference = np.abs(np.asarray(enlarged, dtype=float) - np.asarray(shown[shot.first].image, dtype=float))
    unlike = np.abs(np.asarray(room, dtype=float) - np.asarray(shown[shot.first].image, dtype=float))
    assert difference.mean() < 0.3 * unlike.mean()
