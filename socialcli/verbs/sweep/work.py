"""The work of `socialcli sweep`: check, load the model, ask everything under every setting, then choose the best.

A sweep writes its rows as a run does, with settings as conditions, and resumes like one: an answer in the folder, under
a setting of an earlier grid or from before a kill, is reused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.alignment.hooks import layers_of
from socialcli.alignment.rules import BiasRule
from socialcli.episodes.file_set import read_files
from socialcli.episodes.question_count import has_question
from socialcli.episodes.reading import EpisodeRow, read_records
from socialcli.errors import InvalidInputError, UsageError
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.finished import finished_work, log_finished
from socialcli.jobs.grid import Grid, Setting
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import JobStart, check_request, recorded
from socialcli.jobs.request import JobRequest
from socialcli.jobs.selection import select, split_of
from socialcli.jobs.splits import Splits, resolve_splits
from socialcli.plots.formats import FigureFormat
from socialcli.plugins.registry import Registry
from socialcli.results.inputs import Inputs
from socialcli.results.predictions import read_predictions
from socialcli.stats.accuracy import AccuracyRow, accuracy_table, read_accuracy, write_accuracy
from socialcli.verbs.run.status import RunStatus
from socialcli.verbs.run.writing import AnswerWriter, ShowProgress, show_nothing
from socialcli.verbs.sweep.choice import SweepTable, choices, unchosen
from socialcli.verbs.sweep.files import FIGURE_NAMES, Sweep, SweepFolder, settings_in
from socialcli.verbs.sweep.heads_plot import draw_active_heads
from socialcli.verbs.sweep.plot import draw_sweep
from socialcli.verbs.sweep.settings import SETTINGS
from socialcli.verbs.sweep.status import SweepStatus

if TYPE_CHECKING:
    from socialcli.alignment.attention import Alignment
    from socialcli.jobs.answer import Answerer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest(JobRequest):
    """What `socialcli sweep` was asked to do. What the grid names is not taken from the settings."""

    grid: Grid
    validation: str | None = None  # the split to choose on; None: the one with one of the usual names
    test: tuple[str, ...] = ()  # the splits to report on; none: all others
    figure_format: FigureFormat = "png"


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep wrote: sweep.json, and the accuracies that the best settings were chosen from."""

    sweep: Sweep
    table: SweepTable


def sweep(request: SweepRequest, registry: Registry, show: ShowProgress = show_nothing) -> SweepResult:
    """Do the sweep, or resume the one in the folder; do nothing where it is finished and nothing has changed.

    `show` (a progress bar) gets the rows and their expected number, and passes every row on.

    Failed questions are rows, and too many of them are the manifest's `exit_code`, not an error. Before the work
    begins, and with the folder untouched, raises what `check_job`, `JobStart` and loading the model raise,
    FolderInUseError, and UsageError for values and splits that do not exist. Later raises InvalidInputError where no
    row of the file is an episode, and OSError where results cannot be written; whatever ends the work, the finished
    rows stay, and sweep.json says how it ended.
    """
    folder = SweepFolder(request.output, request.figure_format)
    request.grid.check(request.settings)
    rules = {name: registry.bias_rule(name).item for name in request.grid.bias}
    check_request(request)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    splits = _splits(request)
    _check_asked(job, splits)
    if (finished := _finished(request, job, folder, splits)) is not None:
        return finished
    with folder.locked():
        rows = _of_splits(read_files(job.settings.selection.files), splits)
        start = JobStart.check(request, folder, job, rows)
        answerer, settings = _load(request, job, rules)
        begun = start.begin(answerer, inputs, tuple(filter(None, [splits.warning])))
        found = len(settings) - 1, request.grid.combinations
        _log.info("conditions: without alignment, and %d of %d combinations", *found)
        counter = JobCounter(coverage_warned=bool(start.coverage_warnings))
        sweep = Sweep(manifest=begun, grid=request.grid, settings=settings, splits=splits)
        status = SweepStatus(RunStatus(begun, job, answerer, counter), sweep)
        with recorded(folder, status) as record:
            if _writer(request, folder, status, inputs).write(show, record.update):
                _log_reuse(sweep, counter, folder)
            table = _write_tables(folder, status)
            inputs.write(folder.inputs, [folder.predictions, folder.accuracy, *folder.plots])
            folder.remove_parts()
            status.run.complete(unchosen(table, splits))
        _log.info("the results are in %s", folder.path)
        return SweepResult(record.manifest, table)


def _writer(request: SweepRequest, folder: SweepFolder, status: SweepStatus, inputs: Inputs) -> AnswerWriter:
    splits = status.sweep.splits
    return AnswerWriter(
        job=status.run.job,
        folder=folder,
        answerer=status.run.answerer,
        inputs=inputs,
        counter=status.run.counter,
        retry_failed=request.retry_failed,
        episodes=_of_splits(status.run.job.episodes, splits),
        splits=splits.asked,
        out_of_scope=status.sweep.leaves_out,
    )


