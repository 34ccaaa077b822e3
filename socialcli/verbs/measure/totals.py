"""What came of measuring an episode, and of all so far."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from socialcli.alignment.head_stats import FigureSums
from socialcli.episodes.reading import EpisodeRow
from socialcli.jobs.counts import Tally
from socialcli.jobs.progress import MOST_WARNINGS
from socialcli.results.manifest import MAX_PROBLEMS
from socialcli.verbs.measure.episode_sums import EpisodeSums, Failure
from socialcli.verbs.measure.files import MeasureCounts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredEpisode:
    """An episode of which some question was measured, or none: then `sums.prompts` is 0."""

    row: EpisodeRow
    sums: FigureSums
    tasks: tuple[str, ...]  # of the questions that were measured
    failures: tuple[Failure, ...]
    record: EpisodeSums | None = None  # the same without what the episodes file gets wrong; None: nothing else is there
    kept: int = 0  # of its questions, those that were measured, or failed, before


@dataclass(slots=True)
class MeasureTally:
    """Running totals: all that is kept of the episodes when the next one comes."""

    sums: FigureSums
    read: Tally = field(default_factory=Tally)  # what was met in the episodes file
    episodes: int = 0
    episode_ids: list[str] = field(default_factory=list)  # of those that were measured
    failed: int = 0  # questions
    kept: int = 0  # questions
    problems: list[str] = field(default_factory=list)  # of episodes, the first ones
    _warned: int = 0

    def add(self, episode: MeasuredEpisode) -> None:
        """Count an episode, and warn of what could not be measured of it."""
        self.episodes += 1
        self.failed += len(episode.failures)
        self.kept += episode.kept
        if episode.record is not None:
            self.read.coverage.add_prompt(episode.record.episode_id, *episode.record.reached)
        if episode.sums.prompts and episode.row.episode is not None:
            self.sums.add(episode.sums)
            self.episode_ids.append(episode.row.episode.episode_id)
        for message in _messages(episode):
            if len(self.problems) < MAX_PROBLEMS:
                self.problems.append(message)
            self._warned += 1
            if self._warned <= MOST_WARNINGS:
                _log.warning("%s", message)
            elif self._warned == MOST_WARNINGS + 1:
                _log.warning("more could not be measured; 'problems' of measure.json names the first %d", MAX_PROBLEMS)

    @property
    def nameless(self) -> bool:
        """Whether something could not be read of which nobody knows what it was."""
        return self.read.unreadable > 0

    @property
    def failures(self) -> int:
        """What `--max-failures` is held against: questions not measured, and rows of the file that gave none."""
        return self.failed + self.read.unreadable

    @property
    def total(self) -> int:
        """What a share of failures is a share of."""
        return self.read.questions + self.read.unreadable

    def counts(self) -> MeasureCounts:
        """The counts of measure.json."""
        return MeasureCounts(
            episodes=self.episodes,
            episodes_measured=len(self.episode_ids),
            questions=self.sums.prompts + self.failed,
            questions_measured=self.sums.prompts,
            questions_failed=self.failed,
            unreadable=self.read.unreadable,
            kept=self.kept,
        )


def _messages(episode: MeasuredEpisode) -> Iterator[str]:
    """A line for each reason, however many questions of the episode it concerns."""
    place = f"{episode.row.source_name}:{episode.row.row}"
    name = (episode.row.record or {}).get("episode_id")
    reasons: dict[str, list[str]] = {}
    for failure in episode.failures:
        reasons.setdefault(failure.error, []).append(failure.question_id)
    for error, questions in reasons.items():
        if len(questions) > 1:
            what = f"{len(questions)} questions were not measured, {questions[0]!r} first"
        else:
            what = f"question {questions[0]!r} was not measured"
        yield f"{place}: episode {name!r}: {what}: {error}"
