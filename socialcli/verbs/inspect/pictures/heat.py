"""Attention as colours: one logarithmic scale for all compared pictures, and its labelled colour bar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from socialcli.verbs.inspect.maps import Map
from socialcli.video.lettering import BODY, INK, MARGIN, PAPER, font_of, width_of

Pixels = npt.NDArray[np.uint8]

COLORS = "magma"  # a matplotlib colour map: perceptually uniform, also for colour-blind readers and in greyscale
UNIT = 1e-4
DECADES = 4  # range of the scale below the highest attention
HEAT = 0.8  # opacity of the colours above the outlines of the frame
MIDDLE = 128  # grey level of a frame where it has no outline
BAR = 28  # height of the bar, pixels
LABEL = f"attention (x {UNIT:.0e}), logarithmic scale, the same colours for plain and aligned".replace("e-0", "e-")


@dataclass(frozen=True, slots=True)
class HeatScale:
    """The scale from `low` (and anything less) to `high`; 0 < low < high."""

    low: float
    high: float

    @classmethod
    def of(cls, *maps: Map) -> HeatScale:
        """The scale of all maps, down to `DECADES` below the highest attention."""
        values = np.concatenate([attention[attention > 0] for attention in maps])
        high = float(values.max()) if values.size else UNIT
        low = max(float(values.min()), high * 10.0**-DECADES) if values.size else 0.0
        return cls(low, high) if 0 < low < high else cls(high / 10, high)

    def places(self, attention: npt.ArrayLike) -> Map:
        """The position of attention values on the bar, 0 to 1."""
        clipped = np.clip(np.asarray(attention, dtype=np.float64), self.low, self.high)
        found: Map = np.log(clipped / self.low) / np.log(self.high / self.low)
        return found

    def colors(self, attention: npt.ArrayLike) -> Pixels:
        """The colours of attention values, in the same shape plus a last axis (red, green, blue)."""
        table = _table()
        found: Pixels = table[np.round(self.places(attention) * (len(table) - 1)).astype(int)]
        return found

    def ticks(self) -> Iterator[float]:
        """Round numbers on the scale: 1, 2 and 5 times powers of ten."""
        for power in range(floor(log10(self.low)), ceil(log10(self.high)) + 1):
            yield from (tick for tick in (10.0**power * step for step in (1, 2, 5)) if self.low <= tick <= self.high)


def color_bar(scale: HeatScale, width: int) -> Image.Image:
    """The scale as a bar with numbers, `width` pixels wide."""
    font = font_of(BODY)
    page = Image.new("RGB", (width, BAR + 3 * BODY + MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    length = min(width - 6 * MARGIN, 1000)
    left = 3 * MARGIN
    values = scale.low * (scale.high / scale.low) ** np.linspace(0, 1, length)
    colors = veiled(scale.colors(values), np.full(3, MIDDLE, dtype=np.uint8))
    page.paste(Image.fromarray(np.tile(colors, (BAR, 1, 1))), (left, 0))
    pen.rectangle((left - 1, -1, left + length, BAR), outline=INK)
    taken: list[tuple[float, float]] = []
    for value in (scale.low, scale.high, *scale.ticks()):  # the ends first: they are always labelled
        text = _number(value / UNIT)
        x = left + float(scale.places(value)) * (length - 1)
        half = width_of(text, font) / 2 + 4
        if all(x + half < start or x - half > end for start, end in taken):
            taken.append((x - half, x + half))
            pen.line((x, BAR, x, BAR + 5), fill=INK, width=2)
            pen.text((x, BAR + 7), text, fill=INK, font=font, anchor="ma")
    pen.text((left, BAR + 12 + BODY), LABEL, fill=INK, font=font)
    return page


def veiled(colors: Pixels, grey: Pixels) -> Pixels:
    """Colours blended over grey."""
    return np.round(HEAT * colors + (1 - HEAT) * grey).astype(np.uint8)


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


@cache
def _table() -> Pixels:
    from matplotlib import colormaps  # a heavy import; nothing else in an inspection needs it

    colors = colormaps[COLORS](np.linspace(0, 1, 256))[:, :3]
    return np.round(255 * colors).astype(np.uint8)
