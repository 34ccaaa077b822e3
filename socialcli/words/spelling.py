"""Normalised spelling, and finding phrases in a text."""

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
    """A label in the form for comparison: without differences in case, accents' encoding, width, blanks and dashes."""
    text = unicodedata.normalize("NFKC", seen(label)).translate(_SAME_SIGNS)
    return " ".join(unicodedata.normalize("NFKC", text.upper().casefold()).split())  # upper: "Işıl" is IŞIL


@dataclass(frozen=True, slots=True)
class Plain:
    """A text with normalised spelling, and where each of its characters was in the original.

    Composed (NFC); full-width, half-width, circled and styled letters as plain ones; one kind of apostrophe and of
    hyphen; no invisible characters. Letters keep their case.
    """

    text: str
    places: tuple[int, ...]  # the index of each character in the original, then the original's length

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters [start, end) are in the original text."""
        return self.places[start], self.places[end]


def plain(text: str) -> Plain:
    """Normalise the spelling of a text, so that equal words are equal strings."""
    if text.isascii():
        return Plain(text, tuple(range(len(text) + 1)))
    characters: list[str] = []
    places: list[int] = []
    for start, cluster in _clusters(text):
        normal = unicodedata.normalize("NFC", "".join(map(_normal, cluster)))
        characters.append(normal)
        places += [start] * len(normal)
    return Plain("".join(characters), (*places, len(text)))


def find_words(text: str, phrases: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where any of `phrases` occurs in `text` as whole words, in any case and spelling: [start, end) of each.

    In order and without overlap: of several that begin at one place the longest.
    """
    normal = plain(text)
    found = sorted(
        (match.span() for phrase in dict.fromkeys(phrases) for match in _matches(phrase, normal.text)),
        key=lambda span: (span[0], -span[1]),
    )
    end = 0
    for span in found:
        if span[0] >= end:
            end = span[1]
            yield normal.span(*span)


def phrase_pattern(phrase: str) -> re.Pattern[str] | None:
    """The pattern of a phrase in the text of `plain`, in any case and with any blanks; None for an empty one.

    It also matches inside other words: check matches with `stands_alone`.
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
    """Each character with its marks, and where it begins; invisible characters belong to the one before."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not (extends(text[place]) or unseen(text[place])):
            yield start, text[start:place]
            start = place


def _normal(character: str) -> str:
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
