"""Speaking target identification: whom is this utterance addressed to?

A task of "Modeling Multimodal Social Interactions: New Challenges and Baselines with Densely
Aligned Representations" (CVPR 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.episodes.records import Episode, Question
from socialcli.tasks.base import Candidate
from socialcli.tasks.speakers import asked_utterance, quoted, speaker_candidates, who


@dataclass(frozen=True, slots=True)
class Target:
    """Whom is this utterance addressed to?"""

    name: str = "target"
    summary: str = "whom an utterance is addressed to (speaking target identification)"
    masks_span: bool = False
    named: bool = False

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        """The question's own candidates, or everybody except the speaker."""
        speaker = asked_utterance(episode, question).speaker
        return speaker_candidates(episode, question, labels, without=speaker)

    def sentence(self, episode: Episode, question: Question, labels: dict[str, str]) -> str:
        """Ask for the addressee of the utterance."""
        line = asked_utterance(episode, question)
        return f"Whom does {who(line, labels)} address with {quoted(line)}?"
