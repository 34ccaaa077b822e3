"""Crops of faces: where they lie, and what is outside the frame."""

from __future__ import annotations

import numpy as np
import pytest

from socialcli.perception.contract import Rectangle
from socialcli.perception.crops import face_crop, steady_boxes


def test_a_crop_is_wider_than_its_box_by_the_factor_of_the_contract() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[60:100, 130:170] = 255  # the face's box
    crop = face_crop(frame, Rectangle(130, 60, 170, 100), side=56)
    assert crop.shape == (56, 56, 3) and crop.dtype == np.uint8
    assert (crop[10:46, 10:46] == 255).all()  # 8 pixels on each side are not the box: 0.2 of 40
    assert not crop[:6].any() and not crop[:, :6].any() and not crop[-6:].any() and not crop[:, -6:].any()


def test_the_longer_side_of_a_box_counts_and_the_crop_is_not_distorted() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[50:150, 130:150] = 255
    crop = face_crop(frame, Rectangle(130, 50, 150, 150), side=140)
    white = crop[:, :, 0] > 127
    assert (white.any(axis=1).sum(), white.any(axis=0).sum()) == (100, 20)


@pytest.mark.parametrize(
    "box", [Rectangle(-30, -30, 20, 20), Rectangle(280, 180, 340, 230), Rectangle(900, 0, 950, 50)]
)
def test_what_lies_outside_the_frame_is_grey(box: Rectangle) -> None:
    crop = face_crop(np.full((200, 300, 3), 255, np.uint8), box)
    assert crop.shape == (224, 224, 3)
    assert set(np.unique(crop)) <= set(range(110, 256))
    assert (crop == 110).any()


def test_a_jump_of_one_box_is_not_followed_and_a_lasting_move_is() -> None:
    boxes = [Rectangle(0, 0, 10, 12)] * 10 + [Rectangle(40, 0, 50, 12)] + [Rectangle(0, 0, 10, 12)] * 10
    assert set(steady_boxes(boxes)) == {Rectangle(-1, 0, 11, 12)}
    moved = steady_boxes([Rectangle(0, 0, 12, 12)] * 20 + [Rectangle(40, 0, 52, 12)] * 20)
    assert (moved[0].x0, moved[-1].x0) == (0, 40)
    assert steady_boxes([]) == []
