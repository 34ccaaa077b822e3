"""The last step of every converter: its episodes into one whole file, and an account of what became of what."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from socialcli.converting.report import Report
from socialcli.episodes.coverage.text import coverage_line, coverage_warning
from socialcli.episodes.coverage.total import CoverageTally
from socialcli.episodes.coverage.utterances import annotated_coverage
from socialcli.episodes.formats.kinds import SUFFIXES
from socialcli.episodes.records import Episode
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import AnnotationError, InvalidInputError, NotThereError, UsageError
from socialcli.logs import shows_bars
from socialcli.options.config import config_option
from socialcli.options.verbosity import logging_options

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Where the episodes go, and how strictly the sources are read."""

    output: Path
    media_root: Path  # the folder that videos are named from
    overwrite: bool
    as_json: bool
    report: Report
    found: Counter[str] = field(default_factory=Counter)
    coverage: CoverageTally = field(default_factory=CoverageTally)

    def write(self, episodes: Iterable[Episode]) -> None:
        """Write the episodes as they come, and print what they are and what was left out.

        Raises whatever the sources raise; then nothing is left. An episode that breaks the format is a bad part of the
        sources, as any other.
        """
        with EpisodeWriter(self.output) as writer:
            for episode in _shown(episodes):
                with self.report.sparing():
                    _write(writer, episode)
                    self._count(episode)
            if not self.found["episodes"]:
                left_out = "; ".join(f"{number} {what}" for what, number in self.report.counts.items())
                raise InvalidInputError(f"nothing in the sources became an episode ({left_out or 'they are empty'})")
            self._check_boxes()
        self._tell()

    def _check_boxes(self) -> None:
        """Raise InvalidInputError where the sources have boxes of people, and each of them was dropped."""
        report = self.report
        if report.boxes_met and not report.boxes_kept:
            why = "; ".join(f"{number} {what}" for what, number in report.counts.items())
            raise InvalidInputError(f"all {report.boxes_met} boxes of the sources were dropped ({why}); correct them")

    def _count(self, episode: Episode) -> None:
        self.found.update(episodes=1, questions=len(episode.questions), boxes=len(episode.boxes))
        self.coverage.add(annotated_coverage(episode))
        self.found.update(Counter(f"questions of {question.task}" for question in episode.questions))

    def _tell(self) -> None:
        _log.info("wrote %s", self.output)
        coverage = self.coverage.total()
        warning = coverage_warning(coverage) if coverage.tracked else None
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
        raise AnnotationError(f"what was read for {episode.episode_id!r} makes no valid episode: {error}") from error


def _check_output(output: Path, overwrite: bool) -> None:
    """Raise UsageError or NotThereError where the episodes could not be written, before anything is read."""
    if not output.name.lower().endswith(SUFFIXES):
        raise UsageError(f"{output}: name a file that ends in one of {', '.join(SUFFIXES)}")
    if not output.parent.is_dir():
        raise NotThereError(f"{output.parent}: there is no such folder to write into")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} is there already; name another file, or replace it with --overwrite")


def _shown(episodes: Iterable[Episode]) -> Iterable[Episode]:
    """The episodes, with a bar on a terminal."""
    return tqdm(episodes, desc="convert", unit=" episodes", disable=not shows_bars(), dynamic_ncols=True)


def context_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a converter's command what its episodes show around an utterance: `context` and `online`."""
    online = click.option(
        "--online", is_flag=True, help="Show nothing that comes after the utterance, neither words nor pictures."
    )
    context = click.option(
        "--context",
        type=click.IntRange(0, 1000),
        default=5,
        show_default=True,
        metavar="N",
        help="Utterances before and after the one that is asked about.",
    )
    return context(online(function))


def conversion_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a converter's command the options that all have; it gets them as `conversion`, a Conversion."""

    @wraps(function)
    def command(
        output: Path, media_root: Path | None, overwrite: bool, skip_bad: bool, as_json: bool, **own: Any
    ) -> Any:
        _check_output(output, overwrite)
        root = media_root or output.parent
        return function(conversion=Conversion(output, root, overwrite, as_json, Report(skip_bad)), **own)

    options = (
        config_option,
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            required=True,
            metavar="FILE",
            help="The episodes file: .parquet, .jsonl or .jsonl.gz.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace the episodes file."),
        click.option(
            "--media-root",
            type=click.Path(path_type=Path, file_okay=False),
            help="The folder that videos are named from, as in `socialcli run`.  [default: the folder of FILE]",
        ),
        click.option(
            "--skip-bad", is_flag=True, help="Skip what cannot be read, count it and go on; default: stop there."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the account as one JSON object."),
        logging_options,
    )
    for option in reversed(options):
        command = option(command)
    return command
