"""The coverage of many episodes, as a record, and the limit of `--min-coverage` on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Self

from socialcli.episodes.tracks import MAX_GAP
from socialcli.errors import UsageError

MOST_NAMES = 20  # of labels and of episodes, in a record
_PERCENTAGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many utterances of many episodes have a box, or a visual token, of their speaker.

    Most counts come from the annotation. `prompt_utterances` and `covered_utterances` come from the prompts, for each
    episode the one with the most utterances; they are None if no prompt with a clip was made. Speakers and labels are
    counted once per episode and listed once: those of most episodes first, at most `MOST_NAMES`.
    """

    box_gap: float = MAX_GAP  # seconds
    episodes: int = 0
    uncovered_episodes: int = 0  # with utterances, none of them covered (without prompts: near a box)
    utterances: int = 0
    unknown_speaker: int = 0  # utterances with an unknown speaker
    near_box: int = 0  # utterances with a box of their speaker within `box_gap` seconds
    prompt_utterances: int | None = None
    covered_utterances: int | None = None  # with a visual token of their speaker
    boxes: int = 0
    speakers_without_box: int = 0  # who say something
    speakers_elsewhere: int = 0  # who have boxes, but none within `box_gap` seconds of anything they say
    boxes_without_speaker: int = 0  # labels of boxes whose speaker says nothing
    uncovered_episode_ids: tuple[str, ...] = ()
    labels_without_box: tuple[str, ...] = ()
    labels_elsewhere: tuple[str, ...] = ()
    labels_without_speaker: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[int, int]:
        """Covered and total utterances: of the prompts if any were made, else those near a box."""
        if self.covered_utterances is None or self.prompt_utterances is None:
            return self.near_box, self.utterances
        return self.covered_utterances, self.prompt_utterances

    @property
    def is_zero(self) -> bool:
        """Whether there are episodes and none of their utterances is covered."""
        covered, every = self.counted
        return covered == 0 and (every > 0 or self.episodes > 0)

    @property
    def is_expected(self) -> bool:
        """Whether there are both words and boxes, so that some utterances should be covered."""
        return self.utterances > 0 and self.boxes > 0

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The coverage from the result of `as_record`. Raises TypeError for anything else."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
        }
        return cls(**fields)

    def as_record(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def parse_min_coverage(text: str) -> Fraction:
    """The share, 0 to 1, from a `--min-coverage` percentage such as "50%". Raises UsageError for anything else."""
    match = _PERCENTAGE.fullmatch(text.strip())
    if match is None or Fraction(match[1]) > 100:
        raise UsageError(f"--min-coverage {text!r} is not a percentage: write one from 0% to 100%, such as 50%")
    return Fraction(match[1]) / 100


def is_below(coverage: Coverage, least: Fraction) -> bool:
    """Whether less than the share `least` is covered. Episodes without utterances count as not covered."""
    covered, every = coverage.counted
    return least > 0 and (coverage.is_zero or covered < least * every)
