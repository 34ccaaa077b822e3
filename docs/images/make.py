"""Draws alignment.png, the picture at the top of README.md, from the sample data.

    python docs/images/make.py [-o FILE.png]

It shows one sampled frame with the people's boxes and the visual cells that the alignment gives each of them, and the
prompt: which words are raised towards which cells, and which words are left alone.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from socialcli import Episode, ask, load_model, open_clip, read_episodes
from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import cover_speakers, utterance_frames
from socialcli.episodes.records import Box
from socialcli.episodes.tracks import speaker_boxes
from socialcli.tasks.labels import speaker_labels
from socialcli.video.overlay import COLORS, RGB, Color

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"
MODEL, QUESTION, FRAME = "llava-next-video", "gallery-paintings/mentioned-1", 2

SCALE = 1.5  # of the frame
PANEL, MARGIN, GAP, LEADING, FOOT = 540, 24, 30, 34, 36  # pixels
INK, FADED, PAPER = (32, 36, 44), (122, 128, 140), (255, 255, 255)
SHADE = 0.45  # how much of a cell is the speaker's colour

Cell = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the frame


@dataclass(frozen=True, slots=True)
class Person:
    """One speaker in the frame: the annotated box there, and the cells that the alignment gives."""

    label: str
    color: Color
    box: Box | None
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript; `now`: the frame shown is among those of the utterance."""

    person: Person
    words: str
    now: bool


@dataclass(frozen=True, slots=True)
class View:
    """What the picture shows."""

    frame: npt.NDArray[np.uint8]  # (height, width, 3)
    people: Sequence[Person]
    lines: Sequence[Line]
    question: Sequence[str]
    caption: str


def gather() -> View:
    """Ask the question of the sample, and take everything from the prompt, its visual grid, and the coverage."""
    model = load_model(MODEL, SAMPLE / "checkpoints" / MODEL)
    episode = _episode()
    clip = open_clip(model, episode, SAMPLE)
    asked = ask(clip, next(question for question in episode.questions if question.id == QUESTION))
    grid, frames, prompt = asked.encoded.grid, clip.frames, asked.prompt
    if grid is None or frames is None:
        raise RuntimeError("the clip was opened without its video")
    people = _people(episode, frames.times, grid)
    lines = [
        Line(
            (person := people[line.speaker or ""]),
            prompt.text[slice(*span)].removeprefix(f"{person.label}: "),
            FRAME in utterance_frames(line, frames.times),
        )
        for line, span in zip(prompt.utterances, prompt.spans, strict=True)
    ]
    height, width = grid.cells.shape[:2]
    caption = (
        f"Frame {FRAME + 1} of {len(frames.frames)}, at {frames.times[FRAME]:.2f} s, when the marked line is said. "
        f"{MODEL} sees a frame, padded to a square, as {width} x {height} cells."
    )
    question = prompt.text[prompt.spans[-1][1] :].strip().splitlines()
    return View(frames.frames[FRAME].image, list(people.values()), lines, question, caption)


def draw(view: View) -> Image.Image:
    """The frame on the left, the prompt on the right."""
    scene = _scene(view)
    canvas = Image.new("RGB", (scene.width + PANEL + 3 * MARGIN, scene.height + 2 * MARGIN + FOOT), PAPER)
    canvas.paste(scene, (MARGIN, MARGIN))
    pen = ImageDraw.Draw(canvas)
    left, y = scene.width + 2 * MARGIN, MARGIN
    y = _text(pen, (left, y), "Raised towards their speaker's cells:", FADED)
    for line in view.lines:
        y = _line(pen, line, left, y)
    y = _text(pen, (left, y + GAP), "Left as it is:", FADED)
    for part in view.question:
        for row in textwrap.wrap(part, 48):
            y = _text(pen, (left, y), row, INK)
    _text(pen, (MARGIN, scene.height + MARGIN + 14), view.caption, FADED)
    return canvas


def _episode() -> Episode:
    for row in read_episodes(SAMPLE / "episodes.parquet"):
        if row.episode is not None and any(question.id == QUESTION for question in row.episode.questions):
            return row.episode
    raise LookupError(f"the sample has no question {QUESTION}")


def _people(episode: Episode, times: Sequence[float], grid: VisualGrid) -> dict[str, Person]:
    """The speakers by id, with the cells of the temporal step that shows the frame."""
    step = grid.step_of_frame[FRAME]
    coverage = cover_speakers(episode.boxes, times, grid)
    boxes = speaker_boxes(episode.boxes, times)
    people = {}
    for (name, label), color in zip(speaker_labels(episode.speakers, named=False).items(), COLORS, strict=False):
        cells = grid.cells[np.isin(grid.tokens[step], coverage[name].tokens[step])].tolist()
        people[name] = Person(label, color, boxes[name][FRAME], [(x0, y0, x1, y1) for x0, y0, x1, y1 in cells])
    return people


def _scene(view: View) -> Image.Image:
    height, width = view.frame.shape[:2]
    scene = Image.fromarray(view.frame).resize((round(width * SCALE), round(height * SCALE)), Image.Resampling.LANCZOS)
    shades = Image.new("RGBA", scene.size)
    pen = ImageDraw.Draw(shades)
    for person in view.people:
        for cell in person.cells:
            pen.rectangle(_scaled(cell), fill=(*person.color.rgb, round(255 * SHADE)), outline=(*PAPER, 200))
    scene.paste(shades, mask=shades)
    pen = ImageDraw.Draw(scene)
    for person in view.people:
        if person.box is not None:
            corner = _scaled((person.box.x0, person.box.y0, person.box.x1, person.box.y1))
            pen.rectangle(corner, outline=person.color.rgb, width=4)
            _tag(pen, person, corner)
    return scene


def _tag(pen: ImageDraw.ImageDraw, person: Person, corner: tuple[int, int, int, int]) -> None:
    wide = pen.textlength(person.label, font=_font(22)) + 16
    top = max(0, corner[1] - 32)
    pen.rectangle((corner[0], top, corner[0] + wide, top + 32), fill=person.color.rgb)
    pen.text((corner[0] + 8, top + 3), person.label, fill=person.color.ink, font=_font(22))


def _line(pen: ImageDraw.ImageDraw, line: Line, left: int, y: int) -> int:
    """One line of the transcript; the words spoken at this frame stand on a ground of the speaker's colour."""
    if line.now:
        tint = tuple(round(255 - 0.35 * (255 - value)) for value in line.person.color.rgb)
        pen.rounded_rectangle((left - 8, y - 2, left + PANEL - 8, y + LEADING - 3), 6, fill=tint)
    pen.rectangle((left, y + 2, left + 6, y + LEADING - 8), fill=line.person.color.rgb)
    label = f"{line.person.label}: "
    pen.text((left + 16, y), label, fill=INK, font=_font(), stroke_width=0.4, stroke_fill=INK)
    return _text(pen, (left + 20 + round(pen.textlength(label, font=_font())), y), line.words, INK)


def _text(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, color: RGB) -> int:
    """Write one row; returns where the next one begins."""
    pen.text(place, text, fill=color, font=_font())
    return place[1] + LEADING


def _font(size: int = 23) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _scaled(rectangle: Sequence[float]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(edge * SCALE) for edge in rectangle)
    return x0, y0, x1, y1


def main() -> None:
    """Draw the picture into a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "alignment.png", help="default: %(default)s")
    draw(gather()).quantize(256, dither=Image.Dither.NONE).save(parser.parse_args().output, optimize=True)


if __name__ == "__main__":
    main()
