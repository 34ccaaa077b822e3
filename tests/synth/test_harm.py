"""Harm sets: what each kind shows and asks, and that an ordinary world is the one of before."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageColor

from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.records import Episode, Question
from socialcli.errors import UsageError
from socialcli.synth.appearance import SHIRTS
from socialcli.synth.episodes import Plot, annotate, draw_plot
from socialcli.synth.frames import Extents, pictures
from socialcli.synth.harm.kinds import KINDS, SIDES
from socialcli.synth.places import direction_gaps
from socialcli.synth.poses import chest
from socialcli.synth.settings import HARMS, SynthSettings

SEED, COUNT = 6, 12
ORDINARY = "242ee6c914d4876c0e0e70892579cb654646fcfe2772ecae344d824bc002b491"  # of the release before the harm sets

Drawn = tuple[Plot, Episode, list[Image.Image], list[tuple[Extents | None, ...]]]


@cache
def drawn(kind: str, index: int) -> Drawn:
    """An episode of a kind, with its frames and where people are in them."""
    settings = SynthSettings(harm=(kind,))
    plot = draw_plot(settings, SEED, index)
    shown = list(pictures(plot.world))
    extents = [picture.extents for picture in shown]
    return plot, annotate(plot, settings, SEED, extents), [picture.image for picture in shown], extents


def asked(episode: Episode) -> list[Question]:
    return [question for question in episode.questions if question.task == "videoqa"]


def nearest_colour(image: Image.Image, x: float, y: float) -> str:
    """The colour of shirts that a place of a frame shows."""
    found = image.getpixel((round(x), round(y)))
    assert isinstance(found, tuple)
    return min(SHIRTS, key=lambda name: float(np.hypot.reduce(np.subtract(found, ImageColor.getrgb(SHIRTS[name])))))


def test_an_ordinary_world_has_the_records_and_pixels_of_before() -> None:
    digest = hashlib.sha256()
    crowd = SynthSettings(people=(3, 5), turns=2, distractors=2, size=(160, 90), box_jitter=4.0)
    for settings in (SynthSettings(), crowd):
        for index in range(2):
            plot = draw_plot(settings, 2, index)
            shown = list(pictures(plot.world))
            episode = annotate(plot, settings, 2, [picture.extents for picture in shown])
            digest.update(json.dumps(episode.to_record(), sort_keys=True).encode())
            for picture in shown:
                digest.update(picture.image.tobytes())
    assert digest.hexdigest() == ORDINARY


def test_kinds_take_turns_and_each_is_a_dataset() -> None:
    assert tuple(KINDS) == HARMS
    settings = SynthSettings(harm=("thing", "overlap"))
    plots = [draw_plot(settings, SEED, index) for index in range(4)]
    assert [annotate(plot, settings, SEED, []).dataset for plot in plots] == ["harm-thing", "harm-overlap"] * 2
    assert plots[0].name == f"synth-thing-{SEED}-000000"


@pytest.mark.parametrize("kind", HARMS)
def test_every_episode_keeps_the_format(kind: str) -> None:
    seen = Seen()
    for index in range(2):
        assert check(drawn(kind, index)[1].to_record(), index + 1, seen) == []


@pytest.mark.parametrize("kind", ["thing", "background", "bystander", "off-screen"])
def test_the_questions_on_utterances_stay_and_the_kinds_own_replace_those_on_shirts(kind: str) -> None:
    plot, episode, _, _ = drawn(kind, 0)
    assert all("Speaker" not in str(question.text) for question in asked(episode)) or kind == "off-screen"
    unseen = sum(not plot.world.in_picture(person) for person in plot.story.cast)
    assert len(episode.questions) - len(asked(episode)) == 4 - unseen


@pytest.mark.parametrize("kind", ["thing", "background"])
def test_a_thing_has_the_colour_of_the_answer_and_nobody_wears_it(kind: str) -> None:
    for index in range(COUNT):
        plot, episode, frames, _ = drawn(kind, index)
        room, (width, height) = plot.world.room, plot.world.size
        if kind == "thing":
            places = {one.kind: (one.foot[0] * width, one.foot[1] * height) for one in room.furniture}
            side = 0.16 * min(plot.world.size)
            spots = {
                thing: [(x + dx * side, y + (dy if thing == "basket" else dy - 0.35) * side) for dx in (-0.2, 0, 0.2)]
                for thing, (x, y) in places.items()
                for dy in (-0.3,)
            }
        else:
            spots = {
                "wall": [(x * width, 0.02 * height) for x in np.linspace(0.02, 0.98, 9)],
                "rug": [((room.rug + dx) * width, 0.9 * height) for dx in np.linspace(-0.1, 0.1, 5)],
            }
        worn = {person.look.shirt for person in plot.world.people}
        for question in asked(episode):
            thing = str(question.text).rpartition(" ")[2].rstrip("?")
            seen = Counter(nearest_colour(frames[0], *spot) for spot in spots[thing])
            assert seen[str(question.answer)] * 2 > len(spots[thing]), (index, thing, question.answer, seen)
            assert question.answer not in worn
            assert len(set(question.candidates or ()) & worn) == 2 and len(set(question.candidates or ())) == 4


def test_the_bystander_has_the_hat_and_no_box_and_nobody_points_there() -> None:
    for index in range(COUNT):
        plot, episode, _, extents = drawn("bystander", index)
        hats = [number for number, person in enumerate(plot.world.people) if person.look.hat]
        assert hats == [4] and all(4 not in stretch for stretch in plot.world.gestures)
        boxes = {(box.x0, box.y0, box.x1, box.y1) for box in episode.boxes if box.time == 0}
        assert len(boxes) == 4 and extents[0][4] not in boxes
        (question,) = asked(episode)
        assert question.answer == plot.world.people[4].look.shirt
        assert len(set(question.candidates or ())) == 4


def test_whoever_is_out_of_the_picture_has_no_box_and_arms_point_to_that_side() -> None:
    for index in range(COUNT):
        plot, episode, _, _ = drawn("off-screen", index)
        (question,) = asked(episode)
        label = str(question.text).partition(" is ")[0].replace("Speaker ", "speaker")
        assert {box.speaker for box in episode.boxes} == {f"speaker{k}" for k in range(1, 5)} - {label}
        away = plot.story.cast[int(label[-1]) - 1]
        wanted = {"left": (-1, 0), "right": (1, 0), "front": (0, 1)}[str(question.answer)]
        assert set(question.candidates or ()) == set(SIDES)
        for stretch, meant in enumerate(plot.world.gestures):
            poses = plot.world.poses(plot.world.frames_of(stretch)[0])
            for person, pose in enumerate(poses):
                if person != away and meant[person] == away:
                    assert float(np.dot(pose.direction, wanted)) > 0.75
        mute = [line.id for line in episode.utterances if line.speaker == label]
        assert all(question.utterance not in mute for question in episode.questions)


def test_half_of_the_visible_gestures_point_out_of_the_picture() -> None:
    settings = SynthSettings(harm=("off-screen",), turns=4)
    away, seen = 0, 0
    for index in range(20):
        world = draw_plot(settings, SEED, index).world
        inside = [person for person in range(4) if world.in_picture(person)]
        away += sum(not world.in_picture(stretch[person]) for stretch in world.gestures for person in inside)
        seen += len(inside) * len(world.gestures)
    assert abs(away / seen - 0.5) < 3 * 0.5 / seen**0.5


def overlaps(kind: str) -> list[float]:
    """For each person in each episode, the largest share of the person's box that another one covers."""
    found = []
    for index in range(COUNT):
        boxes = [box for box in drawn(kind, index)[3][0] if box is not None]
        shares = dict.fromkeys(range(len(boxes)), 0.0)
        for one, other in combinations(range(len(boxes)), 2):
            common = [min(boxes[one][k + 2], boxes[other][k + 2]) - max(boxes[one][k], boxes[other][k]) for k in (0, 1)]
            area = max(0, common[0]) * max(0, common[1])
            for number in (one, other):
                x0, y0, x1, y1 = boxes[number]
                shares[number] = max(shares[number], area / ((x1 - x0) * (y1 - y0)))
        found += shares.values()
    return found


