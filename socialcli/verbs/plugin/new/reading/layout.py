"""(torch) Where in the frames the processor's pixels come from, measured and not assumed.

Three ramps, red from left to right, green from top to bottom and blue from the first frame to the last, go through the
processor: the colour of each pixel that comes out says where it was. Black and three pure colours calibrate the
normalisation and find which of the output's numbers belong to which colour, so that any layout can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from socialcli.verbs.plugin.new.facts import Fit
from socialcli.verbs.plugin.new.reading.calls import Caller, Pixels

Places = npt.NDArray[np.float64]  # in shares of the frame's width, of its height, and of the clip: 0 to 1

FRAMES = 4
_PURE = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
_FIT = 0.01  # of the frame: the largest error of a place on a straight line


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Pixels that come out as flat patches: the place of each patch's centre."""

    x: Places  # (patches,)
    y: Places
    time: Places
    output: Mapping[str, Any]  # of the processor for the ramps


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Pixels that come out as images: the part of the frame that they show."""

    count: int  # of images, tiles included
    height: int  # pixels
    width: int
    left: float  # of the shown part, in shares of the frame; below 0 or above 1 where the image is padded
    right: float
    top: float
    bottom: float
    in_order: bool  # whether image n shows frame n

    def fit(self, width: int, height: int) -> Fit | None:
        """How frames of this size were fitted to the images; None for no rule that is known."""
        if not self.in_order or self.height != self.width:
            return None
        sides = {Fit.SQUASHED: None, Fit.CROPPED: min(width, height), Fit.PADDED: max(width, height)}
        return next((fit for fit, side in sides.items() if self._shows(side, width, height)), None)

    def _shows(self, side: int | None, width: int, height: int) -> bool:
        """Whether the images show the square of this side in the middle of the frame; None: the whole frame."""
        across, down = (1.0, 1.0) if side is None else (side / width, side / height)
        expected = (0.5 - across / 2, 0.5 + across / 2, 0.5 - down / 2, 0.5 + down / 2)
        found = (self.left, self.right, self.top, self.bottom)
        return all(abs(one - other) <= 2 * _FIT for one, other in zip(expected, found, strict=True))


def measure(caller: Caller, name: str, width: int, height: int) -> Patches | Images | None:
    """Where the pixels of the output `name` come from, for frames of this size; None where that cannot be read."""
    output = caller.call(_ramps(width, height))
    ramp = np.asarray(output[name], dtype=np.float64)
    black = _output(caller, name, _flat(0, 0, 0, width, height))
    full = [_output(caller, name, _flat(*colour, width, height)) for colour in _PURE]
    if any(one.shape != ramp.shape for one in (black, *full)):
        return None
    x, y, time = (_shares(ramp, black, one) for one in full)
    if ramp.ndim == 2:
        return Patches(_mean(x, (1,)), _mean(y, (1,)), _mean(time, (1,)), output)
    if ramp.ndim >= 4 and ramp.shape[-3] == 3:
        return _images(*(one.reshape(-1, *one.shape[-3:]) for one in (x, y, time)))
    return None


def _images(x: Places, y: Places, time: Places) -> Images | None:
    """The part of the frames that images (count, 3, height, width) show; None where they are no straight view."""
    count, _, height, width = x.shape
    across, down = _mean(x, (0, 1, 2)), _mean(y, (0, 1, 3))
    horizontal, vertical = _edges(across), _edges(down)
    if horizontal is None or vertical is None:
        return None
    moments = _mean(time, (1, 2, 3))
    expected = (np.arange(FRAMES) + 0.5) / FRAMES
    in_order = count == FRAMES and bool(np.abs(moments - expected).max() < 0.5 / FRAMES)
    return Images(count, height, width, *horizontal, *vertical, in_order)


def _edges(places: Places) -> tuple[float, float] | None:
    """The places of an image's two edges, by the straight line through those of its pixels' centres."""
    at = (np.arange(places.size) + 0.5) / places.size
    known = ~np.isnan(places)
    inner = known & (places > _FIT) & (places < 1 - _FIT)  # resizing bends the line at the frame's edges
    if inner.sum() < 2:
        return None
    slope, start = np.polyfit(at[inner], places[inner], 1)
    if np.abs(start + slope * at[inner] - places[inner]).max() > _FIT:
        return None
    return float(start), float(start + slope)


def _shares(ramp: Places, black: Places, full: Places) -> Places:
    """The share of the full colour in each number; NaN in those that do not depend on it."""
    span = full - black
    depends = np.abs(span) > 1e-3 * np.abs(span).max()
    return np.where(depends, (ramp - black) / np.where(depends, span, 1), np.nan)


def _mean(values: Places, axes: tuple[int, ...]) -> Places:
    """The mean over the axes of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=axes)
    sums = np.where(known, values, 0).sum(axis=axes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _output(caller: Caller, name: str, frames: Pixels) -> Places:
    return np.asarray(caller.call(frames)[name], dtype=np.float64)


def _flat(red: int, green: int, blue: int, width: int, height: int) -> Pixels:
    return np.full((FRAMES, height, width, 3), (red, green, blue), dtype=np.uint8)


def _ramps(width: int, height: int) -> Pixels:
    """Frames whose colours are their pixels' places."""
    axes = [(np.arange(size) + 0.5) / size for size in (FRAMES, height, width)]
    time, y, x = np.meshgrid(*axes, indexing="ij")
    return np.round(np.stack([x, y, time], axis=-1) * 255).astype(np.uint8)


def pixel_output(shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """The name of the output that holds the frames' pixels: the largest of those named so."""
    named = {name: int(np.prod(shape)) for name, shape in shapes.items() if name.startswith("pixel_values")}
    return max(named, key=named.__getitem__, default=None)
