"""Select MMSI's questions about an utterance, by the rules of its release's loader.

The rules work on the space-separated words of a line, of which the first two are the speaker's tag and the time. They
are followed exactly, because results are compared over these very questions:

- STI, speaking target identification: a word is exactly "you" or "your", the labelled line ends with "]", and the last
  bracket names exactly one player of the game. One question per utterance.
- PCR, pronoun coreference resolution: a word contains he, his, him, she or her, and the word in the same place of the
  labelled line contains a player.
- MPP, mentioned player prediction: a word begins with a mention.

Each requires that a player speaks; the first word of the line never counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .transcripts import TranscriptLine

TASKS: Mapping[str, str] = {"STI": "target", "PCR": "coref", "MPP": "mentioned"}
_ADDRESSES = ("you", "your")
_PRONOUNS = ("he", "his", "him", "she", "her")
_MENTION = re.compile(r"\[Player(\d{1,6})\]")
_BRACKET = re.compile(r"\[(.*?)\]")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class SelectedQuestion:
    """A question of the release: its kind, the player who is the answer, and the words that it is about."""

    kind: str  # STI, PCR or MPP
    place: int  # which word of the line, from 0
    answer: int  # number of the player
    speaker: int  # number of the player who speaks
    span: tuple[int, int] | None  # [start, end) in characters of the utterance's words; None for STI


def select_questions(spoken: TranscriptLine, labelled: str, kind: str, players: int) -> Iterator[SelectedQuestion]:
    """The questions of a kind about an utterance; `labelled` is its line with the answers.

    `players` is the number of players, numbered from 0.
    """
    if spoken.player is None:
        return
    rule = {"STI": _target, "PCR": _coref, "MPP": _mentioned}[kind]
    words = list(_WORD.finditer(spoken.line))
    for place, word in enumerate(words[1:], start=1):
        found = rule(word[0], place, labelled, players)
        if found is None:
            continue
        answer, within = found
        begin = word.start() - spoken.offset
        span = None if within is None else (begin + within[0], begin + within[1])
        if span is None or span[0] >= 0:  # the time is not a spoken word
            yield SelectedQuestion(kind, place, answer, spoken.player, span)
        if kind == "STI":
            return


_Found = tuple[int, tuple[int, int] | None] | None  # the answer, and the characters of the word in question


def _target(word: str, _place: int, labelled: str, players: int) -> _Found:
    if word.lower() not in _ADDRESSES or not labelled.rstrip().endswith("]"):
        return None
    brackets = _BRACKET.findall(labelled) or [""]
    named = [name for name in brackets[-1].split() if name in {f"Player{number}" for number in range(players)}]
    first = re.search(r"Player(\d{1,6})", brackets[-1])
    return (int(first[1]), None) if len(named) == 1 and first else None


def _coref(word: str, place: int, labelled: str, _players: int) -> _Found:
    lower = word.lower()
    pronouns = [pronoun for pronoun in _PRONOUNS if pronoun in lower]
    labels = labelled.split()
    if not pronouns or place >= len(labels):
        return None
    player = re.search(r"Player(\d{1,6})", labels[place])
    start = lower.index(pronouns[-1])
    return (int(player[1]), (start, start + len(pronouns[-1]))) if player else None


def _mentioned(word: str, _place: int, _labelled: str, _players: int) -> _Found:
    mentions = list(_MENTION.finditer(word))
    if not mentions or not word.startswith("[Player"):
        return None
    return int(mentions[0][1]), (
        mentions[0].start(),
        mentions[-1].end(),
    )  # a word with several mentions is masked as a whole
