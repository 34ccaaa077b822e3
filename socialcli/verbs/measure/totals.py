"""The measurement of an episode, and the totals of all so far."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from socialcli.alignment.head_stats import FigureSums
from socialcli.episodes.reading import EpisodeRow
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.progress import MOST_WARNINGS
from socialcli.results.manifest import MAX_PROBLEMS
from socialcli.verbs.measure.episode_sums import EpisodeSums, Failure
from socialcli.verbs.measure.files import MeasureCounts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeMeasurement:
    """The sums over the measured questions of an episode; `sums.prompts` is 0 if there are none."""

    row: EpisodeRow
    sums: FigureSums
    tasks: tuple[str, ...]  # of the questions that were measured
    failures: tuple[Failure, ...]
    record: EpisodeSums | None = None  # the row to write, without annotation errors; None: nothing but these
    kept: int = 0  # questions whose measurement, or failure, was reused


@dataclass(slots=True)
class MeasureTotals:
    """Running totals: all that stays in memory of the measured episodes."""

    sums: FigureSums
    counter: JobCounter = field(default_factory=JobCounter)  # counts the rows of the episodes file
    episodes: int = 0
    episode_ids: list[str] = field(default_factory=list)  # of the measured episodes
    failed: int = 0  # questions
    kept: int = 0  # questions
    problems: list[str] = field(default_factory=list)  # the first ones
    _warned: int = 0

    def add(self, episode: EpisodeMeasurement) -> None:
        """Count an episode, and warn of its questions that could not be measured."""
        self.episodes += 1
        self.failed += len(episode.failures)
        self.kept += episode.kept
        if episode.record is not None:
            self.counter.coverage.add_prompt(episode.record.episode_id, *episode.record.reached)
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
    def unidentified(self) -> bool:
        """Whether any row that could not be read may have been an episode measured before."""
        return self.counter.unreadable > 0

    @property
    def failures(self) -> int:
        """What `--max-failures` limits: failed questions, and unreadable rows of the file."""
        return self.failed + self.counter.unreadable

    @property
    def total(self) -> int:
        """The number of which `--max-failures P%` takes a share."""
        return self.counter.questions + self.counter.unreadable

    def counts(self) -> MeasureCounts:
        """The counts of measure.json."""
        return MeasureCounts(
            episodes=self.episodes,
            episodes_measured=len(self.episode_ids),
            questions=self.sums.prompts + self.failed,
            questions_measured=self.sums.prompts,
            questions_failed=self.failed,
            unreadable=self.counter.unreadable,
            kept=self.kept,
        )


def _messages(episode: EpisodeMeasurement) -> Iterator[str]:
    """A line per error, however many questions of the episode have it."""
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
