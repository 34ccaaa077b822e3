"""Text of any script in matplotlib pictures: from an installed font that has the characters, else as code points.

Without this, matplotlib draws an empty box for each missing character and warns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from socialcli.words.legible import is_invisible, legible

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

_STYLED = ("Bold", "Italic", "Oblique", "Mono", "Light", "Thin", "Black")
_PLACEHOLDER_FONT = "Last Resort"  # its glyphs are boxes that name the script


def make_legible(figure: Figure) -> None:
    """Give each text of a finished figure fonts that cover it; characters no font has become code points."""
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _make_ticks_legible(axis)
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            _make_text_legible(text)


def _make_text_legible(text: Text) -> None:
    shown, families = _lettering(text.get_text(), text.get_fontproperties())
    if families:
        text.set_fontfamily(families)
    if shown != text.get_text():
        text.set_text(shown)


def _make_ticks_legible(axis: Axis) -> None:
    """The same for tick labels. matplotlib rewrites these while drawing, so they are set as a list."""
    found = [(label, *_lettering(label.get_text(), label.get_fontproperties())) for label in axis.get_ticklabels()]
    if any(shown != label.get_text() for label, shown, _ in found):
        axis.set_ticks(axis.get_ticklocs(), labels=[shown for _, shown, _ in found], parse_math=False)


def _lettering(text: str, properties: FontProperties) -> tuple[str, list[str]]:
    """The text to draw and the font families to draw it in, in order; no families if its own font has everything."""
    from matplotlib.font_manager import findfont

    own = _characters(findfont(properties))
    missing = {character for character in text if ord(character) not in own and not character.isspace()}
    if not missing:
        return text, []
    others = _others({character for character in missing if not is_invisible(character)})
    known = own.union(*others.values())
    shown = "\n".join(legible(line, partial(_is_in, known)) for line in text.split("\n"))
    return shown, [*properties.get_family(), *others] if others else []


def _is_in(known: Collection[int], character: str) -> bool:
    return character.isspace() or ord(character) in known


def _others(missing: Collection[str]) -> Mapping[str, frozenset[int]]:
    """Installed font families that have some of the `missing` characters, each with its whole character set."""
    found: dict[str, frozenset[int]] = {}
    left = {ord(character) for character in missing}
    for family, path in _installed() if left else ():
        if left & (characters := _characters(path)):
            found[family] = characters
            left -= characters
        if not left:
            break
    return found


@cache
def _installed() -> Sequence[tuple[str, str]]:
    """Family and file of the fonts that matplotlib knows, upright and regular ones first."""
    from matplotlib.font_manager import fontManager

    fonts = [(font.name, font.fname) for font in fontManager.ttflist if not font.name.startswith(_PLACEHOLDER_FONT)]
    return sorted(fonts, key=lambda font: (any(one in font[1] for one in _STYLED), font))


@cache
def _characters(path: str) -> frozenset[int]:
    """The code points in a font file; empty if it cannot be read."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):  # removed or damaged since matplotlib listed it
        return frozenset()
