"""Render lines of text as pictures, and arrange pictures on pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from socialcli.video.lettering import BODY, INK, MARGIN, PAPER, RGB, Font, font_for, legible, wrapped


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text below a picture, with a colour swatch if it explains one."""

    text: str
    swatch: RGB | None = None
    size: int = BODY


def block(lines: Sequence[Line], width: int, scale: float = 1.0, margin: int = MARGIN) -> Image.Image:
    """Lines of text, enlarged by `scale` and wrapped to the width."""
    rows = [row for line in lines for row in _rows(line, width - 2 * margin, scale)]
    page = Image.new("RGB", (width, 2 * margin + sum(_pitch(size) for _, _, size, _ in rows)), PAPER)
    pen = ImageDraw.Draw(page)
    top = margin
    for text, swatch, size, font in rows:
        indent = 0 if swatch is None else 2 * size
        if swatch is not None and swatch != PAPER:
            pen.rectangle((margin, top + 2, margin + size, top + size + 2), fill=swatch, outline=INK)
        pen.text((margin + indent, top), text, fill=INK, font=font)
        top += _pitch(size)
    return page


def stacked(parts: Sequence[Image.Image]) -> Image.Image:
    """Pictures of equal width, stacked vertically."""
    page = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    return page


def beside(parts: Sequence[Image.Image], gap: int = MARGIN) -> Image.Image:
    """Pictures side by side, aligned at the top, with a gap (pixels) before, between and after them."""
    width = sum(part.width + gap for part in parts) + gap
    page = Image.new("RGB", (width, max(part.height for part in parts)), PAPER)
    left = gap
    for part in parts:
        page.paste(part, (left, 0))
        left += part.width + gap
    return page


def _rows(line: Line, width: int, scale: float) -> Iterator[tuple[str, RGB | None, int, Font]]:
    """The rows of a text, each with its swatch (PAPER: only the space for one), font size and font."""
    size = round(line.size * scale)
    font = font_for(line.text, size)
    swatch = line.swatch
    for part in wrapped(legible(line.text, font), font, width - (0 if swatch is None else 2 * size)):
        yield part, swatch, size, font
        swatch = None if swatch is None else PAPER


def _pitch(size: int) -> int:
    return round(size * 1.4)
