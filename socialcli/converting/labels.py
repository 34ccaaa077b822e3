"""Interpret labels of other programs: which of them name nobody, and the normal form of an id.

Every converter uses these functions, so that a placeholder never becomes a name and a number is the same label in all
files.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

# What programs write for a missing value, in their spelling. "Nan", "Na" and "Null" are also names of people, so these
# spellings count only in brackets: <NA>.
_MISSING = frozenset(
    ("nan", "NaN", "NAN", "-nan", "-NaN", "NA", "N/A", "n/a", "#N/A", "#NA", "null", "NULL", "None", "none", "NONE")
) | frozenset(("nil", "NIL", "NaT", "undefined"))
_MISSING_FOLDED = frozenset(one.casefold() for one in _MISSING)
# What people and data sets write for an unknown person. "Unknown 2" identifies somebody and is a name.
_NOBODY = frozenset(("unknown", "unk", "unkname", "unidentified"))
_BESIDE = frozenset(("speaker", "name", "person", "face", "voice", "id", "track", "player"))  # "unknown speaker"
_NO_TRACK = "-1"  # written by detectors and trackers for a box without a track
_BRACKETS = re.compile(r"<(.*)>|\((.*)\)|\[(.*)\]")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9]\d*)\.0*|[-+]?\d\.\d+[eE][-+]?\d{1,2}", re.ASCII)


def is_missing(text: str) -> bool:
    """Whether a value is empty or a program's placeholder for none: `nan`, `<NA>`, `None`, `null`, `N/A`."""
    text = text.strip()
    inner = _without_brackets(text)
    return not inner or text in _MISSING or (inner != text and inner.casefold() in _MISSING_FOLDED)


def known_name(text: str | None) -> str | None:
    """The label as a name, with single spaces; None if it is a placeholder for nobody.

    Placeholders are missing values, words for somebody unknown (`UNKNAME`, `unknown`, `Unknown speaker`), the id -1 of
    a box without a track, and punctuation only (`?`, `--`), all with or without brackets.
    """
    if text is None or is_missing(text):
        return None
    inner = _without_brackets(text.strip())
    words = re.split(r"[\s_-]+", inner.casefold())
    unknown = not _NOBODY.isdisjoint(words) and _NOBODY.union(_BESIDE).issuperset(words)
    if unknown or normal_id(inner) == _NO_TRACK or all(unicodedata.category(one)[0] in "PZ" for one in inner):
        return None
    return " ".join(text.split())


def normal_id(text: str) -> str:
    """The normal form of an id: single spaces, composed Unicode (NFC), and 5 instead of 5.0.

    Leading zeros stay, because `005` may be a different label than `5`.
    """
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if not _WHOLE.fullmatch(text):
        return text
    number = Decimal(text)
    return str(int(number)) if number == int(number) else text


def _without_brackets(text: str) -> str:
    found = _BRACKETS.fullmatch(text)
    return text if found is None else next(part for part in found.groups() if part is not None).strip()
