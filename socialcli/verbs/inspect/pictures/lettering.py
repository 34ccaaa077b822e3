"""Text on pictures: a font, lines that fit, and characters that the font has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial

from PIL import ImageFont

from socialcli.words.legible import is_invisible
from socialcli.words.legible import legible as legible_with

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
RGB = tuple[int, int, int]

INK: RGB = (30, 30, 30)
PAPER: RGB = (255, 255, 255)
MARGIN = 16  # pixels
TITLE, BODY = 26, 20  # font sizes, pixels

# Fonts of most systems with the letters of many scripts; Pillow's own has not even accents.
_PREFERRED = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf")
_SHAPED = ImageFont.FreeTypeFont
_NO_CHARACTER = "\U0010ffff"

_MARKED_OUT = ("Bold", "Italic", "Oblique", "Mono", "Light", "Thin", "Black")


@cache
def font_of(size: int) -> Font:
    """The best font at hand, `size` pixels high."""
    for name in _PREFERRED:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def font_for(text: str, size: int) -> Font:
    """A font for `text`, `size` pixels high: the usual one if it has all characters, else the installed one with most.

    Other fonts are looked for only where a character is missing. Where no font has more, it is the usual one.
    """
    usual = font_of(size)
    missing = {character for character in text if not _has(usual, character) and not is_invisible(character)}
    return _substitute(frozenset(text), size) if missing else usual


@cache
def _substitute(characters: frozenset[str], size: int) -> Font:
    best, most = font_of(size), 0
    for font in (best, *_installed(size)):
        count = sum(_has(font, character) for character in characters)
        if count > most:
            best, most = font, count
        if most == len(characters):
            break
    return best


@cache
def _installed(size: int) -> Sequence[Font]:
    """The fonts of this system, the upright and regular ones first."""
    fonts: list[Font] = []
    for path in sorted(_font_files(), key=lambda path: (any(one in path for one in _MARKED_OUT), path)):
        try:
            fonts.append(ImageFont.truetype(path, size))
        except (OSError, ValueError):  # pictures of one size, as of emoji
            continue
    return fonts


def _font_files() -> list[str]:
    from matplotlib.font_manager import findSystemFonts  # asks fontconfig where there is one

    return [str(path) for path in findSystemFonts() if "LastResort" not in str(path)]  # all its letters are boxes


def legible(text: str, font: Font) -> str:
    """`text` with what the font lacks written in letters that it has: see `socialcli.words.legible`."""
    return legible_with(text, partial(_has, font))


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


@cache
def _has(font: Font, character: str) -> bool:
    return character.isspace() or _shape(font, character) != _shape(font, _NO_CHARACTER)


@cache
def _one_by_one(font: Font) -> Font:
    """The font without shaping, which puts a circle below a mark that stands alone: none would be missing."""
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC) if isinstance(font, _SHAPED) else font


def _shape(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = _one_by_one(font).getmask(character)
    return mask.size, bytes(mask)
