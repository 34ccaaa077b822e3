from __future__ import annotations

import numpy as np
import pytest

from socialcli.video.frames import Frame, FrameSet
from socialcli.video.overlay import COLORS, Box, Color, draw_boxes, speaker_colors

GREY = 90


def _frames(width: int = 320, height: int = 180, count: int = 1) -> FrameSet:
    frames = tuple(Frame(float(index), np.full((height, width, 3), GREY, np.uint8)) for index in range(count))
    return FrameSet(frames, distinct=count)


def _drawn(box: Box, label: str = "1", width: int = 320, height: int = 180) -> np.ndarray:
    return draw_boxes(_frames(width, height), [{"a": box}], {"a": label}).frames[0].image


def _changed(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((image != GREY).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_frames_are_copied_and_keep_time_and_count() -> None:
    frames = _frames(count=2)
    drawn = draw_boxes(frames, [{"a": (10, 50, 60, 90)}, {}], {"a": "1"})
    assert (frames.frames[0].image == GREY).all()
    assert (drawn.frames[0].image != GREY).any()
    assert (drawn.frames[1].image == GREY).all()
    assert drawn.times == frames.times
    assert drawn.distinct == 2


def test_lines_lie_on_the_boxs_edges_in_the_speakers_colour() -> None:
    image = _drawn((100, 60, 200, 160))
    orange = COLORS[0].rgb
    for row, column in ((60, 150), (159, 150), (110, 100), (110, 199)):
        assert tuple(image[row, column]) == orange
    assert tuple(image[110, 150]) == (GREY, GREY, GREY)
    assert tuple(image[161, 150]) == (GREY, GREY, GREY)


def test_colours_follow_the_order_of_labels_and_not_of_boxes() -> None:
    labels = {"c": "1", "a": "2", "b": "3"}
    assert [color.name for color in speaker_colors(labels).values()] == ["orange", "light blue", "green"]
    image = draw_boxes(_frames(), [{"b": (10, 60, 60, 160), "c": (100, 60, 160, 160)}], labels).frames[0].image
    assert tuple(image[159, 30]) == COLORS[2].rgb
    assert tuple(image[159, 130]) == COLORS[0].rgb


def test_colours_repeat_after_the_last() -> None:
    labels = {str(index): str(index) for index in range(10)}
    assert speaker_colors(labels)["8"] is COLORS[0]


def test_the_palette_has_eight_names_and_eight_colours() -> None:
    assert len({color.name for color in COLORS}) == len({color.rgb for color in COLORS}) == 8


@pytest.mark.parametrize("color", COLORS, ids=lambda color: color.name)
def test_the_ink_of_every_tag_can_be_read(color: Color) -> None:
    def luminance(rgb: tuple[int, int, int]) -> float:
        shares = [value / 255 for value in rgb]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    light, dark = sorted((luminance(color.rgb), luminance(color.ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_tag_holds_colour_and_ink() -> None:
    image = _drawn((100, 60, 200, 160))
    above = image[:60].reshape(-1, 3)
    assert (above == COLORS[0].rgb).all(axis=1).sum() > 50
    assert (above.max(axis=1) < 60).sum() > 5


@pytest.mark.parametrize(
    "box", [(0, 0, 40, 40), (290, 0, 320, 30), (300, 150, 340, 200), (-50, -50, 400, 300), (310, 175, 318, 179)]
)
def test_the_tag_stays_inside_the_frame(box: Box) -> None:
    shapes = {
        _tag(_drawn(box, "10")).shape,
        _tag(_drawn((100, 90, 200, 160), "10")).shape,
    }
    assert len(shapes) == 1


def _tag(image: np.ndarray) -> np.ndarray:
    """The dark ink of the label: cut off at the frame's edge, it would be smaller."""
    rows, columns = np.nonzero(image.max(axis=2) < 60)
    return image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def test_a_box_outside_the_frame_is_left_out() -> None:
    assert (_drawn((400, 10, 500, 50)) == GREY).all()
    assert (_drawn((10, -90, 50, 0)) == GREY).all()


def test_lines_and_labels_grow_with_the_frame() -> None:
    small, large = _drawn((100, 90, 200, 160)), _drawn((600, 540, 1200, 960), width=1920, height=1080)
    assert _tag(large).shape[0] > 3 * _tag(small).shape[0]
    assert (large[700, 600:640] == COLORS[0].rgb).all(axis=1).sum() == 9
    assert (small[120, 100:140] == COLORS[0].rgb).all(axis=1).sum() == 2


def test_frames_and_boxes_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="shorter"):
        draw_boxes(_frames(count=2), [{}], {})
