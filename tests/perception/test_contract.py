"""What passes between the parts of perception."""

from __future__ import annotations

import pytest

from socialcli.perception.contract import Detection, Rectangle, Track


def test_rectangles_overlap_by_what_they_share_of_both() -> None:
    one, other = Rectangle(0, 0, 4, 2), Rectangle(2, 0, 6, 2)
    assert one.iou(other) == pytest.approx(4 / 12)
    assert one.iou(one) == 1.0
    assert one.iou(Rectangle(4, 0, 5, 2)) == 0.0  # they touch
    assert Rectangle(1, 1, 1, 1).iou(Rectangle(1, 1, 1, 1)) == 0.0  # a point covers nothing
    assert one.centre == (2.0, 1.0)


def test_a_rectangle_that_is_turned_inside_out_has_no_area() -> None:
    assert Rectangle(3, 0, 1, 2).area == 0.0


def test_a_rectangle_is_clipped_to_an_image() -> None:
    assert Rectangle(-5, 10, 700, 20).clipped(640, 15) == Rectangle(0, 10, 640, 15)
    assert Rectangle(700, 10, 800, 20).clipped(640, 360).area == 0.0


def test_a_track_knows_its_first_and_its_last_frame() -> None:
    found = Detection(Rectangle(0, 0, 1, 1), 0.9)
    track = Track({3: found, 5: found, 9: found})
    assert (track.first, track.last) == (3, 9)
