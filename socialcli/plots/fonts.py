"""Letters of every script in matplotlib's pictures: from an installed font that has them, else written as numbers.

Without this, matplotlib draws an empty box for each such letter, and warns of it.
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

_MARKED_OUT = ("Bold", "Italic", "Oblique", "Mono", "Light", "Thin", "Black")
_NO_LETTERS = "Last Resort"  # a font in which each letter is a box that names its script


def make_legible(figure: Figure) -> None:
    """Give each text of a finished picture fonts that have its letters; what none has is written as its number."""
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
    """The same for the texts at an axis, which matplotlib writes anew as it draws, so that they are set as a list."""
    found = [(label, *_lettering(label.get_text(), label.get_fontproperties())) for label in axis.get_ticklabels()]
    if any(shown != label.get_text() for label, shown, _ in found):
        axis.set_ticks(axis.get_ticklocs(), labels=[shown for _, shown, _ in found], parse_math=False)


def _lettering(text: str, properties: FontProperties) -> tuple[str, list[str]]:
    """How to write a text, and the families of fonts to draw it in, in this order; none where its own has all."""
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
    """The families of installed fonts that have the `missing` characters, each with all that it has."""
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
    """Family and file of the fonts that matplotlib knows, the upright and regular ones first."""
    from matplotlib.font_manager import fontManager

    fonts = [(font.name, font.fname) for font in fontManager.ttflist if not font.name.startswith(_NO_LETTERS)]
    return sorted(fonts, key=lambda font: (any(one in font[1] for one in _MARKED_OUT), font))


@cache
def _characters(path: str) -> frozenset[int]:
    """The numbers of the characters that a font's file has; none where it cannot be read."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):  # gone, or damaged, since matplotlib made its list
        return frozenset()
