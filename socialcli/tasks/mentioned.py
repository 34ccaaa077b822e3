"""Mentioned speaker prediction: which person is named in this utterance? The name is masked.

A task of "Modeling Multimodal Social Interactions: New Challenges and Baselines with Densely
Aligned Representations" (CVPR 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.episodes.records import Episode, Question
from socialcli.tasks.base import Candidate
from socialcli.tasks.speakers import MASK, asked_span, asked_utterance, quoted, speaker_candidates, who


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Which person is named in this utterance? The name is masked."""

    name: str = "mentioned"
    summary: str = "which person a masked name in an utterance refers to (mentioned speaker prediction)"
    masks_span: bool = True
    named: bool = False

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        """The question's own candidates, or all speakers."""
        return speaker_candidates(episode, question, labels)

    def sentence(self, episode: Episode, question: Question, labels: dict[str, str]) -> str:
        """Ask for the person whose name is masked."""
        line = asked_utterance(episode, question)
        return f"Who is {MASK} when {who(line, labels)} says {quoted(line, asked_span(question), MASK)}?"
