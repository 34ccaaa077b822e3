"""Makes text drawable: replaces characters that a font lacks by ones that it has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_NUMBER = re.compile(r"U\+[0-9A-F]{4,6}$")


def legible(text: str, has: Callable[[str], bool]) -> str:
    """`text` with characters that a font lacks replaced: a letter with an accent by the letter, others by their number.

    `has` says whether the font has a character. A number is written as in Unicode, U+4E2D, with blanks to letters and
    other numbers. Invisible characters that the font lacks are dropped.
    """
    shown = ""
    for character in text:
        if has(character):
            shown += f" {character}" if character.isalnum() and _NUMBER.search(shown) else character
        elif not is_invisible(character):
            plain = _plain(character, has)
            last = next((one for one in reversed(shown) if not is_invisible(one)), "")
            apart = len(plain) > 1 and last.isalnum()
            shown += f" {plain}" if apart else plain
    return shown


def is_invisible(character: str) -> bool:
    """Whether a character only changes how its neighbours look: joiners, directions, variants, skin colours."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _plain(character: str, has: Callable[[str], bool]) -> str:
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base != character and has(base) else f"U+{ord(character):04X}"
