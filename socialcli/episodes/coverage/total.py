"""The coverage of many episodes together, and the least share of it that a user asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Any, Self

from socialcli.episodes.coverage.utterances import EpisodeCoverage
from socialcli.episodes.tracks import MAX_GAP
from socialcli.errors import UsageError

MOST_NAMES = 20  # of labels and of episodes, in a record
MOST_KINDS = 1000  # different labels that are counted: numbered tracks may have a new one in every episode
_LIMIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many utterances have a box, or a visual token, of their speaker. Each episode counts once.

    Most counts follow from the annotation. `prompt_utterances` and `covered_utterances` follow from the prompts, of
    each episode the one with the most utterances; they are None where no prompt with a clip was made. Speakers and
    labels are counted in every episode anew, and named once: those of most episodes first, `MOST_NAMES` at most.
    """

    box_gap: float = MAX_GAP  # seconds
    episodes: int = 0
    uncovered_episodes: int = 0  # with utterances, none of them covered (without prompts: near a box)
    utterances: int = 0
    unknown_speaker: int = 0  # utterances whose speaker is not known
    near_box: int = 0  # utterances with a box of their speaker within `box_gap` seconds
    prompt_utterances: int | None = None
    covered_utterances: int | None = None  # that reach a visual token of their speaker
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
        """The covered utterances and all of them: those of the prompts, else those near a box."""
        if self.covered_utterances is None or self.prompt_utterances is None:
            return self.near_box, self.utterances
        return self.covered_utterances, self.prompt_utterances

    @property
    def none(self) -> bool:
        """Whether there are episodes, and nothing in them is covered."""
        covered, every = self.counted
        return covered == 0 and (every > 0 or self.episodes > 0)

    @property
    def tracked(self) -> bool:
        """Whether there are words and boxes, so that some should be covered."""
        return self.utterances > 0 and self.boxes > 0

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """What `as_record` gave. Raises TypeError for anything else."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
        }
        return cls(**fields)

    def as_record(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(slots=True)
class _Labels:
    """How often labels were met, each once an episode."""

    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # of the first `MOST_KINDS` labels

    def add(self, labels: Sequence[str]) -> None:
        self.count += len(labels)
        for label in labels:
            if label in self.kinds or len(self.kinds) < MOST_KINDS:
                self.kinds[label] += 1

    def most_common(self) -> tuple[str, ...]:
        return tuple(label for label, _ in self.kinds.most_common(MOST_NAMES))


@dataclass(slots=True)
class _Names:
    """A count, and the first names."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < MOST_NAMES:
            self.first.append(name)


@dataclass(slots=True)
class _Prompts:
    """Sums over episodes of their prompts with the most utterances."""

    episodes: int = 0
    utterances: int = 0
    covered: int = 0
    uncovered: _Names = field(default_factory=_Names)
    latest: tuple[str, int, int] | None = None  # of the episode that may have more prompts

    def add(self, episode_id: str, utterances: int, covered: int) -> None:
        if self.latest is not None and self.latest[0] != episode_id:
            self._count(*self.latest)
            self.latest = None
        self.latest = max(self.latest or (episode_id, 0, 0), (episode_id, utterances, covered))

    def finished(self) -> _Prompts:
        """The same with the latest episode."""
        whole = replace(self, uncovered=_Names(self.uncovered.count, list(self.uncovered.first)), latest=None)
        if self.latest is not None:
            whole._count(*self.latest)
        return whole

    def _count(self, episode_id: str, utterances: int, covered: int) -> None:
        self.episodes += 1
        self.utterances += utterances
        self.covered += covered
        if utterances and not covered:
            self.uncovered.add(episode_id)


@dataclass(slots=True)
class CoverageTally:
    """Takes episodes, and prompts on them, as they come. What it holds does not grow with their number.

    The prompts on one episode come one after another.
    """

    episodes: int = 0
    utterances: int = 0
    unknown: int = 0
    near: int = 0
    boxes: int = 0
    without_box: _Labels = field(default_factory=_Labels)
    elsewhere: _Labels = field(default_factory=_Labels)
    without_speaker: _Labels = field(default_factory=_Labels)
    far: _Names = field(default_factory=_Names)  # episodes with utterances, none of them near a box
    _prompts: _Prompts = field(default_factory=_Prompts)

    def add(self, coverage: EpisodeCoverage) -> None:
        """Take what an episode's annotation tells."""
        self.episodes += 1
        self.utterances += coverage.utterances
        self.unknown += coverage.unknown
        self.near += coverage.near
        self.boxes += coverage.boxes
        self.without_box.add(coverage.without_box)
        self.elsewhere.add(coverage.elsewhere)
        self.without_speaker.add(coverage.without_speaker)
        if coverage.utterances and not coverage.near:
            self.far.add(coverage.episode_id)

    def reach(self, episode_id: str, utterances: int | None, covered: int | None) -> None:
        """Take what a prompt came to; None where that is not known. The prompt with the most utterances counts."""
        if utterances is not None and covered is not None:
            self._prompts.add(episode_id, utterances, covered)

    def total(self, max_gap: float = MAX_GAP) -> Coverage:
        """All so far together; `max_gap` is what near meant for them, seconds."""
        prompts = self._prompts.finished()
        uncovered = prompts.uncovered if prompts.episodes else self.far
        return Coverage(
            box_gap=max_gap,
            episodes=self.episodes,
            uncovered_episodes=uncovered.count,
            utterances=self.utterances,
            unknown_speaker=self.unknown,
            near_box=self.near,
            prompt_utterances=prompts.utterances if prompts.episodes else None,
            covered_utterances=prompts.covered if prompts.episodes else None,
            boxes=self.boxes,
            speakers_without_box=self.without_box.count,
            speakers_elsewhere=self.elsewhere.count,
            boxes_without_speaker=self.without_speaker.count,
            uncovered_episode_ids=tuple(uncovered.first),
            labels_without_box=self.without_box.most_common(),
            labels_elsewhere=self.elsewhere.most_common(),
            labels_without_speaker=self.without_speaker.most_common(),
        )


def parse_min_coverage(text: str) -> Fraction:
    """The share, 0 to 1, that `--min-coverage` asks for: "50%". Raises UsageError for anything else."""
    match = _LIMIT.fullmatch(text.strip())
    if match is None or Fraction(match[1]) > 100:
        raise UsageError(f"--min-coverage {text!r} is no share: write a percentage from 0% to 100%, such as 50%")
    return Fraction(match[1]) / 100


def is_below(coverage: Coverage, least: Fraction) -> bool:
    """Whether less than the share `least` is covered. Of episodes without utterances, nothing is."""
    covered, every = coverage.counted
    return least > 0 and (coverage.none or covered < least * every)
