"""Questions without answers, for every utterance of a recording."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from socialcli.episodes.records import Question, Utterance

TASKS = ("target", "coref", "mentioned")
_PRONOUN = re.compile(r"\b(?:he|his|him|himself|she|her|hers|herself)\b", re.IGNORECASE)


def questions(
    utterance: Utterance, tasks: Collection[str], names: Mapping[str, str], recording: str
) -> Iterator[Question]:
    """What `tasks` ask about an utterance.

    `target` where it is known who speaks; `coref` for every pronoun of the third person; `mentioned` for every one of
    `names`, which are written with a capital and stand as words of their own.
    """
    base = f"{recording}/{utterance.id}"
    if "target" in tasks and utterance.speaker is not None:
        yield Question(f"{base}/target", "target", utterance.id)
    if "coref" in tasks:
        for found in _PRONOUN.finditer(utterance.text):
            yield Question(f"{base}/coref/{found.start()}", "coref", utterance.id, found.span())
    if "mentioned" in tasks and names:
        longest_first = sorted(names, key=lambda name: (-len(name), name))
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")
        for found in pattern.finditer(utterance.text):
            if found[0][0].isupper():
                yield Question(f"{base}/mentioned/{found.start()}", "mentioned", utterance.id, found.span())
