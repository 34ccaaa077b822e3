"""A sweep from its settings to its folder: check, load the model, ask everything under every setting, then choose.

In that order, as in a run: a mistake is told as early as it can be seen, and before earlier results are replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.adapters.contract import Adapter
from socialcli.alignment.rules import BiasRule
from socialcli.engines.checking import Job, check_job
from socialcli.engines.coverage import check_coverage
from socialcli.engines.progress import FailureLog
from socialcli.engines.selection import select, split_of
from socialcli.engines.tally import Tally
from socialcli.episodes.reading import EpisodeRow, read_episodes, read_records
from socialcli.plots.sweep import draw_sweep
from socialcli.plugins import Registry
from socialcli.runs.accuracy import accuracy_table, write_accuracy
from socialcli.runs.choice import SweepTable, choices, unchosen
from socialcli.runs.grid import Grid, Setting
from socialcli.runs.interrupts import uninterrupted
from socialcli.runs.keys import file_digest
from socialcli.runs.manifest import Manifest, Outcome, ending
from socialcli.runs.predictions import Prediction, PredictionWriter, read_predictions
from socialcli.runs.settings import FailureLimit, RunSettings
from socialcli.runs.splits import Splits, resolve_splits
from socialcli.runs.sweep import Sweep, SweepFolder, write_sweep

if TYPE_CHECKING:
    from socialcli.alignment.attention import Alignment
    from socialcli.engines.local import LocalEngine

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[Prediction]], Iterable[Prediction]]


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What `socialcli sweep` was asked to do."""

    settings: RunSettings  # what all conditions share; its own alpha, lambda, layers and bias are not used
    grid: Grid
    output: Path
    validation: str | None = None  # the split to choose on; None: the one with one of the usual names
    test: tuple[str, ...] = ()  # the splits to report on; none: all others
    overwrite: bool = False  # replace the results of an earlier sweep or run
    command: Sequence[str] = ()  # the command line, for sweep.json


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep left: sweep.json as it was written, and the figures that it was chosen from."""

    sweep: Sweep
    table: SweepTable


def sweep(request: SweepRequest, registry: Registry, watch: Watch = iter) -> SweepResult:
    """Do the sweep. `watch` sees every row on its way to the file (a progress bar).

    Failed questions are rows, and more of them than allowed are the manifest's `exit_code`, not an error. Raises what
    `check_job` and loading the model raise, and UsageError for values and splits that do not exist, with the folder
    untouched; InvalidInputError where no row of the file is an episode; OSError where results cannot be written.
    Whatever breaks the work off leaves the rows that were done, and a sweep.json that says how it ended.
    """
    folder = SweepFolder(request.output)
    request.grid.check(request.settings)
    rules = {name: registry.bias_rule(name).item for name in request.grid.bias}
    job = check_job(request.settings, registry)
    with folder.held():
        folder.check(request.overwrite)
        return _swept(request, job, folder, rules, watch)


def _swept(
    request: SweepRequest, job: Job, folder: SweepFolder, rules: dict[str, BiasRule], watch: Watch
) -> SweepResult:
    splits = _splits(request)
    rows = _of_splits(read_episodes(Path(job.settings.episodes)), splits)
    told = check_coverage(job.settings, job.tasks, rows)
    begun = Manifest.begin(job.settings, request.command, job.identity, file_digest(Path(job.settings.episodes)))
    _log.info("loading %s", job.source)
    adapter = job.model.item.load_checked(job.load_options)
    settings = request.grid.settings(len(adapter.layers))
    engine = _engine(job, adapter, settings, rules)
    manifest = replace(begun, model=engine.identity, warnings=told)
    work = _Work(job, engine, folder, Sweep(manifest=manifest, grid=request.grid, settings=settings, splits=splits))
    folder.prepare(request.overwrite)
    work.begin()
    try:
        table = work.do(watch)
        done = work.done(table)
    except BaseException as error:
        with uninterrupted():
            work.record_end(error)
        raise
    _log.info("the results are in %s", folder.path)
    return SweepResult(done, table)


def _splits(request: SweepRequest) -> Splits:
    """The splits to choose and to report on; reads the file once, to tell of a misspelt one before the work."""
    records = (line.record for line in read_records(Path(request.settings.episodes)))
    found = {split_of(record) for record in records if isinstance(record, dict)}
    splits = resolve_splits(found, request.validation, request.test)
    if splits.warning:
        _log.warning("%s", splits.warning)
    return splits


def _of_splits(rows: Iterable[EpisodeRow], splits: Splits) -> Iterator[EpisodeRow]:
    """The rows of the splits that count, and those of which nobody knows the split."""
    for row in rows:
        if row.record is None or split_of(row.record) in splits.asked:
            yield row


def _engine(job: Job, adapter: Adapter, settings: Sequence[Setting], rules: dict[str, BiasRule]) -> LocalEngine:
    from socialcli.engines.local import LocalEngine  # imports torch, as loading the model has done

    return LocalEngine(job, adapter, [_alignment(setting, rules) for setting in settings])


def _alignment(setting: Setting, rules: dict[str, BiasRule]) -> Alignment | None:
    from socialcli.alignment.attention import Alignment

    if setting.alpha is None or setting.lambda_ is None or setting.layers is None or setting.bias is None:
        return None
    return Alignment(setting.alpha, setting.lambda_, setting.layers, rules[setting.bias])


class _Work:
    """A sweep whose model is loaded."""

    def __init__(self, job: Job, engine: LocalEngine, folder: SweepFolder, begun: Sweep) -> None:
        self._job = job
        self._engine = engine
        self._folder = folder
        self._sweep = begun
        self._tally = Tally(told_uncovered=bool(begun.manifest.warnings))

    def begin(self) -> None:
        """Write that the work is on."""
        write_sweep(self._folder.manifest, self._sweep)
        grid, asked = self._sweep.grid, len(self._sweep.settings) - 1
        _log.info("conditions: without alignment, and %d of %d combinations", asked, grid.combinations)

    def do(self, watch: Watch) -> SweepTable:
        """Write a row for every question and setting, then the table and the pictures of them."""
        with PredictionWriter(self._folder.predictions) as writer:
            for prediction in watch(self._predictions()):
                writer.write(prediction)
                self._tally.add(prediction)
        self._tally.check_readable()
        accuracy = accuracy_table(read_predictions(self._folder.predictions))
        write_accuracy(self._folder.accuracy, accuracy)
        table = SweepTable(accuracy, lambda: read_predictions(self._folder.predictions), self._sweep.settings)
        self._sweep = replace(self._sweep, best=choices(table, self._sweep.splits))
        draw_sweep(self._folder, table, self._sweep)
        return table

    def done(self, table: SweepTable) -> Sweep:
        """Write how a sweep that came to its end, ended."""
        settings, tally, splits = self._job.settings, self._tally, self._sweep.splits
        told = [*self._sweep.manifest.warnings, *([splits.warning] if splits.warning else [])]
        found = [*tally.warnings(settings, self._job.tasks), *unchosen(table, splits)]
        for warning in found:
            _log.warning("%s", warning)
        over = FailureLimit.parse(settings.max_failures).exceeded(tally.failures, tally.total)
        return self._end("failures" if over else "done", 3 if over else 0, tally.problems, [*told, *found])

    def record_end(self, error: BaseException) -> None:
        """Write how a sweep broke off. Where even that fails, the error itself is what the user must hear."""
        outcome, code = ending(error)
        try:
            self._end(outcome, code, [*filter(None, [str(error)]), *self._tally.problems])
        except OSError as refused:
            _log.warning("%s cannot be written: %s", self._folder.manifest, refused.strerror)

    def _end(self, outcome: Outcome, code: int, problems: Sequence[str], warnings: Sequence[str] = ()) -> Sweep:
        coverage = self._tally.coverage.total(self._job.settings.box_gap)
        manifest = replace(self._sweep.manifest, coverage=coverage).end(
            outcome, code, self._tally.counts(), problems, warnings
        )
        self._sweep = replace(self._sweep, manifest=manifest)
        write_sweep(self._folder.manifest, self._sweep)
        return self._sweep

    def _predictions(self) -> Iterator[Prediction]:
        failures = FailureLog()
        rows = _of_splits(self._job.episodes, self._sweep.splits)
        selections = select(rows, self._job.settings, self._job.tasks, self._tally)
        for answered in chain.from_iterable(self._engine.answer(selections)):
            failures.note(answered.selection.row, answered.rows)
            yield from answered.rows
