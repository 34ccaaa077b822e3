"""A prompt as a steering mode sees it: words, labels and regions, as tokens. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import Indices, SpeakerTokens, utterance_steps
from socialcli.episodes.records import Utterance


@dataclass(frozen=True, slots=True, eq=False)
class SteeredPrompt:
    """What is known of a prompt. All tokens are indices of the unpadded sequence, ascending."""

    utterances: Sequence[Utterance]
    spans: Sequence[Indices]  # the tokens of each utterance: its speaker's label and its words
    asked: Utterance | None  # the utterance in question, one of `utterances`; None: the question is about the clip
    candidates: frozenset[str]  # speakers among the candidates: the people who could be meant
    labels: Sequence[tuple[str, Indices]]  # speakers whose labels the question or an option contains, and their tokens
    named: frozenset[str]  # those of them in the question, outside the options
    last: int  # the last token of the prompt
    grid: VisualGrid
    times: Sequence[float]  # of the frames, seconds
    regions: Mapping[str, SpeakerTokens]  # of each speaker who has a box: V(s, f)

    @property
    def steps(self) -> Sequence[int]:
        """The temporal steps that the question is about: those of its utterance's frames F(u), or all."""
        return (
            range(len(self.grid.frames)) if self.asked is None else utterance_steps(self.asked, self.times, self.grid)
        )

    @property
    def asked_words(self) -> Indices:
        """The tokens of the utterance in question; none without one."""
        if self.asked is None:
            return np.empty(0, dtype=np.int64)
        return self.spans[self.utterances.index(self.asked)]

    @property
    def people_in_question(self) -> frozenset[str]:
        """Whom the question is about: the speaker of its utterance, or else whom its text names. Never the answer."""
        if self.asked is None:
            return self.named
        return frozenset() if self.asked.speaker is None else frozenset({self.asked.speaker})

    @property
    def region_in_question(self) -> Indices:
        """The tokens that show `people_in_question` in `steps`; empty if none does."""
        return self.region(self.people_in_question, self.steps)

    def region(self, speakers: Iterable[str], steps: Iterable[int]) -> Indices:
        """The tokens that show any of the speakers in any of the steps."""
        shown = [self.regions[one].tokens[step] for one in speakers if one in self.regions for step in steps]
        return np.unique(np.concatenate(shown)) if shown else np.empty(0, dtype=np.int64)
