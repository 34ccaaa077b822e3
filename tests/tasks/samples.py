"""An episode that the tests of this folder share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from socialcli.episodes.records import Episode, Question, Speaker, Utterance, Video
from socialcli.tasks.base import Candidate

SPEAKERS = (Speaker("ana", "Ana"), Speaker("ben"), Speaker("cleo", "Cleo"))
UTTERANCES = (
    Utterance("u1", 0.0, 1.0, "Ana, did you take it?", "ben"),
    Utterance("u2", 1.0, 2.0, "No, she did.", "ana"),
    Utterance("u3", 1.5, 3.0, "Who did?", None),
    Utterance("u4", 3.0, 4.0, "I did not.", "cleo"),
)


def episode(**changes: Any) -> Episode:
    """Three speakers, two with names, and four lines, one of them said by nobody knows who."""
    whole = Episode("e1", Video("clip.mp4", 640, 360), SPEAKERS, UTTERANCES, boxes=(), questions=())
    return replace(whole, **changes)


def said(text: str, speaker: str | None = "ana") -> Episode:
    """An episode with a single line, u1."""
    return episode(utterances=(Utterance("u1", 0.0, 1.0, text, speaker),))


def question(task: str, **fields: Any) -> Question:
    """A question of that task."""
    return Question("q1", task, **fields)


def candidates(*labels: str) -> tuple[Candidate, ...]:
    """Candidates shown under `labels`."""
    return tuple(Candidate(str(index), label) for index, label in enumerate(labels))
