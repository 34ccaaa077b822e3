"""Multiple-choice questions on a clip, as in TVQA+ ("TVQA+: Spatio-Temporal Grounding for Video QA", ACL 2020)."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.episodes.records import Episode, Question
from socialcli.errors import AnnotationError
from socialcli.tasks.base import Candidate
from socialcli.tasks.special_tokens import harmless


@dataclass(frozen=True, slots=True)
class VideoQA:
    """A multiple-choice question on the clip; its text and candidates come from the episode."""

    name: str = "videoqa"
    summary: str = "a multiple-choice question on the clip"
    masks_span: bool = False
    named: bool = True

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        """The question's own candidates, shown as they are, except that a speaker's id becomes the speaker's label."""
        if question.candidates is None:
            raise AnnotationError("a 'videoqa' question needs its candidates")
        return tuple(Candidate(text, labels.get(text, harmless(text))) for text in question.candidates)

    def sentence(self, episode: Episode, question: Question, labels: dict[str, str]) -> str:
        """Raise AnnotationError: the question must bring its text."""
        raise AnnotationError("a 'videoqa' question needs its text")
