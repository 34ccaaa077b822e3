"""Draw boxes with name tags, placed so that no tag hides another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from socialcli.video.lettering import RGB, Font, font_for, legible, width_of
from socialcli.video.overlay import Color

EDGE: RGB = (0, 0, 0)

Corners = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the picture


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on a picture, with its label and colour."""

    box: Corners
    label: str
    color: Color


def draw_marks(image: Image.Image, marks: Sequence[Mark]) -> None:
    """Draw the boxes, then their labels, so that no line crosses a name; sizes scale with the picture."""
    pen = ImageDraw.Draw(image)
    line = max(2, round(max(image.size) / 480))
    size = max(13, round(max(image.size) / 60))
    for mark in marks:
        left, top, right, bottom = mark.box
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=mark.color.rgb, width=line)
    taken: list[Corners] = []
    for mark in marks:
        font = font_for(mark.label, size)
        label = legible(mark.label, font)
        place = _free_place(mark.box, _tag_size(label, font), image.size, taken)
        taken.append(place)
        pen.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=mark.color.rgb)
        middle = ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)
        pen.text(middle, label, fill=mark.color.ink, font=font, anchor="mm")


def draw_outlines(image: Image.Image, marks: Sequence[Mark]) -> None:
    """Draw only thin boxes; dark lines on both sides make any colour visible."""
    pen = ImageDraw.Draw(image)
    for mark in marks:
        left, top, right, bottom = mark.box
        for inset, color in ((-1, EDGE), (2, EDGE), (0, mark.color.rgb), (1, mark.color.rgb)):
            x1, y1 = right - 1 - inset, bottom - 1 - inset
            pen.rectangle((left + inset, top + inset, max(left + inset, x1), max(top + inset, y1)), outline=color)


def _tag_size(label: str, font: Font) -> tuple[int, int]:
    _, top, _, bottom = font.getbbox("Ág", anchor="la")
    return width_of(label, font) + 8, round(bottom - top) + 6


def _free_place(box: Corners, tag: tuple[int, int], size: tuple[int, int], taken: Sequence[Corners]) -> Corners:
    """The first place for a tag at its box that no other tag occupies; if all are occupied, the first place."""
    places = list(_places(box, tag, size))
    return next((place for place in places if not any(_overlap(place, other) for other in taken)), places[0])


def _places(box: Corners, tag: tuple[int, int], size: tuple[int, int]) -> Iterator[Corners]:
    """Above the box, below it, and inside it at top and bottom, each at the left and the right end."""
    width, height = tag
    left, top, right, bottom = box
    for y in (top - height, bottom, top, bottom - height):
        for x in (left, right - width):
            x_inside = max(0, min(x, size[0] - width))
            y_inside = max(0, min(y, size[1] - height))
            yield x_inside, y_inside, x_inside + width, y_inside + height


def _overlap(one: Corners, other: Corners) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
