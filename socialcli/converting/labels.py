"""What the labels of other programs mean: which of them name nobody, and how an id is spelt.

Every converter asks here, so that a marker of nothing is nobody's name and a number is one label in all of its files.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

# What programs write where there is no value, as they spell it. "Nan", "Na" and "Null" are also names of people, so the
# spellings of a name count only between brackets: <NA>.
_MISSING = frozenset(
    ("nan", "NaN", "NAN", "-nan", "-NaN", "NA", "N/A", "n/a", "#N/A", "#NA", "null", "NULL", "None", "none", "NONE")
) | frozenset(("nil", "NIL", "NaT", "undefined"))
_MISSING_FOLDED = frozenset(one.casefold() for one in _MISSING)
# What people and data sets write for somebody whom they do not know. "Unknown 2" tells one from another, and is a name.
_NOBODY = frozenset(("unknown", "unk", "unkname", "unidentified"))
_BESIDE = frozenset(("speaker", "name", "person", "face", "voice", "id", "track", "player"))  # "unknown speaker"
_NO_TRACK = "-1"  # detectors and trackers write it where a box belongs to no track
_BRACKETS = re.compile(r"<(.*)>|\((.*)\)|\[(.*)\]")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9]\d*)\.0*|[-+]?\d\.\d+[eE][-+]?\d{1,2}", re.ASCII)


def is_missing(text: str) -> bool:
    """Whether a value is empty, or what a program writes in place of one: `nan`, `<NA>`, `None`, `null`, `N/A`."""
    text = text.strip()
    inner = _without_brackets(text)
    return not inner or text in _MISSING or (inner != text and inner.casefold() in _MISSING_FOLDED)


def known_name(text: str | None) -> str | None:
    """The name that a label is, with single blanks; None where it is a marker of nobody.

    Beside missing values these are the words for somebody unknown (`UNKNAME`, `unknown`, `Unknown speaker`), the id -1
    of a box without a track, and marks alone (`?`, `--`), all with or without brackets.
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
    """The one spelling of an id: with single blanks, in Unicode's composed form, and 5.0 as 5.

    Zeros in front stay: `005` is a text of its own, which may be another label than `5`.
    """
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if not _WHOLE.fullmatch(text):
        return text
    number = Decimal(text)
    return str(int(number)) if number == int(number) else text


def _without_brackets(text: str) -> str:
    found = _BRACKETS.fullmatch(text)
    return text if found is None else next(part for part in found.groups() if part is not None).strip()
