from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from socialcli.perception.appearance import appearance, is_alone
from socialcli.perception.contract import Finds, Rectangle
from socialcli.perception.people import LEAST_LIKENESS

from .pictures import wall

RED, GREEN = (220, 50, 40), (60, 190, 60)
FACE = Rectangle(80, 50, 150, 120)  # in a portrait 200 pixels high, at (30, 10)


def likeness(one: object, other: object) -> float:
    assert isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
    return float(one @ other)


def test_the_same_clothes_look_alike_in_another_size_and_light() -> None:
    red = appearance(wall(400, 300, (30, 10, 200, RED)), FACE, "face")
    assert likeness(red, red) == pytest.approx(1)
    large = appearance(wall(800, 600, (60, 20, 400, RED)), Rectangle(160, 100, 300, 240), "face")
    assert likeness(red, large) > 0.97
    picture = Image.fromarray(wall(400, 300, (30, 10, 200, RED)))
    for light in (0.85, 1.15):
        assert likeness(red, appearance(np.array(ImageEnhance.Brightness(picture).enhance(light)), FACE, "face")) > 0.9


def test_other_clothes_look_different() -> None:
    red = appearance(wall(400, 300, (30, 10, 200, RED)), FACE, "face")
    green = appearance(wall(400, 300, (30, 10, 200, GREEN)), FACE, "face")
    assert likeness(red, green) < LEAST_LIKENESS - 0.1


@pytest.mark.parametrize("finds", ["face", "person"])
def test_a_box_whose_parts_are_outside_the_frame_has_no_looks(finds: Finds) -> None:
    frame = wall(400, 300)
    assert appearance(frame, Rectangle(-100, -100, 2, 2), finds) is None
    assert appearance(frame, Rectangle(100, 280, 140, 299), finds) is None
    assert appearance(frame, Rectangle(100, 100, 101, 101), finds) is None


def test_who_stands_apart_is_alone() -> None:
    face = Rectangle(100, 100, 140, 140)
    assert is_alone(face, [], "face")
    assert is_alone(face, [Rectangle(200, 100, 240, 140)], "face")
    assert not is_alone(face, [Rectangle(120, 150, 160, 190)], "face")  # a head in front of the clothes
    person = Rectangle(100, 100, 200, 400)
    assert is_alone(person, [Rectangle(190, 100, 290, 400)], "person")  # arms overlap, chests do not
    assert not is_alone(person, [Rectangle(140, 110, 240, 410)], "person")