def test_boxes_touch_side_by_side_and_overlap_by_a_third_or_more() -> None:
    apart, beside, behind = (float(np.median(overlaps(kind))) for kind in ("thing", "side-by-side", "overlap"))
    assert apart < 0.05 < beside < 0.4 < behind


@pytest.mark.parametrize(("kind", "least"), [("side-by-side", 20), ("overlap", 14)])
def test_gestures_stay_apart_where_people_stand_close(kind: str, least: float) -> None:
    for index in range(COUNT):
        world = drawn(kind, index)[0].world
        assert direction_gaps(np.array([person.foot for person in world.people])).min() > least


@pytest.mark.parametrize("kind", ["side-by-side", "overlap"])
def test_shirts_stay_visible_where_people_stand_close(kind: str) -> None:
    seen = []
    for index in range(COUNT):
        plot, _, frames, _ = drawn(kind, index)
        for person, pose in zip(plot.world.people, plot.world.poses(0), strict=True):
            x, y = chest(pose.foot, pose.height)
            spots = [(x + dx * pose.height, y + dy * pose.height) for dx in (-0.12, 0, 0.12) for dy in (-0.1, 0, 0.08)]
            seen.append(any(nearest_colour(frames[0], *spot) == person.look.shirt for spot in spots))
    assert np.mean(seen) > 0.97


