"""The work of `socialcli run`: check the settings, load the model, write the rows, then the accuracy table.

In this order, so that every mistake is reported as early as possible: wrong names and paths before torch is imported,
and what only the model knows before earlier results are replaced.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from socialcli.jobs.counts import JobCounter
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import JobStart, check_request, recorded
from socialcli.jobs.request import JobRequest, RunResult
from socialcli.plugins.registry import Registry
from socialcli.results.folder import OutputFolder
from socialcli.results.inputs import Inputs
from socialcli.results.manifest import Manifest
from socialcli.results.predictions import read_predictions
from socialcli.stats.accuracy import accuracy_table, write_accuracy
from socialcli.verbs.run.status import RunStatus
from socialcli.verbs.run.writing import AnswerWriter, ShowProgress, show_nothing

if TYPE_CHECKING:
    from socialcli.jobs.answer import Answerer
    from socialcli.verbs.run.invariance import InvarianceCheck

_log = logging.getLogger(__name__)


def execute(
    request: JobRequest,
    registry: Registry,
    show: ShowProgress = show_nothing,
    on_abort: Callable[[Manifest], None] = lambda _: None,
) -> RunResult:
    """Do the run, or resume the one in the folder.

    `show` (a progress bar) gets the rows and their expected number, and passes every row on. `on_abort` gets the
    manifest of a run that an error or an interrupt ended.

    Failed questions are rows, and too many of them are the manifest's `exit_code`, not an error; but where the
    settings name a limit, TooManyFailuresError is raised as soon as it is exceeded. Before the work begins, and with
    the folder untouched, raises what `check_job`, `JobStart` and loading the model raise, and FolderInUseError. Later
    raises InvalidInputError where no row of the file is an episode, and OSError where results cannot be written;
    whatever ends the work, the finished rows stay, and run.json says how it ended.
    """
    folder = OutputFolder(request.output)
    check_request(request)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    with folder.locked():
        start = JobStart.check(request, folder, job)
        started = time.monotonic()
        answerer = _load(job)
        seconds = {"load": time.monotonic() - started}
        counter = JobCounter(coverage_warned=bool(start.coverage_warnings))
        status = RunStatus(start.begin(answerer, inputs), job, answerer, counter, seconds)
        with recorded(folder, status, on_abort) as record:
            check = _invariance_check(answerer, request.settings.checks.check_invariance)
            writer = _writer(request, folder, status, inputs, check)
            if earlier := writer.write(show, record.update):
                _log.info("%d answers of %d in the folder still hold", counter.kept, earlier)
            accuracy = accuracy_table(read_predictions(folder.predictions))
            write_accuracy(folder.accuracy, accuracy)
            status.invariance = check.changes() if check else None
            inputs.write(folder.inputs, [folder.predictions, folder.accuracy])
            folder.remove_parts()
            status.complete()
        _log.info("the results are in %s", folder.path)
        return RunResult(accuracy, record.manifest)


def _writer(
    request: JobRequest, folder: OutputFolder, status: RunStatus, inputs: Inputs, check: InvarianceCheck | None
) -> AnswerWriter:
    return AnswerWriter(
        job=status.job,
        folder=folder,
        answerer=status.answerer,
        inputs=inputs,
        counter=status.counter,
        retry_failed=request.retry_failed,
        episodes=status.job.episodes,
        splits=request.settings.selection.splits,
        limit=request.settings.checks.max_failures,
        on_answered=lambda answered: check.compare(answered.selection, answered.rows) if check else None,
    )


def _load(job: Job) -> Answerer:
    from socialcli.jobs.answer import Answerer  # imports torch: seconds

    _log.info("loading %s", job.source)
    return Answerer.load(job)


def _invariance_check(answerer: Answerer, count: int) -> InvarianceCheck | None:
    from socialcli.verbs.run.invariance import InvarianceCheck  # imports torch, as the answerer has done

    return InvarianceCheck(answerer, count) if count else None