def _write_tables(folder: SweepFolder, status: SweepStatus) -> SweepTable:
    """Write accuracy.parquet, choose the best settings and draw the pictures."""
    accuracy = accuracy_table(read_predictions(folder.predictions))
    write_accuracy(folder.accuracy, accuracy)
    table = _table(accuracy, folder, status.sweep.settings)
    best, asked = choices(table, status.sweep.splits), _asked(status.sweep, status.run.counter)
    status.sweep = replace(status.sweep, best=best, asked=asked)
    for old in folder.plots:  # an option that has a single value now gets no picture
        old.unlink()
    draw_sweep(folder, table, status.sweep)
    draw_active_heads(folder, table, status.sweep)
    return table


def _asked(sweep: Sweep, counter: JobCounter) -> int:
    """The number of settings under which the model was asked any question."""
    return sum(1 for setting in sweep.settings if counter.asked[setting])


def _log_reuse(sweep: Sweep, counter: JobCounter, folder: SweepFolder) -> None:
    asked = _asked(sweep, counter)
    _log.info(
        "%d settings kept, %d asked (%d answers kept, %d asked)%s",
        *(len(sweep.settings) - asked, asked, counter.kept, counter.asked.total()),
        "; other answers stay in set_aside.parquet for a later grid" * folder.set_aside.exists(),
    )


def _finished(request: SweepRequest, job: Job, folder: SweepFolder, splits: Splits) -> SweepResult | None:
    """The result in the folder, if the same sweep is finished there and nothing that it depends on has changed."""
    found = finished_work(folder, request, job.model.item, SETTINGS)
    if found is None:
        return None
    manifest, before = found
    asked = settings_in(before)
    same = before.get("grid") == request.grid.as_record() and before.get("splits") == splits.as_record()
    if not same or asked is None or not folder.is_drawn_in_its_format(*FIGURE_NAMES):
        return None
    try:
        table = _table(read_accuracy(folder.accuracy), folder, asked)
    except InvalidInputError:
        return None  # write the table again
    done = Sweep(manifest=manifest, grid=request.grid, settings=asked, splits=splits, asked=before.get("asked"))
    log_finished(folder, manifest, logged=(splits.warning,))
    return SweepResult(replace(done, best=choices(table, splits)), table)


def _table(accuracy: Sequence[AccuracyRow], folder: SweepFolder, settings: Sequence[Setting]) -> SweepTable:
    return SweepTable(accuracy, lambda: read_predictions(folder.predictions), settings)


def _splits(request: SweepRequest) -> Splits:
    """The splits to choose and to report on. Reads the file once, so that a misspelt one is reported now."""
    records = (line.record for line in read_records(Path(request.settings.selection.episodes)))
    found = {split_of(record) for record in records if isinstance(record, dict)}
    splits = resolve_splits(found, request.validation, request.test)
    if splits.warning:
        _log.warning("%s", splits.warning)
    return splits


def _check_asked(job: Job, splits: Splits) -> None:
    """Raise UsageError where no question of the tasks is in the splits. (The file as a whole has some.)"""
    settings = job.settings.changed(limit=None)
    if has_question(settings.selection.files, job.tasks, splits.asked):
        return
    rows = _of_splits(read_files(settings.selection.files), splits)
    if next(select(rows, settings, job.tasks, JobCounter(), quiet=True), None) is None:
        tasks, names = (", ".join(sorted(map(str, found))) for found in (job.tasks, splits.asked))
        raise UsageError(f"{settings.selection.episodes}: no question of {tasks} is in the splits to ask ({names})")


def _of_splits(rows: Iterator[EpisodeRow], splits: Splits) -> Iterator[EpisodeRow]:
    """The rows of the splits to ask, and unreadable rows, whose split is unknown."""
    for row in rows:
        if row.record is None or split_of(row.record) in splits.asked:
            yield row


def _load(request: SweepRequest, job: Job, rules: Mapping[str, BiasRule]) -> tuple[Answerer, Sequence[Setting]]:
    """The model, and the settings to ask it under: those that the grid comes to in its decoder."""
    _log.info("loading %s", job.source)
    adapter = job.model.item.load_checked(job.load_options)
    from socialcli.jobs.answer import Answerer  # imports torch, as loading the model has done

    settings = request.grid.settings(layers_of(adapter))
    return Answerer(job, adapter, [_condition(request, setting, rules) for setting in settings]), settings


def _condition(request: SweepRequest, setting: Setting, rules: Mapping[str, BiasRule]) -> Alignment | None:
    """The alignment of a setting; None for the plain model."""
    from socialcli.jobs.conditions import alignment_of

    if setting.bias is None:
        return None
    values = {name: value for name, value in asdict(setting).items() if value is not None}
    (selector,) = {one for one in request.grid.heads_by if one.name == setting.heads_by}
    (mode,) = {one for one in request.grid.steer if one.name == setting.steer}
    return alignment_of(replace(request.settings.alignment, **values), rules[setting.bias], selector, mode)
