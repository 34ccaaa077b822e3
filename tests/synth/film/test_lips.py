"""Lips, in the drawn pixels: a mouth moves when its person speaks, as wide as the sound says, and only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.synth.episodes import Performance, Plot
from socialcli.synth.frames import pictures
from tests.synth.speaking import SPEAKING, performed

LARGE = replace(SPEAKING, size=(560, 560))
MOUTH = (0.06, 0.67, 0.745)  # shares of the height: half the width, and lower and upper edge above the soles
TURN = (0.045, 0.02)  # how far the mouth moves with the head, in the height
THROAT = (58, 16, 20)

Areas = npt.NDArray[np.float64]


def throats(plot: Plot, performance: Performance) -> Areas:
    """How many pixels between each person's lips are dark, in each frame, in shares of the squared height."""
    areas = np.zeros((plot.world.frames, len(plot.world.people)))
    for frame, picture in enumerate(pictures(plot.world, performance.film)):
        pixels = np.asarray(picture.image, dtype=float)
        for person, pose in enumerate(plot.world.poses(frame)):
            height = pose.height
            x, y = (at + turn * way * height for at, turn, way in zip(pose.foot, TURN, pose.direction, strict=True))
            low, high = round(y - MOUTH[2] * height), round(y - MOUTH[1] * height)
            region = pixels[low:high, round(x - MOUTH[0] * height) : round(x + MOUTH[0] * height)]
            areas[frame, person] = (np.abs(region - THROAT).max(axis=2) < 40).sum() / height**2
    return areas


@pytest.fixture(scope="module")
def shown() -> tuple[Plot, Performance, Areas]:
    plot, performance = performed(LARGE)
    return plot, performance, throats(plot, performance)


def test_the_mouth_of_the_one_who_speaks_opens_with_the_sound(shown: tuple[Plot, Performance, Areas]) -> None:
    plot, performance, areas = shown
    for place, line in enumerate(plot.story.lines):
        person = plot.story.cast[line.speaker]
        frames = plot.world.frames_of(place)
        said = performance.film.lips.openings[frames.start : frames.stop, person]
        seen = areas[frames.start : frames.stop, person]
        assert np.corrcoef(said, seen)[0, 1] > 0.9


def test_nobody_else_moves_a_mouth(shown: tuple[Plot, Performance, Areas]) -> None:
    plot, _, areas = shown
    for place, line in enumerate(plot.story.lines):
        frames = plot.world.frames_of(place)
        motion = areas[frames.start : frames.stop].std(axis=0)
        speaker = plot.story.cast[line.speaker]
        assert all(motion[speaker] > 2 * motion[other] for other in range(len(motion)) if other != speaker)


def test_lips_open_while_there_is_sound_and_are_shut_in_pauses() -> None:
    plot, performance = performed()
    openings = performance.film.lips.openings.max(axis=1)
    times = np.arange(plot.world.frames) / plot.world.fps
    for start, end in zip(performance.talk.starts, performance.talk.ends, strict=True):
        assert openings[(times >= start) & (times < end)].max() > 0.5
    first = performance.talk.starts[0]
    assert openings[times < first - 1 / plot.world.fps].max() == 0
    assert openings[times > performance.talk.ends[-1] + 1 / plot.world.fps].max() == 0


def test_listeners_chew_or_smile_in_the_given_share_of_stretches() -> None:
    moved = smiled = chewed = 0
    for index in range(8):
        plot, performance = performed(replace(SPEAKING, listeners_move=0.5), index)
        lips = performance.film.lips
        for place, line in enumerate(plot.story.lines):
            frames = plot.world.frames_of(place)
            for person in set(range(3)) - {plot.story.cast[line.speaker]}:
                smiles, chews = (
                    values[frames.start : frames.stop, person].max() > 0 for values in (lips.smiles, lips.openings)
                )
                assert not (smiles and chews)
                moved, smiled, chewed = moved + (smiles or chews), smiled + smiles, chewed + chews
    assert moved == pytest.approx(24, abs=10) and smiled > 3 and chewed > 3  # of 48
    assert performed()[1].film.lips.smiles.max() == 0
