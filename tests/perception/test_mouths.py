"""The motion of mouths on drawn faces whose mouths are known to move."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.perception.contract import PartOptions
from socialcli.perception.hearing import ACTIVE_SPEAKERS
from socialcli.perception.mouths import MOVES, motion_scores, mouth_motion, moving_alone

from .faces import RATE, drawn_crops, openings
from .talk import silence, talk

SPEECH = np.concatenate([silence(1), talk(1.6), silence(1)])
TALKING = openings(SPEECH)
SHUT = [0.0] * len(TALKING)
SPOKEN = slice(30, 60)


@pytest.fixture(scope="module")
def talking() -> npt.NDArray[np.float32]:
    return mouth_motion(drawn_crops(list(TALKING)), RATE)


@pytest.fixture(scope="module")
def listening() -> npt.NDArray[np.float32]:
    return mouth_motion(drawn_crops(SHUT, seed=1), RATE)


def test_a_talking_mouth_moves_and_a_shut_one_does_not(
    talking: npt.NDArray[np.float32], listening: npt.NDArray[np.float32]
) -> None:
    assert (talking[SPOKEN] >= MOVES).all()
    assert (talking[:10] < MOVES / 2).all()
    assert (listening < MOVES / 2).all()


def test_a_head_that_moves_is_no_mouth_that_moves() -> None:
    nodding = mouth_motion(drawn_crops(SHUT, shift=lambda index: 3 * np.sin(index / 3)), RATE)
    assert (nodding < MOVES).all()


def test_the_rate_of_crops_does_not_change_the_measure() -> None:
    opening = list(0.5 + 0.5 * np.sin(np.arange(100) * 2 * np.pi / 40))  # slow
    full, half = mouth_motion(drawn_crops(opening), 50.0), mouth_motion(drawn_crops(opening[::2]), 25.0)
    assert np.mean(full) == pytest.approx(np.mean(half), rel=0.35)


def test_one_mouth_moves_alone(talking: npt.NDArray[np.float32], listening: npt.NDArray[np.float32]) -> None:
    first, second = moving_alone([talking, listening])
    assert first[SPOKEN].all() and not first[:10].any()
    assert not second.any()


def test_nobody_moves_alone_where_two_do(talking: npt.NDArray[np.float32]) -> None:
    faint = talking * 0.6  # may move, though not surely
    assert not np.any(moving_alone([talking, talking]))
    assert not moving_alone([talking, faint])[1].any()
    assert not moving_alone([talking, faint])[0][SPOKEN].all()


def test_a_face_that_is_not_seen_does_not_move(talking: npt.NDArray[np.float32]) -> None:
    absent = np.full(len(talking), np.nan, np.float32)
    first, second = moving_alone([talking, absent])
    assert first[SPOKEN].all() and not second.any()
    assert moving_alone([]) == []


def test_scores_are_above_zero_where_a_mouth_moves_to_speech() -> None:
    (spec,) = ACTIVE_SPEAKERS
    crops = drawn_crops(list(TALKING))
    scores = spec.load(PartOptions())(crops, RATE, SPEECH)
    assert scores.shape == (len(crops),) and scores.dtype == np.float32
    assert (scores[SPOKEN] > 0).all()
    assert (scores[:10] <= 0).all()
    assert (motion_scores(crops, RATE, silence(3.6)) <= 0).all()  # the mouth moves, nobody is heard
    assert (motion_scores(drawn_crops(SHUT), RATE, SPEECH) <= 0).all()


@pytest.mark.parametrize("count", [0, 1])
def test_less_than_two_crops_show_no_motion(count: int) -> None:
    assert mouth_motion(drawn_crops([0.0] * count), RATE).tolist() == [0.0] * count
    assert (motion_scores(drawn_crops([0.0] * count), RATE, SPEECH) <= 0).all()
