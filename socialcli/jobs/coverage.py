"""Check whether anything can be aligned before the model is loaded, since the work may take hours."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.messages import check_min_coverage, coverage_warning
from socialcli.episodes.file_set import read_files
from socialcli.episodes.reading import EpisodeRow
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.selection import select
from socialcli.settings.run import RunSettings

_log = logging.getLogger(__name__)


def check_coverage(
    settings: RunSettings, tasks: Collection[str], rows: Iterable[EpisodeRow] | None = None, quiet: bool = False
) -> tuple[str, ...]:
    """Check the annotated coverage of the selected episodes against `--min-coverage`; return the warnings.

    Reads `rows` (default: the episodes files) to the end with `--min-coverage`, else only until an utterance is near a
    box of its speaker. Reads nothing where nothing is to be aligned to a speaker's boxes. `quiet`: do not log the
    warnings. Raises InvalidInputError below `--min-coverage`.
    """
    if settings.alignment.mode == "off" or settings.alignment.regions != "boxes":
        return ()  # other regions are known with the prompts at the earliest
    rows = read_files(settings.selection.files) if rows is None else rows
    counter = JobCounter()
    for _ in select(rows, settings, tasks, counter, quiet=True):
        if settings.checks.min_coverage is None and counter.coverage.near:
            return ()
    return warn_of_coverage(counter.coverage, settings, quiet)


def warn_of_coverage(found: CoverageCounter, settings: RunSettings, quiet: bool = False) -> tuple[str, ...]:
    """Warn where nothing is covered, unless `quiet`; return the warning.

    Raises InvalidInputError below `--min-coverage`.
    """
    coverage = found.total(settings.prompt.box_gap)
    check_min_coverage(coverage, settings.checks.min_coverage)
    warning = coverage_warning(coverage)
    if warning is None:
        return ()
    if not quiet:
        _log.warning("%s", warning)
    return (warning,)
