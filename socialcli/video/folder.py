"""A folder of images as a video: one image per 1 / fps seconds, in natural order of names."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from socialcli.errors import VideoError
from socialcli.video.frames import Frame
from socialcli.video.limits import DecodeLimits
from socialcli.video.numbering import check_numbers
from socialcli.video.timing import Clock, Window, pick_uniform, within

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")  # by content, whatever their names say
_BITS, _PHOTOMETRIC = 258, 262  # tags of TIFF


def sample_folder(path: Path, count: int, window: Window, fps: float | None, limits: DecodeLimits) -> list[Frame]:
    """`count` images of a folder, uniform over `window`; repeats are one object. Raises VideoError."""
    rate = _rate(path, fps)
    clock = Clock(1 / rate)
    images = image_files(path)
    inside = within(range(len(images)), clock.first_tick(window), clock.last_tick(window))
    inside = inside or _on_screen(window, rate, len(images))
    if not inside:
        raise VideoError(
            f"{path}: no image is shown in the window {window}; the {len(images)} images run from 0 to "
            f"{clock.seconds(len(images)):.3f} s at {fps:g} per second. Correct the window or fps"
        )
    wanted = [inside[index] for index in pick_uniform(inside, count)]
    found = {index: _read(images[index], clock.seconds(index), limits) for index in sorted(set(wanted))}
    return [found[index] for index in wanted]


def _on_screen(window: Window, rate: Fraction, count: int) -> range:
    """The image on screen at a window's start, each shown until the next of `count`; empty if there is none."""
    place = -1 if window.start is None else math.floor(Fraction(window.start) * rate)
    return range(place, place + 1) if 0 <= place < count else range(0)


def _rate(path: Path, fps: float | None) -> Fraction:
    if fps is None:
        raise VideoError(f"{path}: a folder of images needs fps, its images per second; add video.fps")
    if not (math.isfinite(fps) and fps > 0):
        raise VideoError(f"{path}: fps is {fps}; give a positive number of images per second")
    return Fraction(fps)


def image_files(folder: Path) -> list[Path]:
    """The images of a folder in natural order of names, without hidden files.

    Raises VideoError for a folder without images, an image that links out of it, and a gap or repeat in their numbers.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.is_dir()]
    except OSError as error:
        raise VideoError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
    found = [entry for entry in entries if entry.suffix.lower() in _SUFFIXES and not entry.name.startswith(".")]
    if not found:
        raise VideoError(f"{folder}: no image in the folder ({', '.join(sorted(_SUFFIXES))})")
    for entry in found:
        if entry.is_symlink():
            _check_link(entry)
    images = sorted(found, key=_natural)
    check_numbers(folder, [image.name for image in images])
    return images


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key by which frame2 comes before frame10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], path.name


def _read(path: Path, time: float, limits: DecodeLimits) -> Frame:
    try:
        limits.check_time(path)
        _check_file(path, limits)
        with Image.open(path, formats=_FORMATS) as image:
            limits.check_pixels(path, image.width, image.height)
            upright = _in_eight_bits(ImageOps.exif_transpose(image), image).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise VideoError(f"{path}: too large an image ({error}); scale it and the boxes down") from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files
        raise VideoError(f"{path}: the image cannot be read ({error}); make it again") from error
    return Frame(time, np.array(upright, dtype=np.uint8))


def _in_eight_bits(upright: Image.Image, image: Image.Image) -> Image.Image:
    """A grey picture of more than 8 bits scaled to 8 bits; Pillow would clip it at 255.

    `image` is the file that `upright` comes from. Raises ValueError where the level of white is unknown.
    """
    if upright.mode == "F" or (upright.mode == "I" and image.format != "PNG"):
        raise ValueError("its levels are floating-point, signed or 32-bit numbers, so which one is white is unknown")
    if upright.mode != "I" and not upright.mode.startswith("I;16"):
        return upright
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    white = 2 ** tags.get(_BITS, (16,))[0] - 1
    levels = np.array(upright).astype(np.int64)
    if tags.get(_PHOTOMETRIC) == 0:  # white is 0
        levels = white - levels
    return Image.fromarray(((levels * 255 + white // 2) // white).clip(0, 255).astype(np.uint8))


def _check_file(path: Path, limits: DecodeLimits) -> None:
    if not path.is_file():
        raise VideoError(f"{path}: not a regular file; replace it with an image")
    limits.check_bytes(path, path.stat().st_size)


def _check_link(path: Path) -> None:
    try:
        place = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise VideoError(f"{path}: the image cannot be reached ({error}); check its symbolic link") from error
    if not place.is_relative_to(path.parent.resolve()):
        raise VideoError(f"{path}: a symbolic link leads out of the folder; copy the image into it")
