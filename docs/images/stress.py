"""Draws stress.png, the picture in docs/stress.md: a frame of the sample, with each kind of annotation error.

python docs/images/stress.py [-o FILE.png]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Box, Episode, Utterance
from socialcli.episodes.tracks import speaker_boxes
from socialcli.perturbation.kinds import KINDS
from socialcli.perturbation.perturbation import Perturbation, perturbed
from socialcli.video.overlay import COLORS
from socialcli.video.sampling import sample_frames

HERE = Path(__file__).parent
SAMPLE = HERE.parent.parent / "sample_data"
EPISODE, LINE, MOMENT = "kitchen-keys", "u3", 2.4  # seconds; the third line is being said
LEVELS = {"box-jitter": 0.25, "box-drift": 1.0, "side-by-side": 0.5, "one-box": 0.5, "time-shift": 2.0}  # others: 1
COLUMNS, SCALE = 4, 0.5
GAP, MARGIN, FOOT = 14, 20, 52  # pixels
INK, FADED, PAPER = (32, 36, 44), (110, 116, 128), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class View:
    """The annotation with an error; the title says which one, and its level."""

    title: str
    episode: Episode


def gather() -> list[View]:
    """The annotation as it is, then with each kind of error."""
    episode = next(row.episode for row in read_episodes(SAMPLE / "episodes.jsonl") if _is_wanted(row.episode))
    errors = [Perturbation(kind.name, LEVELS.get(kind.name, 1.0)) for kind in KINDS]
    return [
        View("as annotated", episode),
        *(View(f"{error.kind} {error.level:g}", perturbed(episode, error)) for error in errors),
    ]


def draw(views: Sequence[View]) -> Image.Image:
    """The frame with the boxes of each view; under it whose region the line is aligned to."""
    path = SAMPLE / views[0].episode.video.path
    picture = Image.fromarray(sample_frames(path, 1, MOMENT, MOMENT + 0.1).frames[0].image)
    size = round(picture.width * SCALE), round(picture.height * SCALE)
    rows = -(-len(views) // COLUMNS)
    width, height = COLUMNS * (size[0] + GAP) - GAP, rows * (size[1] + FOOT + GAP) - GAP
    canvas = Image.new("RGB", (2 * MARGIN + width, 2 * MARGIN + height), PAPER)
    pen = ImageDraw.Draw(canvas)
    for number, view in enumerate(views):
        left = MARGIN + number % COLUMNS * (size[0] + GAP)
        top = MARGIN + number // COLUMNS * (size[1] + FOOT + GAP)
        tracks = speaker_boxes(view.episode.boxes, [MOMENT])
        boxes = {speaker: box for speaker, (box,) in tracks.items() if box is not None}
        canvas.paste(_boxed(picture, boxes).resize(size, Image.Resampling.LANCZOS), (left, top))
        pen.text((left, top + size[1] + 4), view.title, fill=INK, font=_font(16))
        line = next(one for one in view.episode.utterances if one.id == LINE)
        pen.text((left, top + size[1] + 26), _aligned(line, boxes), fill=FADED, font=_font(13))
    return canvas


def _is_wanted(episode: Episode | None) -> bool:
    return episode is not None and episode.episode_id == EPISODE


def _aligned(line: Utterance, boxes: dict[str, Box]) -> str:
    """Where the words of the line go."""
    words = f'"{line.text.split("?")[0]}? ..."'
    if line.speaker is None:
        return f"{words}: speaker unknown"
    return f"{words} to box {_number(line.speaker)}" if line.speaker in boxes else f"{words}: no region"


def _boxed(picture: Image.Image, boxes: dict[str, Box]) -> Image.Image:
    image = picture.copy()
    pen = ImageDraw.Draw(image)
    for speaker, box in boxes.items():
        color = COLORS[int(_number(speaker)) - 1]
        pen.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=color.rgb, width=5)
        pen.rectangle((box.x0, box.y0, box.x0 + 30, box.y0 + 34), fill=color.rgb)
        pen.text((box.x0 + 8, box.y0 + 2), _number(speaker), fill=color.ink, font=_font(26))
    return image


def _number(speaker: str) -> str:
    return speaker.removeprefix("speaker")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def main() -> None:
    """Draw the picture into a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "stress.png", help="default: %(default)s")
    draw(gather()).quantize(128, dither=Image.Dither.NONE).save(parser.parse_args().output, optimize=True)


if __name__ == "__main__":
    main()
