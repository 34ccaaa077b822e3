"""What a task is: which candidates a question has, and how it is asked.

A third party adds one by returning it from the `socialcli_tasks` hook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from socialcli.episodes.records import Episode, Question

ALL_TASKS = "all"  # what --task takes for all of them, and tables call them together: no task can have this name


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer: `id` is what the data calls it (a speaker's id, an answer's text), `label` what is shown."""

    id: str
    label: str


class Task(Protocol):
    """A kind of question. Implementations are small, stateless, and import nothing heavy."""

    @property
    def name(self) -> str:
        """What --task takes and `questions[].task` names."""
        ...

    @property
    def summary(self) -> str:
        """One line for `socialcli tasks`."""
        ...

    @property
    def masks_span(self) -> bool:
        """Whether the question's span is hidden from the transcript (the name that is asked for)."""
        ...

    @property
    def named(self) -> bool:
        """Whether speakers go by their names where they have some; else everybody is "Speaker N"."""
        ...

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        """The possible answers in the order they are lettered; `labels` maps a speaker's id to its label.

        Raises AnnotationError where the question lacks what its candidates derive from.
        """
        ...

    def sentence(self, episode: Episode, question: Question, labels: dict[str, str]) -> str:
        """The question as it is put to the model, when the episode brings no text of its own.

        Raises AnnotationError where the question lacks what the sentence needs.
        """
        ...
