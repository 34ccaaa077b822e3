"""Word boundaries in text of any script: `joined`, and what follows from it."""

from __future__ import annotations

import re
from itertools import groupby

from socialcli.words.korean import is_ending
from socialcli.words.scripts import (
    APOSTROPHES,
    HANGUL,
    HYPHENS,
    KATAKANA,
    extends,
    is_dense,
    is_letter,
    script_of,
    syllable_goes_on,
    unseen,
)

_GERESH = frozenset("\u05f3\u05f4")  # inside Hebrew words, as an apostrophe or a quotation mark is typed
_POINTS = frozenset(".,:")  # inside numbers
_EMPHASIS = re.compile(r"[*_]{1,3}")
# Elided words before an apostrophe, after which a new word begins: l'Anna, d'Anna, dell'Anna.
_ELIDED = frozenset({
    *("c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu"),
    *("all", "dall", "dell", "nell", "sull", "un"),
})  # fmt: skip
_CONTRACTED = frozenset({"d", "ll", "m", "re", "s", "t", "ve"})  # behind a name in capitals: ANNA'S, HE'LL


def joined(text: str, place: int) -> bool:
    """Whether a word continues across `place`, from `text[place - 1]` to `text[place]`.

    - A character is never cut off from its marks, nor a syllable of Thai, Lao, Khmer or Burmese in two.
    - Letters of a script without blanks (Han, kana, Thai ...) are words of their own, and so is a letter of another
      script beside them. Katakana, which spells foreign names, holds together; Korean does up to a particle.
    - Hyphens and apostrophes join what they stand between, except endings and articles: "Anna's", "Ali'nin", "l'Anna".
    - An underscore joins as in snake_case; as emphasis of Markdown it does not, except inside a word (**B**ecause).
    - Points inside numbers join.
    """
    before, after = _before(text, place), _after(text, place)
    if before < 0 or after == len(text):
        return False
    if extends(text[after]):
        return not text[before].isspace()
    if _is_word(text, before) and is_letter(text[after]):
        return _one_word(text, before, after)
    return _over_mark(text, before, after)


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the characters [start, end) are whole words of `text`."""
    return not joined(text, start) and not joined(text, end)


def has_letter(text: str) -> bool:
    """Whether there is a letter or a digit, of any script."""
    return any(map(is_letter, text))


def is_called(text: str) -> bool:
    """Whether `text` can be a person's name: letters with blanks, hyphens, apostrophes or points."""
    between = HYPHENS | APOSTROPHES | _GERESH | frozenset(" .\u30fb\u00b7")
    whole = all(
        (is_letter(character) and not character.isdecimal())
        or extends(character)
        or unseen(character)
        or character in between
        for character in text
    )
    return whole and has_letter(text)


def length_in_words(text: str) -> float:
    """The number of words in a text; in scripts without blanks, two characters count as one."""
    total = 0.0
    for part in text.split():
        for dense, run in groupby(filter(is_letter, part), key=is_dense):
            total += sum(1 for _ in run) / 2 if dense else 1
    return total


def _before(text: str, place: int) -> int:
    """The index of the last visible character before `place`; -1 if there is none."""
    place -= 1
    while place >= 0 and unseen(text[place]):
        place -= 1
    return place


def _after(text: str, place: int) -> int:
    """The index of the first visible character from `place` on; the text's length if there is none."""
    while place < len(text) and unseen(text[place]):
        place += 1
    return place


def _base(text: str, place: int) -> int:
    """The index of the letter that the mark at `place` belongs to, or `place` itself."""
    while place > 0 and (extends(text[place]) or unseen(text[place])):
        place -= 1
    return place


def _is_word(text: str, place: int) -> bool:
    """Whether the character at `place` is a letter, or a mark on one."""
    return is_letter(text[_base(text, place)])


def _one_word(text: str, before: int, after: int) -> bool:
    """Whether two adjacent letters belong to one word."""
    base = _base(text, before)
    script, following = script_of(text[base]), script_of(text[after])
    if syllable_goes_on(text, before, after):
        return True
    if script != following or (is_dense(text[base]) and script != KATAKANA):
        return False
    if script != HANGUL:
        return True
    end = after
    while end < len(text) and (script_of(text[end]) == HANGUL or extends(text[end])):
        end += 1
    return not is_ending(text[after:end])


def _over_mark(text: str, before: int, after: int) -> bool:
    """Whether a place beside a mark lies inside a word that continues behind the mark."""
    for mark in (before, after):
        if _is_word(text, mark):
            continue
        first, last = mark, mark + 1
        if text[mark] in "*_":  # take the whole run
            while first > 0 and text[first - 1] in "*_":
                first -= 1
            while last < len(text) and text[last] in "*_":
                last += 1
        left, right = _before(text, first), _after(text, last)
        if left < 0 or right == len(text) or not (_is_word(text, left) and is_letter(text[right])):
            continue
        if _joins(text, (first, last), left, right, place_behind=mark == before):
            return True
    return False


def _joins(text: str, mark: tuple[int, int], left: int, right: int, *, place_behind: bool) -> bool:
    """Whether the mark [first, last) joins the letters around it, seen from the place before or behind it."""
    sign = text[mark[0] : mark[1]]
    base = _base(text, left)
    if sign in _POINTS:
        return text[base].isdecimal() and text[right].isdecimal()
    if script_of(text[base]) != script_of(text[right]) or is_dense(text[right]):
        return False
    if sign in APOSTROPHES:
        return not (_word_begins(text, left, right) if place_behind else _word_ends(text, right))
    if sign in HYPHENS or sign in _GERESH or sign == "_":
        return True
    return _EMPHASIS.fullmatch(sign) is not None and text[right].islower()  # **B**ecause


def _word_begins(text: str, left: int, right: int) -> bool:
    """Whether the text before an apostrophe is an elided word, so that a new word begins behind it."""
    start = left
    while start > 0 and _is_word(text, start - 1):
        start -= 1
    piece = text[start : left + 1]
    return piece.casefold() in _ELIDED and not (piece[0].isupper() and text[right].isupper())


def _word_ends(text: str, right: int) -> bool:
    """Whether the text behind an apostrophe is an ending, so that the word ends before it."""
    end = right
    while end < len(text) and is_letter(text[end]):
        end += 1
    return text[right].islower() or text[right:end].casefold() in _CONTRACTED
