"""Questions without answers, for every utterance of a recording."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from socialcli.episodes.records import Question, Utterance

TASKS = ("target", "coref", "mentioned")
_PRONOUN = re.compile(r"\b(?:he|his|him|himself|she|her|hers|herself)\b", re.IGNORECASE)


def names_pattern(names: Collection[str]) -> re.Pattern[str] | None:
    """What finds names as words of their own, the longest first; None where there are none."""
    if not names:
        return None
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")


def questions(
    utterance: Utterance, tasks: Collection[str], names: re.Pattern[str] | None, recording: str
) -> Iterator[Question]:
    """What `tasks` ask about an utterance.

    `target` where it is known who speaks; `coref` for every pronoun of the third person; `mentioned` for every name,
    unless it begins with a small letter.
    """
    base = f"{recording}/{utterance.id}"
    if "target" in tasks and utterance.speaker is not None:
        yield Question(f"{base}/target", "target", utterance.id)
    if "coref" in tasks:
        for found in _PRONOUN.finditer(utterance.text):
            yield Question(f"{base}/coref/{found.start()}", "coref", utterance.id, found.span())
    if "mentioned" in tasks and names is not None:
        for found in names.finditer(utterance.text):
            if not found[0][0].islower():
                yield Question(f"{base}/mentioned/{found.start()}", "mentioned", utterance.id, found.span())
