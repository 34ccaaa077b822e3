"""Draws coloured, labelled boxes on frames: a baseline that alignment is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from socialcli.video.frames import Frame, FrameSet

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the frame
RGB = tuple[int, int, int]

_BLACK: RGB = (0, 0, 0)
_WHITE: RGB = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Color:
    """A colour with the plain word a prompt can use for it: "the orange box"."""

    name: str
    rgb: RGB

    @property
    def ink(self) -> RGB:
        """Black or white, whichever is easier to read on this colour (WCAG 2 contrast)."""
        luminance = sum(
            weight * _linear(value) for weight, value in zip((0.2126, 0.7152, 0.0722), self.rgb, strict=True)
        )
        return _BLACK if (luminance + 0.05) ** 2 > 0.05 * 1.05 else _WHITE


COLORS = (
    Color("orange", (230, 159, 0)),
    Color("light blue", (86, 180, 233)),
    Color("green", (0, 158, 115)),
    Color("pink", (204, 121, 167)),
    Color("yellow", (240, 228, 66)),
    Color("dark blue", (0, 114, 178)),
    Color("red", (213, 94, 0)),
    Color("black", (0, 0, 0)),
)
"""The palette of Okabe and Ito (2008), which colour-blind people can distinguish, most distinct colours first."""


def speaker_colors(labels: Mapping[str, str], colors: Sequence[Color] = COLORS) -> dict[str, Color]:
    """The colour of each speaker, in the order of `labels`; colours repeat after the last one."""
    return dict(zip(labels, cycle(colors), strict=False))


def draw_boxes(
    frames: FrameSet,
    boxes_per_frame: Sequence[Mapping[str, Box]],
    labels: Mapping[str, str],
    colors: Sequence[Color] = COLORS,
) -> FrameSet:
    """Draw each frame's boxes on a copy of it, each with its speaker's colour and label.

    `boxes_per_frame[i]` maps speakers to (x0, y0, x1, y1) in pixels of frame i; `labels` maps every speaker
    to the short text of the tag ("1"), and its order gives the colours. A box is clipped at the frame's
    edges, one wholly outside is skipped; tags stay inside. `distinct` is unchanged. Raises ValueError where the
    numbers of frames differ, KeyError for a speaker without label.
    """
    palette = speaker_colors(labels, colors)
    drawn = []
    for frame, boxes in zip(frames.frames, boxes_per_frame, strict=True):
        image = Image.fromarray(frame.image)
        cut = {speaker: _cut(box, image.size) for speaker, box in boxes.items()}
        _draw(image, [(box, labels[speaker], palette[speaker]) for speaker, box in cut.items() if box])
        drawn.append(Frame(frame.time, np.array(image, dtype=np.uint8)))
    return FrameSet(tuple(drawn), distinct=frames.distinct)


def _draw(image: Image.Image, items: Sequence[tuple[tuple[int, int, int, int], str, Color]]) -> None:
    """Draw all lines before all tags, so that no line crosses a label."""
    canvas = ImageDraw.Draw(image)
    line = max(2, round(min(image.size) / 120))
    font = ImageFont.load_default(size=max(12, round(min(image.size) / 16)))
    for box, _, color in items:
        canvas.rectangle(box, outline=color.rgb, width=line)
    for box, label, color in items:
        _draw_tag(canvas, image.size, box, label, color, font)


def _draw_tag(
    canvas: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: tuple[int, int, int, int],
    label: str,
    color: Color,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw a filled tag at the box's upper left corner: above the box if there is room, else inside it."""
    left, top, right, bottom = canvas.textbbox((0, 0), label, font=font)
    pad = max(2, round(min(size) / 120))
    width, height = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
    above = box[1] - height
    x = max(0, min(box[0], size[0] - width))
    y = above if above >= 0 else max(0, min(box[1], size[1] - height))
    canvas.rectangle((x, y, x + width - 1, y + height - 1), fill=color.rgb)
    canvas.text((x + pad - left, y + pad - top), label, fill=color.ink, font=font)


def _cut(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The box clipped to the frame, in whole pixels, both ends included; None if it lies outside."""
    x0, y0, x1, y1 = box
    if x1 <= 0 or y1 <= 0 or x0 >= size[0] or y0 >= size[1]:
        return None
    left, top = max(0, round(x0)), max(0, round(y0))
    right, bottom = min(size[0], round(x1)) - 1, min(size[1], round(y1)) - 1
    left, top = min(left, size[0] - 1), min(top, size[1] - 1)
    return left, top, max(left, right), max(top, bottom)


def _linear(value: int) -> float:
    """One channel of sRGB as linear light, 0 to 1."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
