"""A sweep from its settings to its folder: check, load the model, ask everything under every setting, then choose.

It is a run whose conditions are settings, and goes on as a run does: an answer that is in the folder, under a setting
of an earlier grid or from before a kill, is not asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.alignment.rules import BiasRule
from socialcli.episodes.counting import count_questions, has_question
from socialcli.episodes.reading import EpisodeRow, read_records
from socialcli.episodes.several import read_files
from socialcli.errors import InvalidInputError, UsageError
from socialcli.jobs.counts import Tally
from socialcli.jobs.coverage import check_coverage
from socialcli.jobs.finished import finished_work, tell_finished
from socialcli.jobs.grid import OPTIONS, Grid, Setting, setting_of
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import check_request, manifest_before, take_up
from socialcli.jobs.request import RunRequest
from socialcli.jobs.selection import select, split_of
from socialcli.jobs.splits import Splits, resolve_splits
from socialcli.models.contract import Adapter
from socialcli.plugins.registry import Registry
from socialcli.results.folder import FigureFormat
from socialcli.results.inputs import Inputs
from socialcli.results.keys import files_digest
from socialcli.results.manifest import Manifest
from socialcli.results.predictions import Prediction, read_predictions
from socialcli.settings.run import RunSettings
from socialcli.stats.accuracy import AccuracyRow, accuracy_table, read_accuracy, write_accuracy
from socialcli.verbs.run.work import RunWork, Watch, unwatched
from socialcli.verbs.sweep.choice import SweepTable, choices, unchosen
from socialcli.verbs.sweep.files import Sweep, SweepFolder, settings_in, write_sweep
from socialcli.verbs.sweep.plot import draw_sweep
from socialcli.verbs.sweep.settings import SETTINGS

if TYPE_CHECKING:
    from socialcli.alignment.attention import Alignment
    from socialcli.jobs.answer import LocalEngine

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What `socialcli sweep` was asked to do."""

    settings: RunSettings  # what all conditions share; its own alpha, lambda, layers and bias are not used
    grid: Grid
    output: Path
    validation: str | None = None  # the split to choose on; None: the one with one of the usual names
    test: tuple[str, ...] = ()  # the splits to report on; none: all others
    overwrite: bool = False  # begin anew in a folder that holds a sweep or run
    command: Sequence[str] = ()  # the command line, for sweep.json
    retry_failed: bool = False  # ask again what failed, instead of keeping it
    figure_format: FigureFormat = "png"

    @property
    def as_run(self) -> RunRequest:
        """What a sweep is asked to do as a run is."""
        return RunRequest(self.settings, self.output, self.overwrite, self.command, self.retry_failed)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep left: sweep.json as it was written, and the figures that it was chosen from."""

    sweep: Sweep
    table: SweepTable


def sweep(request: SweepRequest, registry: Registry, watch: Watch = unwatched) -> SweepResult:
    """Do the sweep, or what an earlier one in the folder has left of it; nothing where all is done and as it was.

    `watch` sees every row, and how many there will be (a progress bar).

    Failed questions are rows, and more of them than allowed are the manifest's `exit_code`, not an error. Raises what
    `check_job` and loading the model raise, FolderInUseError, and UsageError for values and splits that do not exist,
    and where the folder holds a sweep with other settings; all with the folder untouched. InvalidInputError where no
    row of the file is an episode; OSError where results cannot be written. Once the work has begun, whatever ends it
    leaves the rows that were done, and a sweep.json that says how it ended.
    """
    folder = SweepFolder(request.output, request.figure_format)
    request.grid.check(request.settings)
    rules = {name: registry.bias_rule(name).item for name in request.grid.bias}
    check_request(request.as_run)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    splits = _splits(request)
    _check_asked(job, splits)
    if (left := _finished(request, job, folder, splits)) is not None:
        return left
    with folder.held():
        return _swept(request, job, folder, rules, splits, inputs, watch)


def _swept(
    request: SweepRequest,
    job: Job,
    folder: SweepFolder,
    rules: dict[str, BiasRule],
    splits: Splits,
    inputs: Inputs,
    watch: Watch,
) -> SweepResult:
    before = manifest_before(request.as_run, folder, job)
    told = check_coverage(job.settings, job.tasks, _of_splits(read_files(job.settings.selection.files), splits))
    manifest = Manifest.begin(job.settings, request.command, job.identity, files_digest(job.settings.selection.files))
    _log.info("loading %s", job.source)
    adapter = job.model.item.load_checked(job.load_options)
    settings = request.grid.settings(len(adapter.layers))
    engine = _engine(job, adapter, settings, rules)
    inputs.add_folders(engine.files)
    manifest = take_up(folder, manifest, before, engine.identity, request.overwrite)
    _log.info("conditions: without alignment, and %d of %d combinations", len(settings) - 1, request.grid.combinations)
    begun_now = Sweep(manifest=manifest, grid=request.grid, settings=settings, splits=splits)
    tally = Tally(told_uncovered=bool(told))
    work = _SweepWork(request.as_run, job, folder, engine, {}, inputs, lambda _: None, tally, sweep=begun_now)
    work.do(manifest, watch, (*told, *filter(None, [splits.warning])))
    return SweepResult(work.sweep, work.table)


def _finished(request: SweepRequest, job: Job, folder: SweepFolder, splits: Splits) -> SweepResult | None:
    """What the sweep left that is to be done again, if it came to its end and all it depends on is as it was then."""
    found = finished_work(folder, request.as_run, job.model.item, SETTINGS)
    if found is None:
        return None
    manifest, before = found
    asked = settings_in(before)
    same = before.get("grid") == request.grid.as_record() and before.get("splits") == splits.as_record()
    if not same or asked is None or not folder.is_drawn_in_its_format(*OPTIONS):
        return None
    try:
        table = _table(read_accuracy(folder.accuracy), folder, asked)
    except InvalidInputError:
        return None  # the sweep writes the table again
    done = Sweep(manifest=manifest, grid=request.grid, settings=asked, splits=splits, asked=before.get("asked"))
    tell_finished(folder, manifest, told=(splits.warning,))
    return SweepResult(replace(done, best=choices(table, splits)), table)


def _table(accuracy: Sequence[AccuracyRow], folder: SweepFolder, settings: Sequence[Setting]) -> SweepTable:
    return SweepTable(accuracy, lambda: read_predictions(folder.predictions), settings)


def _splits(request: SweepRequest) -> Splits:
    """The splits to choose and to report on; reads the file once, to tell of a misspelt one before the work."""
    records = (line.record for line in read_records(Path(request.settings.selection.episodes)))
    found = {split_of(record) for record in records if isinstance(record, dict)}
    splits = resolve_splits(found, request.validation, request.test)
    if splits.warning:
        _log.warning("%s", splits.warning)
    return splits


def _check_asked(job: Job, splits: Splits) -> None:
    """Raise UsageError where no question of the tasks is in the splits; the file as a whole has some."""
    settings = job.settings.changed(limit=None)
    if has_question(settings.selection.files, job.tasks, splits.asked):
        return
    rows = _of_splits(read_files(settings.selection.files), splits)
    if next(select(rows, settings, job.tasks, Tally(), quiet=True), None) is None:
        tasks, names = (", ".join(sorted(map(str, found))) for found in (job.tasks, splits.asked))
        raise UsageError(f"{settings.selection.episodes}: no question of {tasks} is in the splits to ask ({names})")


def _of_splits(rows: Iterator[EpisodeRow], splits: Splits) -> Iterator[EpisodeRow]:
    """The rows of the splits that count, and those of which nobody knows the split."""
    for row in rows:
        if row.record is None or split_of(row.record) in splits.asked:
            yield row


def _engine(job: Job, adapter: Adapter, settings: Sequence[Setting], rules: dict[str, BiasRule]) -> LocalEngine:
    from socialcli.jobs.answer import LocalEngine  # imports torch, as loading the model has done
    from socialcli.jobs.conditions import alignment_of

    def condition(setting: Setting) -> Alignment | None:
        values = {name: value for name, value in asdict(setting).items() if value is not None}
        if setting.bias is None:  # the plain model
            return None
        return alignment_of(replace(job.settings.alignment, **values), rules[setting.bias])

    return LocalEngine(job, adapter, list(map(condition, settings)))


@dataclass
class _SweepWork(RunWork):
    """A sweep whose model is loaded, and whose folder is held."""

    folder: SweepFolder
    sweep: Sweep = field(kw_only=True)
    table: SweepTable = field(init=False)  # once all is asked

    def _record(self, manifest: Manifest) -> None:
        self.sweep = replace(self.sweep, manifest=manifest)
        write_sweep(self.folder.manifest, self.sweep)

    def _episodes(self) -> Iterator[EpisodeRow]:
        return _of_splits(self.job.episodes, self.sweep.splits)

    def _total(self) -> int:
        settings = self.request.settings
        asked = count_questions(
            settings.selection.files, self.job.tasks, self.sweep.splits.asked, settings.selection.limit
        )
        return asked * len(self.sweep.settings)

    def _left_out(self, row: Prediction) -> bool:
        """Of a setting that is not in the grid, or of a split that is not asked: a wider command has them again."""
        return setting_of(row) not in self.sweep.settings or row.split not in self.sweep.splits.asked

    def _check_failures(self, total: int) -> None:
        """Ask everything: the limit on failures decides nothing but the exit code."""

    def _write_table(self) -> list[AccuracyRow]:
        accuracy = accuracy_table(read_predictions(self.folder.predictions))
        write_accuracy(self.folder.accuracy, accuracy)
        self.table = _table(accuracy, self.folder, self.sweep.settings)
        best = choices(self.table, self.sweep.splits)
        self.sweep = replace(self.sweep, best=best, asked=self._asked_under())
        for old in self.folder.plots:  # an option that has a single value now has none
            old.unlink()
        draw_sweep(self.folder, self.table, self.sweep)
        return accuracy

    def _tell_kept(self, there: int) -> None:
        asked = self._asked_under()
        _log.info(
            "%d settings kept, %d asked (%d answers kept, %d asked)%s",
            *(len(self.sweep.settings) - asked, asked, self.tally.kept, self.tally.asked.total()),
            "; others are kept in set_aside.parquet, for when they are asked for" * self.folder.set_aside.exists(),
        )

    def _asked_under(self) -> int:
        """The number of settings under which the model was asked for any answer."""
        return sum(1 for setting in self.sweep.settings if self.tally.asked[setting])

    def _results(self) -> list[Path]:
        return [self.folder.predictions, self.folder.accuracy, *self.folder.plots]

    def _found(self) -> list[str]:
        return [*super()._found(), *unchosen(self.table, self.sweep.splits)]
