"""Text on pictures: a font, lines that fit, and characters that the font has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
RGB = tuple[int, int, int]

INK: RGB = (30, 30, 30)
PAPER: RGB = (255, 255, 255)
MARGIN = 16  # pixels
TITLE, BODY = 26, 20  # font sizes, pixels

# Fonts of most systems with the letters of many scripts; Pillow's own has not even accents.
_PREFERRED = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf")
_NO_CHARACTER = "\U0010ffff"


@cache
def font_of(size: int) -> Font:
    """The best font at hand, `size` pixels high."""
    for name in _PREFERRED:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def legible(text: str, font: Font) -> str:
    """`text` with what the font lacks replaced: a letter with an accent by the letter, anything else by "?"."""
    return "".join(character if _has(font, character) else _plain(font, character) for character in text)


def width_of(text: str, font: Font) -> int:
    """Width of one line of text, pixels, rounded up."""
    return -int(-font.getlength(text) // 1)


def wrapped(text: str, font: Font, width: int) -> Iterator[str]:
    """`text` in lines no wider than `width` pixels, broken between words; a word that is wider stands alone."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, font) > width:
            yield line
            line = word
        else:
            line = longer
    yield line


def shortened(text: str, font: Font, width: int) -> str:
    """`text`, cut off with "..." where it is wider than `width` pixels."""
    if width_of(text, font) <= width:
        return text
    while text and width_of(f"{text}...", font) > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _plain(font: Font, character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base != character and _has(font, base) else "?"


@cache
def _has(font: Font, character: str) -> bool:
    return character.isspace() or _shape(font, character) != _shape(font, _NO_CHARACTER)


def _shape(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)
