"""Pronoun coreference resolution: whom does this pronoun mean?

A task of "Modeling Multimodal Social Interactions: New Challenges and Baselines with Densely
Aligned Representations" (CVPR 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.episodes.records import Episode, Question
from socialcli.tasks.base import Candidate
from socialcli.tasks.speakers import asked_span, asked_utterance, quoted, speaker_candidates, who
from socialcli.tasks.special_tokens import harmless


@dataclass(frozen=True, slots=True)
class Coref:
    """Whom does this pronoun mean?"""

    name: str = "coref"
    summary: str = "whom a pronoun in an utterance means (pronoun coreference resolution)"
    masks_span: bool = False
    named: bool = False

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        """The question's own candidates, or all speakers."""
        return speaker_candidates(episode, question, labels)

    def sentence(self, episode: Episode, question: Question, labels: dict[str, str]) -> str:
        """Ask for the person whom the marked pronoun means."""
        line = asked_utterance(episode, question)
        start, end = asked_span(question)
        pronoun = harmless(line.text[start:end])
        return f'Whom does "{pronoun}" mean when {who(line, labels)} says {quoted(line, (start, end), "*{}*")}?'
