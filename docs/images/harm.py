"""Draws harm.png, the picture in docs/harm.md: a frame of each kind of harm set, with the speakers' boxes.

python docs/images/harm.py [-o FILE.png]
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from socialcli.episodes.records import Episode
from socialcli.synth.episodes import annotate, draw_plot
from socialcli.synth.frames import pictures
from socialcli.synth.settings import HARMS, SynthSettings
from socialcli.video.overlay import COLORS

HERE = Path(__file__).parent
SEED, FRAME, COLUMNS = 4, 2, 3
GAP, MARGIN, FOOT = 12, 20, 64  # pixels
INK, FADED, PAPER = (32, 36, 44), (110, 116, 128), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class View:
    """An episode of a kind and one of its frames, at `moment` seconds."""

    kind: str
    image: Image.Image
    moment: float
    episode: Episode


def gather() -> list[View]:
    """Draw the first episode of each kind."""
    settings = SynthSettings(harm=HARMS)
    views = []
    for index, kind in enumerate(HARMS):
        plot = draw_plot(settings, SEED, index)
        shown = list(pictures(plot.world))
        episode = annotate(plot, settings, SEED, [picture.extents for picture in shown])
        views.append(View(kind, shown[FRAME].image, FRAME / settings.fps, episode))
    return views


def draw(views: Sequence[View]) -> Image.Image:
    """The frames in rows; under each the kind, its first question and the answer."""
    width, height = views[0].image.size
    rows = -(-len(views) // COLUMNS)
    canvas = Image.new(
        "RGB",
        (2 * MARGIN + COLUMNS * (width + GAP) - GAP, 2 * MARGIN + rows * (height + FOOT + GAP) - GAP),
        PAPER,
    )
    pen = ImageDraw.Draw(canvas)
    for number, view in enumerate(views):
        left = MARGIN + number % COLUMNS * (width + GAP)
        top = MARGIN + number // COLUMNS * (height + FOOT + GAP)
        canvas.paste(_boxed(view), (left, top))
        question = view.episode.questions[0]
        pen.text((left, top + height + 6), view.kind, fill=INK, font=_font(18))
        for row, line in enumerate(textwrap.wrap(f"{question.text} {question.answer}", 48)[:2]):
            pen.text((left, top + height + 28 + 18 * row), line, fill=FADED, font=_font(14))
    return canvas


def _boxed(view: View) -> Image.Image:
    image = view.image.copy()
    pen = ImageDraw.Draw(image)
    speakers = [speaker.id for speaker in view.episode.speakers]
    for box in view.episode.boxes:
        if box.time == view.moment:
            color = COLORS[speakers.index(box.speaker)]
            pen.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=color.rgb, width=2)
            pen.rectangle((box.x0, box.y0, box.x0 + 14, box.y0 + 16), fill=color.rgb)
            pen.text((box.x0 + 3, box.y0 + 1), box.speaker.removeprefix("speaker"), fill=color.ink, font=_font(13))
    return image


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def main() -> None:
    """Draw the picture into a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "harm.png", help="default: %(default)s")
    draw(gather()).quantize(128, dither=Image.Dither.NONE).save(parser.parse_args().output, optimize=True)


if __name__ == "__main__":
    main()
