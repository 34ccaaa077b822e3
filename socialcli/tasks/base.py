"""The contract of a task: which candidates a question has, and how it is asked.

Plug-ins add tasks through the `socialcli_tasks` hook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from socialcli.episodes.records import Episode, Question


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer: `id` names it in the data (a speaker's id, an answer's text), `label` in the prompt."""

    id: str
    label: str


class Task(Protocol):
    """A kind of question. Implementations are small and stateless, and import nothing heavy."""

    @property
    def name(self) -> str:
        """The value of --task and of `questions[].task`."""
        ...

    @property
    def summary(self) -> str:
        """One line for `socialcli tasks`."""
        ...

    @property
    def masks_span(self) -> bool:
        """Whether the transcript hides the question's span (the name in question)."""
        ...

    @property
    def named(self) -> bool:
        """Whether prompts use speakers' names if they have one; else everybody is "Speaker N"."""
        ...

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        """The possible answers in the order of their letters; `labels` maps a speaker's id to its label.

        Raises AnnotationError where the question lacks what its candidates are derived from.
        """
        ...

    def sentence(self, episode: Episode, question: Question, labels: dict[str, str]) -> str:
        """The text of the question, used if the episode does not have one.

        Raises AnnotationError where the question lacks what the sentence needs.
        """
        ...
