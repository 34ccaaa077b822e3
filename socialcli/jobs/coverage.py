"""Whether anything can be aligned, told before the model is loaded: loading and asking may take hours."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from socialcli.episodes.coverage.text import check_min_coverage, coverage_warning
from socialcli.episodes.coverage.total import CoverageTally
from socialcli.episodes.reading import EpisodeRow
from socialcli.episodes.several import read_files
from socialcli.jobs.counts import Tally
from socialcli.jobs.selection import select
from socialcli.settings.run import RunSettings

_log = logging.getLogger(__name__)


def check_coverage(
    settings: RunSettings, tasks: Collection[str], rows: Iterable[EpisodeRow] | None = None, quiet: bool = False
) -> tuple[str, ...]:
    """Hold the annotation of the episodes that a run selects against `--min-coverage`; return what was warned of.

    `quiet`: only return it, for the caller tells it with other things.

    Reads `rows`, by default the episodes file, from its start: to the end with `--min-coverage`, else only until an
    utterance is near a box of its speaker, for the only thing to tell is that none is. Raises InvalidInputError where
    too few are. Where nothing is to be aligned, nothing is read.
    """
    if settings.alignment.mode == "off":
        return ()
    rows = read_files(settings.selection.files) if rows is None else rows
    tally = Tally()
    for _ in select(rows, settings, tasks, tally, quiet=True):
        if settings.checks.min_coverage is None and tally.coverage.near:
            return ()
    return tell_coverage(tally.coverage, settings, quiet)


def tell_coverage(tally: CoverageTally, settings: RunSettings, quiet: bool = False) -> tuple[str, ...]:
    """Warn where nothing is covered, unless `quiet`; return the warning.

    Raises InvalidInputError below `--min-coverage`.
    """
    coverage = tally.total(settings.prompt.box_gap)
    check_min_coverage(coverage, settings.checks.min_coverage)
    warning = coverage_warning(coverage)
    if warning is None:
        return ()
    if not quiet:
        _log.warning("%s", warning)
    return (warning,)
