"""Draws world.png, the picture in docs/synth.md, from the synthetic world itself.

    python docs/images/world.py [-o FILE.png]

It shows an episode at the moments of its utterances, with the boxes that alone say who is who, and its questions.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from socialcli.episodes.records import Episode, Question
from socialcli.synth.episodes import annotate, draw_plot
from socialcli.synth.frames import pictures
from socialcli.synth.settings import SynthSettings
from socialcli.tasks.base import Task
from socialcli.tasks.coref import Coref
from socialcli.tasks.labels import speaker_labels
from socialcli.tasks.mentioned import Mentioned
from socialcli.tasks.target import Target
from socialcli.video.overlay import COLORS, RGB, Color

HERE = Path(__file__).parent
SEED, INDEX = 0, 0

MARGIN, GAP, LEADING = 20, 12, 26  # pixels
INK, FADED, PAPER = (32, 36, 44), (110, 116, 128), (255, 255, 255)

TASKS: Mapping[str, Task] = {task.name: task for task in (Target(), Coref(), Mentioned())}


@dataclass(frozen=True, slots=True)
class View:
    """What the picture shows: a frame of each utterance, and the episode."""

    frames: Sequence[Image.Image]
    moments: Sequence[float]  # seconds, one a frame
    episode: Episode


def gather() -> View:
    """Draw the episode, and take the middle frame of each utterance."""
    settings = SynthSettings()
    plot = draw_plot(settings, SEED, INDEX)
    shown = list(pictures(plot.world))
    episode = annotate(plot, settings, SEED, [picture.extents for picture in shown])
    middles = [frames[len(frames) // 2] for frames in map(plot.world.frames_of, range(len(episode.utterances)))]
    # Videoqa questions come first, then one for each utterance.
    return View([shown[frame].image for frame in middles], [frame / settings.fps for frame in middles], episode)


def draw(view: View) -> Image.Image:
    """The frames in a row; under each what is said in it, the question on that, and one on a speaker's shirt."""
    width, height = view.frames[0].size
    columns, asked = len(view.frames), [_asked(question, view.episode) for question in view.episode.questions]
    shirts, meant = asked[:columns], asked[columns:]
    canvas = Image.new("RGB", (columns * (width + GAP) - GAP + 2 * MARGIN, height + 2 * MARGIN + 3 * LEADING), PAPER)
    pen = ImageDraw.Draw(canvas)
    for place, (frame, moment, line) in enumerate(zip(view.frames, view.moments, view.episode.utterances, strict=True)):
        left, y = MARGIN + place * (width + GAP), MARGIN
        canvas.paste(_boxed(frame, moment, view.episode), (left, y))
        said = f"{_labels(view.episode)[line.speaker or '']}: {line.text}"
        for row, text in enumerate((said, "? ".join(meant[place]), " ".join(shirts[place]))):
            pen.text((left, y + height + 8 + row * LEADING), text, fill=FADED if row else INK, font=_font())
    return canvas


def _asked(question: Question, episode: Episode) -> tuple[str, str]:
    """A question, without the utterance that it quotes, and its answer, as people read them."""
    labels = _labels(episode)
    text = question.text or TASKS[question.task].sentence(episode, question, labels)
    return text.partition(" when ")[0].partition(" with ")[0], labels.get(question.answer or "", question.answer or "")


def _labels(episode: Episode) -> dict[str, str]:
    return speaker_labels(episode.speakers, named=False)


def _boxed(frame: Image.Image, moment: float, episode: Episode) -> Image.Image:
    """The frame with everybody's box and number."""
    image = frame.copy()
    pen = ImageDraw.Draw(image)
    colors: dict[str, Color] = dict(zip(_labels(episode), COLORS, strict=False))
    for box in episode.boxes:
        if box.time == moment:
            color = colors[box.speaker]
            pen.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=color.rgb, width=2)
            _tag(pen, (box.x0, box.y0), _labels(episode)[box.speaker].removeprefix("Speaker "), color)
    return image


def _tag(pen: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, color: Color) -> None:
    x, y = corner[0], max(0.0, corner[1] - 18)
    pen.rectangle((x, y, x + 16, y + 18), fill=color.rgb)
    ink: RGB = color.ink
    pen.text((x + 4, y + 1), text, fill=ink, font=_font(14))


def _font(size: int = 16) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def main() -> None:
    """Draw the picture into a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "world.png", help="default: %(default)s")
    draw(gather()).quantize(128, dither=Image.Dither.NONE).save(parser.parse_args().output, optimize=True)


if __name__ == "__main__":
    main()
