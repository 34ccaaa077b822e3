"""Text on pictures: fonts, line breaks, and fallbacks for characters that a font lacks."""

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

# Common system fonts that cover many scripts; Pillow's own font does not even have accents.
_PREFERRED = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf")
_SHAPED = ImageFont.FreeTypeFont
_NO_CHARACTER = "\U0010ffff"

_MARKED_OUT = ("Bold", "Italic", "Oblique", "Mono", "Light", "Thin", "Black")


@cache
def font_of(size: int) -> Font:
    """The best available font, `size` pixels high."""
    for name in _PREFERRED:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def font_for(text: str, size: int) -> Font:
    """A font for `text`, `size` pixels high: the default if it has all characters, else the font with the most.

    Other fonts are searched only if a character is missing. If none has more, the default is used.
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
    """The fonts of this system, upright and regular ones first."""
    fonts: list[Font] = []
    for path in sorted(_font_files(), key=lambda path: (any(one in path for one in _MARKED_OUT), path)):
        try:
            fonts.append(ImageFont.truetype(path, size))
        except (OSError, ValueError):  # bitmap fonts of one size, such as emoji
            continue
    return fonts


def _font_files() -> list[str]:
    from matplotlib.font_manager import findSystemFonts  # uses fontconfig if available

    return [str(path) for path in findSystemFonts() if "LastResort" not in str(path)]  # its glyphs are all boxes


def legible(text: str, font: Font) -> str:
    """`text` with characters that the font lacks spelled in characters that it has: see `socialcli.words.legible`."""
    return legible_with(text, partial(_has, font))


def width_of(text: str, font: Font) -> int:
    """The width of one line of text in pixels, rounded up."""
    return -int(-font.getlength(text) // 1)


def wrapped(text: str, font: Font, width: int) -> Iterator[str]:
    """`text` in lines at most `width` pixels wide, broken between words; a wider word gets its own line."""
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
    """`text`, truncated with "..." if it is wider than `width` pixels."""
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
    """The font without shaping, which draws a circle under a lone combining mark, so no mark would seem missing."""
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC) if isinstance(font, _SHAPED) else font


def _shape(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = _one_by_one(font).getmask(character)
    return mask.size, bytes(mask)
