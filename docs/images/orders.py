"""Draws orders.png, the picture in docs/permute.md, from a trained checkpoint and the sample world.

    python docs/images/orders.py [-o FILE.png]

It shows one question under the cyclic orders of its candidates, and whom the model chooses without and with the
alignment.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from socialcli import load_model, open_clip, read_episodes
from socialcli.alignment.attention import Alignment
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.session import ClipSession
from socialcli.plugins.registry import registry
from socialcli.tasks.orders import OrderChoice
from socialcli.tasks.prompt import LETTERS

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"
MODEL, QUESTION = "qwen2.5-vl", "synth-7-000000/mentioned-1"

WIDTH, MARGIN, LEADING, PANEL = 1080, 24, 30, 330  # pixels
INK, FADED, PAPER = (32, 36, 44), (122, 128, 140), (255, 255, 255)
GOLD, PLAIN, ALIGNED = (226, 244, 228), (200, 60, 50), (30, 110, 60)


@dataclass(frozen=True, slots=True)
class Panel:
    """One order: the labels of the candidates, and the places of the gold answer and of both answers."""

    labels: Sequence[str]
    gold: int | None
    plain: int | None
    aligned: int | None


def gather() -> tuple[str, Sequence[Panel]]:
    """The text of the question, and its orders, asked."""
    rows = read_episodes(SAMPLE / "world" / "episodes.parquet")
    episode = next(row.episode for row in rows if row.episode and QUESTION in {q.id for q in row.episode.questions})
    question = next(one for one in episode.questions if one.id == QUESTION)
    task = registry().task(question.task).item
    model = load_model(MODEL, SAMPLE / "trained" / MODEL, device="cpu")
    clip = open_clip(model, episode, SAMPLE / "world")
    size = len(clip.ask(question, task).prompt.candidates)
    asked = [clip.ask(question, task, order) for order in OrderChoice(size).orders(task, episode, question)]
    text = next(line for line in asked[0].prompt.text.splitlines() if line.startswith("Question: "))
    panels = [
        Panel(
            [one.label for one in each.prompt.candidates],
            each.prompt.gold,
            _choice(clip, each, None),
            _choice(clip, each, Alignment()),
        )
        for each in asked
    ]
    return text.removeprefix("Question: "), panels


def _choice(clip: ClipSession, asked: ClipQuestion, alignment: Alignment | None) -> int | None:
    (answer,) = clip.score([asked], alignment)
    return answer.choice


def draw(view: tuple[str, Sequence[Panel]]) -> Image.Image:
    """The picture: the question, an order beside the other, and what the marks mean."""
    question, panels = view
    rows = max(len(panel.labels) for panel in panels)
    image = Image.new("RGB", (WIDTH, MARGIN * 2 + LEADING * (rows + 3)), PAPER)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=19)
    pen.text((MARGIN, MARGIN), question, INK, font)
    top = MARGIN + round(1.5 * LEADING)
    for place, panel in enumerate(panels):
        left = MARGIN + place * (PANEL + MARGIN)
        pen.text((left, top), f"order {place}", FADED, font)
        for row, label in enumerate(panel.labels, start=1):
            y = top + row * LEADING
            if row - 1 == panel.gold:
                pen.rectangle((left - 6, y - 3, left + PANEL - 12, y + LEADING - 7), GOLD)
            pen.text((left, y), f"{LETTERS[row - 1]}. {label}", INK, font)
            if row - 1 == panel.plain:
                pen.text((left + 150, y), "plain", PLAIN, font)
            if row - 1 == panel.aligned:
                pen.text((left + 220, y), "aligned", ALIGNED, font)
    foot = "Shaded: the gold answer. The plain model keeps the letter; aligned, it keeps the person."
    pen.text((MARGIN, top + round((rows + 1.4) * LEADING)), foot, FADED, font)
    return image


def main() -> None:
    """Draw the picture into a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=HERE / "orders.png")
    draw(gather()).save(parser.parse_args().output)


if __name__ == "__main__":
    main()
