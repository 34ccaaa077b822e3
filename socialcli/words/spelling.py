"""Equal words as equal strings, and where phrases stand in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from socialcli.words.boundaries import stands_alone
from socialcli.words.scripts import ALPHABET, APOSTROPHES, HYPHENS, extends, script_of, seen, unseen

_SAME_SIGNS = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-", "–": "-", "—": "-"})


def folded(label: str) -> str:
    """A label as it is compared: capitals, and the ways to write accents, widths, blanks and dashes, do not count."""
    text = unicodedata.normalize("NFKC", seen(label)).translate(_SAME_SIGNS)
    return " ".join(unicodedata.normalize("NFKC", text.upper().casefold()).split())  # upper: "Işıl" is IŞIL


@dataclass(frozen=True, slots=True)
class Plain:
    """A text with its spelling made even, and where each of its characters stood before.

    Composed (NFC), full-width and half-width forms, letters in circles and styled letters as plain ones, one kind of
    apostrophe and of hyphen, nothing that is not seen. Letters keep their case.
    """

    text: str
    places: tuple[int, ...]  # of each character in the text as it was, and behind them its length

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters [start, end) stood in the text as it was."""
        return self.places[start], self.places[end]


def plain(text: str) -> Plain:
    """Make the spelling of a text even, so that equal words are equal strings."""
    if text.isascii():
        return Plain(text, tuple(range(len(text) + 1)))
    characters: list[str] = []
    places: list[int] = []
    for start, cluster in _clusters(text):
        even = unicodedata.normalize("NFC", "".join(map(_even, cluster)))
        characters.append(even)
        places += [start] * len(even)
    return Plain("".join(characters), (*places, len(text)))


def find_words(text: str, phrases: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where one of `phrases` stands in `text` as whole words, in any case and spelling: [start, end) of each.

    In order, and none inside another: of several that begin at one place the longest.
    """
    even = plain(text)
    found = sorted(
        (match.span() for phrase in dict.fromkeys(phrases) for match in _matches(phrase, even.text)),
        key=lambda span: (span[0], -span[1]),
    )
    end = 0
    for span in found:
        if span[0] >= end:
            end = span[1]
            yield even.span(*span)


def phrase_pattern(phrase: str) -> re.Pattern[str] | None:
    """What finds a phrase in the text of `plain`, in any case and with any blanks; None for an empty one.

    It finds it inside other words, too: check what it finds with `stands_alone`.
    """
    words = plain(phrase).text.split()
    return re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE) if words else None


_cached_pattern = cache(phrase_pattern)


def _matches(phrase: str, text: str) -> Iterator[re.Match[str]]:
    pattern = _cached_pattern(phrase)
    place = 0
    while pattern is not None and (match := pattern.search(text, place)):
        if stands_alone(text, *match.span()):
            yield match
        place = match.start() + 1


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Each character with its marks, and where it begins; what is not seen belongs to the one before."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not (extends(text[place]) or unseen(text[place])):
            yield start, text[start:place]
            start = place


def _even(character: str) -> str:
    if unseen(character):
        return ""
    if character in APOSTROPHES:
        return "'"
    if character in HYPHENS:
        return "-"
    kind, _, rest = unicodedata.decomposition(character).partition(" ")
    if kind in ("<wide>", "<narrow>"):
        return unicodedata.normalize("NFKC", character)
    if kind in ("<circle>", "<square>", "<font>") and " " not in rest:
        meant = unicodedata.normalize("NFKC", character)
        return meant if script_of(meant) == ALPHABET and meant.isalpha() else character
    return character
