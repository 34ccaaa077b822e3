"""The last step of every converter: write its episodes to one file and print a summary."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import click
from tqdm import tqdm

from socialcli.converting.report import Report
from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.episode import annotated_coverage
from socialcli.episodes.coverage.messages import coverage_line, coverage_warning
from socialcli.episodes.records import Episode
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import AnnotationError, InvalidInputError
from socialcli.logs import shows_bars

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Where to write the episodes, and what was counted on the way."""

    output: Path
    media_root: Path  # video paths are relative to this folder
    overwrite: bool
    as_json: bool
    report: Report
    found: Counter[str] = field(default_factory=Counter)
    coverage: CoverageCounter = field(default_factory=CoverageCounter)

    def write(self, episodes: Iterable[Episode]) -> None:
        """Write the episodes as they arrive, then print how many there are and what was skipped.

        Raises whatever the sources raise, and then leaves no file. An episode that violates the format counts as a bad
        part of the sources.
        """
        with EpisodeWriter(self.output) as writer:
            for episode in _with_progress(episodes):
                with self.report.skipping_bad():
                    _write(writer, episode)
                    self._count(episode)
            if not self.found["episodes"]:
                counts = "; ".join(f"{number} {what}" for what, number in self.report.counts.items())
                raise InvalidInputError(f"the sources yielded no episode ({counts or 'they are empty'})")
            self._check_boxes()
        self._print_summary()

    def _check_boxes(self) -> None:
        """Raise InvalidInputError if the sources have boxes of people but every one was dropped."""
        report = self.report
        if report.boxes_read and not report.boxes_kept:
            why = "; ".join(f"{number} {what}" for what, number in report.counts.items())
            raise InvalidInputError(f"all {report.boxes_read} boxes of the sources were dropped ({why}); correct them")

    def _count(self, episode: Episode) -> None:
        self.found.update(episodes=1, questions=len(episode.questions), boxes=len(episode.boxes))
        self.coverage.add(annotated_coverage(episode))
        self.found.update(Counter(f"questions of {question.task}" for question in episode.questions))

    def _print_summary(self) -> None:
        _log.info("wrote %s", self.output)
        coverage = self.coverage.total()
        warning = coverage_warning(coverage) if coverage.is_expected else None
        if warning is not None:
            self.report.warn(warning)
        if self.as_json:
            account = {"output": str(self.output), "found": dict(self.found), "skipped": self.report.skipped}
            account |= {"notes": dict(self.report.counts), "coverage": coverage.as_record()}
            click.echo(json.dumps(account, ensure_ascii=False))
            return
        skipped = {"parts of the sources skipped": self.report.skipped} if self.report.skipped else {}
        for what, number in {**self.found, **self.report.counts, **skipped}.items():
            click.echo(f"{number:>9,}  {what}")
        click.echo(coverage_line(coverage))


def _write(writer: EpisodeWriter, episode: Episode) -> None:
    try:
        writer.write(episode)
    except (AnnotationError, UnicodeEncodeError) as error:
        raise AnnotationError(f"the sources of {episode.episode_id!r} give no valid episode: {error}") from error


def _with_progress(episodes: Iterable[Episode]) -> Iterable[Episode]:
    """The episodes, with a progress bar on a terminal."""
    return tqdm(episodes, desc="convert", unit=" episodes", disable=not shows_bars(), dynamic_ncols=True)
