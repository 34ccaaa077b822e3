"""The kind of a character: its script, whether it is a letter or a mark on one, whether it is visible."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from socialcli.words.legible import is_invisible

ALPHABET = "ALPHABET"  # scripts with capitals and small letters, and digits: they mix within words
HANGUL = "HANGUL"
KATAKANA = "KATAKANA"
APOSTROPHES = frozenset("'\u2019\u2018\u201b\u02bc\uff07")
HYPHENS = frozenset("-\u2010\u2011\ufe63\uff0d\u05be")  # not dashes, and not minus
# Soft hyphen, zero-width blanks and joiners, direction marks, byte order marks: editors and chats insert them anywhere.
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff"
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_ALPHABETS = frozenset({
    *("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "COPTIC", "MATHEMATICAL", "SCRIPT", "ROMAN"),
    *("MODIFIER", "SUPERSCRIPT", "SUBSCRIPT", "VULGAR", "FEMININE", "MASCULINE", "MICRO", "KELVIN", "ANGSTROM", "OHM"),
})  # fmt: skip
_DENSE = frozenset({
    *("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "YI", "NUSHU", "TANGUT", "KHITAN"),
    *("THAI", "LAO", "KHMER", "MYANMAR", "TAI", "TIBETAN", "JAVANESE", "BALINESE"),
})  # fmt: skip
_SAME = {"IDEOGRAPHIC": "CJK", "KATAKANA-HIRAGANA": "KATAKANA"}
_WIDTHS = ("FULLWIDTH ", "HALFWIDTH ")
_LATER_VOWELS = frozenset("\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3")  # Thai and Lao; they follow their consonant
_EARLIER_VOWELS = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")  # written in front of it
_ASAT = "\u103a"  # Burmese: a consonant with it ends the syllable, as one does that stacks the next
_SILENCERS = frozenset({_ASAT, "\u1039"})
_STACKING = 9  # canonical combining class of a virama: the next consonant is written under or on to this one
_BREAKING = "\u200b"  # the zero-width space of Thai and Khmer, which stands between words


@cache
def script_of(character: str) -> str:
    """The first word of a character's Unicode name; `ALPHABET` for scripts with two cases, and for digits."""
    if unicodedata.category(character) == "Nd":
        return ALPHABET
    name = unicodedata.name(character, "")
    for width in _WIDTHS:
        name = name.removeprefix(width)
    first = name.partition(" ")[0]
    first = _SAME.get(first, first)
    return ALPHABET if first in _ALPHABETS else first


def is_dense(character: str) -> bool:
    """Whether its script is written without blanks between words. Korean has blanks."""
    return script_of(character) in _DENSE


def is_letter(character: str) -> bool:
    """Whether it is a letter or a digit."""
    return character.isalnum() and not extends(character)


@cache
def extends(character: str) -> bool:
    """Whether it belongs to the character before it: an accent, a vowel sign, a later part of a Korean syllable."""
    later_jamo = "\u1160" <= character <= "\u11ff"
    voicing = character in "\uff9e\uff9f"  # of half-width katakana
    return later_jamo or voicing or (unicodedata.category(character)[0] == "M" and not unseen(character))


def seen(text: str) -> str:
    """A text without its invisible characters: to compare, not to show."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


@cache
def unseen(character: str) -> bool:
    """Whether it is invisible and only changes its neighbours: joiners, direction marks, soft hyphens, variants."""
    return is_invisible(character) and character != _BREAKING


def syllable_goes_on(text: str, before: int, after: int) -> bool:
    """Whether the letter at `after` belongs to the syllable of the character at `before`, which may be a mark."""
    if unicodedata.combining(text[before]) == _STACKING and text[before] != _ASAT:
        return True
    following = text[after + 1] if after + 1 < len(text) else ""
    return text[after] in _LATER_VOWELS or text[before] in _EARLIER_VOWELS or following in _SILENCERS
