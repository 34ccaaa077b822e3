"""A chart of the frames F(u) of each utterance: one row per utterance, one column per frame."""

from __future__ import annotations

from PIL import Image, ImageDraw

from socialcli.verbs.inspect.pictures.drawing import colors_of
from socialcli.verbs.inspect.report import InspectedUtterance, Inspection
from socialcli.verbs.inspect.text import counted
from socialcli.video.lettering import (
    BODY,
    INK,
    MARGIN,
    PAPER,
    RGB,
    font_for,
    font_of,
    legible,
    shortened,
    width_of,
)

NOBODY: RGB = (120, 120, 120)  # an utterance with an unknown speaker; also the outline of every cell
ROW = 34  # height of a row, pixels
WIDEST = 44  # maximum cell width, pixels
LAST_COLUMN = 160  # width of the column of aligned tokens, pixels
TITLE_LINE = "F(u): the frames in which an utterance is aligned to its speaker's tokens"


def utterance_chart(inspection: Inspection, width: int) -> Image.Image:
    """Draw the chart, `width` pixels wide; a cell has the speaker's colour if its frame is in F(u)."""
    count = len(inspection.frames)
    left = width * 11 // 20  # of the first cell, after the words
    cell = max(4, min(WIDEST, (width - left - MARGIN - LAST_COLUMN) // count))
    page = Image.new("RGB", (width, (len(inspection.utterances) + 2) * ROW + MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 0), TITLE_LINE, fill=INK, font=font_of(BODY))
    _header(pen, count, left, cell)
    for place, line in enumerate(inspection.utterances, start=2):
        top = place * ROW
        _words(pen, line, top, left - 2 * MARGIN)
        for frame in range(count):
            box = (left + frame * cell + 1, top + 2, left + (frame + 1) * cell - 2, top + ROW - 4)
            pen.rectangle(box, fill=_fill(inspection, line, frame), outline=NOBODY)
        aligned = counted(len(inspection.pairs[place - 2]), "token") if line.speaker is not None else "nobody known"
        pen.text((left + count * cell + MARGIN, top + 4), aligned, fill=INK, font=font_of(BODY))
    return page


def _header(pen: ImageDraw.ImageDraw, count: int, left: int, cell: int) -> None:
    """The frame numbers, as many as fit without touching."""
    font = font_of(BODY)
    pen.text((MARGIN, ROW), "utterance", fill=INK, font=font)
    every = -(-(width_of(str(count), font) + 8) // cell)
    for frame in range(0, count, every):
        pen.text((left + frame * cell + cell // 2, ROW), str(frame), fill=INK, font=font, anchor="ma")
    pen.text((left + count * cell + MARGIN, ROW), "aligned to", fill=INK, font=font)


def _words(pen: ImageDraw.ImageDraw, line: InspectedUtterance, top: int, width: int) -> None:
    text = f"{line.id}  {line.start:.2f}-{line.end:.2f} s  {line.text}"
    font = font_for(text, BODY)
    words = legible(text, font)
    pen.text((MARGIN, top + 4), shortened(words, font, width), fill=INK, font=font)


def _fill(inspection: Inspection, line: InspectedUtterance, frame: int) -> RGB:
    if frame not in line.frames:
        return PAPER
    return NOBODY if line.speaker is None else colors_of(inspection)[line.speaker].rgb
