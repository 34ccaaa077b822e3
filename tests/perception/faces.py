"""Faces for tests, drawn or from the real footage, whose mouths open as far as they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw
from scipy.ndimage import gaussian_filter1d, map_coordinates

from socialcli.perception.contract import SAMPLE_RATE, Image, Rectangle, Sound
from socialcli.perception.crops import face_crop

RATE = 25.0
DRAWN = Rectangle(60, 50, 160, 170)  # the box of a drawn face in its frame of 220 x 220 pixels


def openings(sound: Sound) -> npt.NDArray[np.float64]:
    """How far the mouth of this speech is open at each frame, 0 to 1: its loudness, in decibels."""
    width = round(SAMPLE_RATE / RATE)
    power = np.mean(sound[: len(sound) // width * width].reshape(-1, width).astype(np.float64) ** 2, axis=1)
    return gaussian_filter1d(np.clip((10 * np.log10(power + 1e-12) + 45) / 30, 0, 1), 0.6)


def drawn_face(mouth: float, dx: float = 0.0, noise: np.random.Generator | None = None) -> Image:
    """A face with a mouth, moved by `dx` pixels; with the noise of a camera."""
    picture = Pictures.new("RGB", (220, 220), (90, 110, 120))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60 + dx, 40, 160 + dx, 180), fill=(220, 180, 150))
    for eye in (85, 135):
        draw.ellipse((eye - 9 + dx, 88, eye + 9 + dx, 100), fill=(250, 250, 250))
        draw.ellipse((eye - 4 + dx, 90, eye + 4 + dx, 98), fill=(40, 30, 20))
    draw.line((110 + dx, 100, 105 + dx, 125), fill=(180, 140, 110), width=3)
    draw.ellipse((90 + dx, 140 - 10 * mouth, 130 + dx, 143 + 10 * mouth), fill=(120, 40, 40))
    image = np.asarray(picture, dtype=np.float64)
    if noise is not None:
        image = image + noise.normal(0, 3, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def drawn_crops(
    mouths: Sequence[float], shift: Callable[[int], float] = lambda index: 0.0, seed: int = 0
) -> list[Image]:
    """Crops of a drawn face, whose head `shift` moves."""
    noise = np.random.default_rng(seed)
    return [face_crop(drawn_face(mouth, shift(index), noise), DRAWN) for index, mouth in enumerate(mouths)]


def opened(frame: Image, mouth: tuple[float, float], half: float, opening: float) -> Image:
    """A photographed face of this half height, pixels, with the jaw below its `mouth` dropped."""
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]].astype(np.float64)
    across = np.exp(-(((x - mouth[0]) / (0.55 * half)) ** 4))
    fades = np.clip(1 - (y - mouth[1] - 0.55 * half) / (0.4 * half), 0, 1)
    drop = opening * 0.22 * half
    source = np.where(y > mouth[1], np.maximum(y - drop * across * fades, mouth[1]), y)
    moved = np.stack(
        [
            map_coordinates(frame[..., band].astype(np.float64), [source, x], order=1, mode="nearest")
            for band in range(3)
        ],
        axis=-1,
    )
    lips = np.sqrt(np.clip(1 - ((x - mouth[0]) / (0.27 * half)) ** 2, 0, 1))
    moved[(y > mouth[1]) & (y < mouth[1] + drop * lips)] = (60, 25, 25)
    return np.clip(moved, 0, 255).astype(np.uint8)
