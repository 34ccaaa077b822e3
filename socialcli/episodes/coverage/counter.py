"""Count the coverage of many episodes as they are read and asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from socialcli.episodes.coverage.episode import EpisodeCoverage
from socialcli.episodes.coverage.record import MOST_NAMES, Coverage
from socialcli.episodes.tracks import MAX_GAP

MOST_KINDS = 1000  # distinct labels that are counted: numbered tracks may have new ones in every episode


@dataclass(slots=True)
class _Labels:
    """In how many episodes each label occurs."""

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
    """A count and the first names."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < MOST_NAMES:
            self.first.append(name)


@dataclass(slots=True)
class _Prompts:
    """Sums over episodes, each counted by its prompt with the most utterances."""

    episodes: int = 0
    utterances: int = 0
    covered: int = 0
    uncovered: _Names = field(default_factory=_Names)
    latest: tuple[str, int, int] | None = None  # the episode that may still have more prompts

    def add(self, episode_id: str, utterances: int, covered: int) -> None:
        if self.latest is not None and self.latest[0] != episode_id:
            self._count(*self.latest)
            self.latest = None
        self.latest = max(self.latest or (episode_id, 0, 0), (episode_id, utterances, covered))

    def finished(self) -> _Prompts:
        """A copy that includes the latest episode."""
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
class CoverageCounter:
    """Counts coverage over a stream of episodes and prompts, in bounded memory.

    The prompts of one episode must be added one after another.
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
        """Add an episode's annotation."""
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

    def add_prompt(self, episode_id: str, utterances: int | None, covered: int | None) -> None:
        """Add the coverage of a prompt (None: unknown). An episode counts by its prompt with the most utterances."""
        if utterances is not None and covered is not None:
            self._prompts.add(episode_id, utterances, covered)

    def total(self, max_gap: float = MAX_GAP) -> Coverage:
        """The coverage so far; `max_gap` (seconds) is the one that the episodes were counted with."""
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