def test_every_kind_but_off_screen_shows_all_its_people() -> None:
    settings = SynthSettings(harm=HARMS)
    for index in range(10 * len(HARMS)):
        plot = draw_plot(settings, SEED, index)
        unseen = sum(not plot.world.in_picture(person) for person in range(len(plot.world.people)))
        assert unseen == (plot.harm == "off-screen")


def test_an_unknown_kind_or_a_lack_of_colours_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown kind; use thing, background"):
        SynthSettings(harm=("things",)).check()
    with pytest.raises(UsageError, match="12 people leave fewer than 2 of 12 colours"):
        SynthSettings(harm=("thing",), people=(8, 8), distractors=4).check()
    with pytest.raises(UsageError, match=r"--harm bystander: .* at most 11 people"):
        SynthSettings(harm=("overlap", "bystander"), people=(8, 8), distractors=4).check()
    SynthSettings(harm=("overlap", "side-by-side"), people=(8, 8), distractors=4).check()
    SynthSettings(harm=HARMS, people=(3, 8), distractors=2).check()


@pytest.mark.parametrize("people", [(3, 3), (8, 8)])
def test_all_kinds_can_be_drawn_for_few_and_many_people(people: tuple[int, int]) -> None:
    settings = SynthSettings(harm=HARMS, people=people, distractors=2, size=(96, 96))
    for index in range(len(HARMS)):
        plot = draw_plot(settings, SEED, index)
        episode = annotate(plot, settings, SEED, [picture.extents for picture in pictures(plot.world)])
        assert check(episode.to_record(), 1, Seen()) == []


@pytest.mark.parametrize("kind", ["side-by-side", "overlap", "off-screen"])
def test_people_who_are_moved_stand_whole_in_the_picture(kind: str) -> None:
    for index in range(COUNT):
        world = drawn(kind, index)[0].world
        for number, person in enumerate(world.people):
            if world.in_picture(number):
                assert 0.25 * person.height < person.foot[0] < world.size[0] - 0.25 * person.height
                assert person.height < person.foot[1] < world.size[1] + 0.05 * person.height
