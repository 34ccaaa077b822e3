"""The work of `socialcli stress`: check, load the model, ask everything with every annotation error, then compare.

Only plans differ between the conditions: prompts, frames and visual prefixes are those of the annotation as it is.
Rows are written, and the work resumes, as in a run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from socialcli.errors import UsageError
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.finished import finished_work, log_finished
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import JobStart, check_request, recorded
from socialcli.jobs.request import JobRequest
from socialcli.plots.formats import FigureFormat
from socialcli.plugins.registry import Registry
from socialcli.results.inputs import Inputs
from socialcli.results.predictions import read_predictions
from socialcli.stats.accuracy import accuracy_table, write_accuracy
from socialcli.verbs.run.status import RunStatus
from socialcli.verbs.run.writing import AnswerWriter, ShowProgress, show_nothing
from socialcli.verbs.stress.files import Stress, StressFolder, StressStatus
from socialcli.verbs.stress.levels import ErrorLevels
from socialcli.verbs.stress.limits import limits_of
from socialcli.verbs.stress.plot import draw_stress
from socialcli.verbs.stress.settings import SETTINGS
from socialcli.verbs.stress.table import StressRow, stress_table, write_stress

if TYPE_CHECKING:
    from socialcli.jobs.answer import Answerer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StressRequest(JobRequest):
    """What `socialcli stress` was asked to do."""

    errors: ErrorLevels
    figure_format: FigureFormat = "png"


@dataclass(frozen=True, slots=True)
class StressResult:
    """What a stress test wrote: stress.json and stress.parquet."""

    stress: Stress
    rows: Sequence[StressRow]


def stress(request: StressRequest, registry: Registry, show: ShowProgress = show_nothing) -> StressResult:
    """Do the stress test, or resume the one in the folder; do nothing where it is finished and nothing has changed.

    `show` (a progress bar) gets the rows and their expected number, and passes every row on.

    Failed questions are rows, and too many of them are the manifest's `exit_code`, not an error. Before the work
    begins, and with the folder untouched, raises what `check_job`, `JobStart` and loading the model raise, and
    FolderInUseError. Later raises InvalidInputError where no row of the file is an episode, and OSError where results
    cannot be written; whatever ends the work, the finished rows stay, and stress.json says how it ended.
    """
    folder = StressFolder(request.output, request.figure_format)
    if request.settings.alignment.alpha == 0:
        raise UsageError("--alpha 0 is the plain model, which no annotation reaches: name a value above 0")
    check_request(request)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    if (finished := _finished(request, job, folder)) is not None:
        return finished
    with folder.locked():
        start = JobStart.check(request, folder, job)
        answerer = _load(job, request.errors)
        begun = start.begin(answerer, inputs)
        counter = JobCounter(coverage_warned=bool(start.coverage_warnings))
        status = StressStatus(RunStatus(begun, job, answerer, counter), Stress(manifest=begun, errors=request.errors))
        with recorded(folder, status) as record:
            if earlier := _writer(request, folder, status, inputs).write(show, record.update):
                _log.info("%d answers of %d in the folder still hold", counter.kept, earlier)
            rows = _write_tables(folder, status)
            inputs.write(folder.inputs, [folder.predictions, folder.accuracy, folder.table, *folder.plots])
            folder.remove_parts()
            status.run.complete()
        _log.info("the results are in %s", folder.path)
        return StressResult(record.manifest, rows)


def _load(job: Job, errors: ErrorLevels) -> Answerer:
    """The model, to be asked without the alignment, with it, and with every annotation error."""
    _log.info("loading %s", job.source)
    adapter = job.model.item.load_checked(job.load_options)
    from socialcli.jobs.answer import Answerer  # imports torch, as loading the model has done
    from socialcli.jobs.conditions import job_alignment

    exact = job_alignment(job, adapter)
    with_errors = [replace(exact, steering=replace(exact.steering, perturbation=one)) for one in errors.perturbations()]
    _log.info("conditions: without alignment, with it, and with annotation errors: %d", len(with_errors))
    return Answerer(job, adapter, [None, exact, *with_errors])


def _writer(request: StressRequest, folder: StressFolder, status: StressStatus, inputs: Inputs) -> AnswerWriter:
    job = status.run.job
    return AnswerWriter(
        job=job,
        folder=folder,
        answerer=status.run.answerer,
        inputs=inputs,
        counter=status.run.counter,
        retry_failed=request.retry_failed,
        episodes=job.episodes,
        splits=request.settings.selection.splits,
        out_of_scope=status.stress.leaves_out,
    )


def _write_tables(folder: StressFolder, status: StressStatus) -> list[StressRow]:
    """Write accuracy.parquet and stress.parquet, find the limits and draw the pictures."""
    write_accuracy(folder.accuracy, accuracy_table(read_predictions(folder.predictions)))
    rows = stress_table(read_predictions(folder.predictions), status.stress.errors)
    write_stress(folder.table, rows)
    status.stress = replace(status.stress, limits=limits_of(rows, status.stress.errors))
    for old in folder.plots:  # a kind that is not tested now gets no picture
        old.unlink()
    draw_stress(folder, rows, status.stress)
    return rows


def _finished(request: StressRequest, job: Job, folder: StressFolder) -> StressResult | None:
    """The result in the folder, if the same stress test is finished there and nothing it depends on has changed."""
    found = finished_work(folder, request, job.model.item, SETTINGS)
    if found is None:
        return None
    manifest, before = found
    errors = request.errors
    if (before.get("kinds"), before.get("seed")) != (errors.as_record(), errors.seed):
        return None
    if not all(path.suffix == f".{request.figure_format}" for path in folder.plots):
        return None
    rows = stress_table(read_predictions(folder.predictions), errors)
    log_finished(folder, manifest)
    return StressResult(Stress(manifest=manifest, errors=errors, limits=limits_of(rows, errors)), rows)
