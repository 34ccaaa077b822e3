"""Draws speaking.png, the picture in docs/synth.md: the middle of each shot of a clip that speaks.

python docs/images/speaking.py [-o FILE.png]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from socialcli.synth.episodes import draw_plot
from socialcli.synth.frames import pictures
from socialcli.synth.settings import SynthSettings

HERE = Path(__file__).parent
SEED, INDEX, COLUMNS, SIDE = 4, 1, 4, 252
SETTINGS = SynthSettings(people=(5, 5), size=(504, 504), fps=10, audio="voice", shots=8, listeners_move=0.5)


def gather() -> list[Image.Image]:
    """Draw the middle frame of each shot."""
    plot = draw_plot(SETTINGS, SEED, INDEX)
    assert plot.performance is not None
    middles = {(shot.first + shot.end) // 2 for shot in plot.performance.film.shots}
    shown = enumerate(pictures(plot.world, plot.performance.film))
    return [picture.image for frame, picture in shown if frame in middles]


def draw(frames: Sequence[Image.Image]) -> Image.Image:
    """The frames in rows."""
    canvas = Image.new("RGB", (COLUMNS * SIDE, -(-len(frames) // COLUMNS) * SIDE))
    for number, frame in enumerate(frames):
        small = frame.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        canvas.paste(small, (number % COLUMNS * SIDE, number // COLUMNS * SIDE))
    return canvas


def main() -> None:
    """Draw the picture into a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=HERE / "speaking.png", help="default: %(default)s")
    draw(gather()).quantize(160, dither=Image.Dither.NONE).save(parser.parse_args().output, optimize=True)


if __name__ == "__main__":
    main()
