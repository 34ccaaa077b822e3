from __future__ import annotations

import numpy as np
from PIL import Image

from socialcli.inspection.lettering import Font, font_of, legible, shortened, width_of, wrapped
from socialcli.inspection.marks import Mark, draw_marks
from socialcli.video.overlay import COLORS


def area_of(image: Image.Image, color: tuple[int, int, int]) -> int:
    return int((np.array(image) == color).all(axis=-1).sum())


def tag_area(marks: list[Mark], number: int, size: tuple[int, int] = (640, 360)) -> int:
    """How many pixels have a mark's colour when all are drawn."""
    image = Image.new("RGB", size, (255, 255, 255))
    draw_marks(image, marks)
    return area_of(image, marks[number].color.rgb)


def test_names_of_boxes_at_one_place_do_not_hide_each_other() -> None:
    marks = [Mark((200, 100, 300, 250), "Speaker 1", color) for color in COLORS[:4]]
    alone = tag_area(marks[:1], 0)
    line = 2 * 2 * (100 + 150)  # the last box's lines hide those of the boxes below it
    for number in range(4):
        assert tag_area(marks, number) > alone - line - 40


def test_a_name_stays_inside_the_picture() -> None:
    whole = tag_area([Mark((300, 150, 340, 200), "Speaker 1", COLORS[0])], 0)
    for box in [(0, 0, 40, 50), (600, 310, 640, 360), (0, 0, 640, 360), (-50, -50, -10, -10)]:
        assert tag_area([Mark(box, "Speaker 1", COLORS[0])], 0) > 0.5 * whole


def test_a_font_that_lacks_a_letter_shows_the_letter_below_the_accent() -> None:
    font = font_of(20)
    assert legible("Speaker 2: to be", font) == "Speaker 2: to be"
    assert legible("\U0001f511", font) == "?"
    assert legible("é", _poor_font()) == "e"


def _poor_font() -> Font:
    from PIL import ImageFont

    return ImageFont.load_default(20)  # has no accents


def test_text_is_wrapped_and_cut_to_a_width() -> None:
    font = font_of(20)
    text = "a line that is much too long for so little room"
    lines = list(wrapped(text, font, 150))
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert max(width_of(line, font) for line in lines) <= 150
    assert list(wrapped("unbreakable" * 5, font, 50)) == ["unbreakable" * 5]
    cut = shortened(text, font, 150)
    assert cut.endswith("...")
    assert width_of(cut, font) <= 150
    assert shortened("short", font, 150) == "short"
