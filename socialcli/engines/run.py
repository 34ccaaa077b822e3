"""A run from its settings to its folder: check, load the model, write the rows, then the table.

In that order, so that a mistake is told as early as it can be seen: names and paths before torch is imported, what only
the model knows before earlier results are replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.engines.checking import Job, check_job
from socialcli.engines.progress import FailureLog
from socialcli.engines.selection import select
from socialcli.engines.tally import Tally
from socialcli.plugins import Registry
from socialcli.runs.accuracy import AccuracyRow, accuracy_table, write_accuracy
from socialcli.runs.folder import OutputFolder
from socialcli.runs.interrupts import uninterrupted
from socialcli.runs.keys import file_digest
from socialcli.runs.manifest import Manifest, Outcome, ending, write_manifest
from socialcli.runs.predictions import Prediction, PredictionWriter, read_predictions
from socialcli.runs.settings import FailureLimit, RunSettings

if TYPE_CHECKING:
    from socialcli.engines.invariance import InvarianceCheck
    from socialcli.engines.local import LocalEngine

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[Prediction]], Iterable[Prediction]]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `socialcli run` was asked to do."""

    settings: RunSettings
    output: Path
    overwrite: bool = False  # replace the results of an earlier run
    command: Sequence[str] = ()  # the command line, for the manifest


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left: the accuracy table, and the manifest as it was written."""

    accuracy: Sequence[AccuracyRow]
    manifest: Manifest


def execute(request: RunRequest, registry: Registry, watch: Watch = iter) -> RunResult:
    """Do the run. `watch` sees every row on its way to the file (a progress bar).

    Failed questions are rows, and more of them than allowed are the manifest's `exit_code`, not an error. Raises what
    `check_job` and loading the model raise, with the folder untouched; InvalidInputError where no row of the file is an
    episode; OSError where results cannot be written. Once the work has begun, whatever ends it leaves the rows that
    were done, and a run.json that says how it ended.
    """
    settings = request.settings
    job = check_job(settings, request.output, request.overwrite, registry)
    manifest = Manifest.begin(settings, request.command, job.identity, file_digest(Path(settings.episodes)))
    engine = _engine(job)
    manifest = replace(manifest, model=engine.identity)
    job.folder.prepare(request.overwrite)
    write_manifest(job.folder.manifest, manifest)
    tally = Tally()
    try:
        check = _invariance_check(engine, settings.check_invariance)
        accuracy = _work(job, engine, tally, check, watch)
        manifest = _done(replace(manifest, invariance=check.changes() if check else None), tally, job)
        write_manifest(job.folder.manifest, manifest)
    except BaseException as error:
        with uninterrupted():
            _record_end(job.folder, manifest, tally, error)
        raise
    _log.info("the results are in %s", job.folder.path)
    return RunResult(accuracy, manifest)


def _engine(job: Job) -> LocalEngine:
    from socialcli.engines.local import LocalEngine  # imports torch: seconds

    _log.info("loading %s", job.source)
    return LocalEngine.load(job)


def _invariance_check(engine: LocalEngine, count: int) -> InvarianceCheck | None:
    from socialcli.engines.invariance import InvarianceCheck  # imports torch, as the engine has done

    return InvarianceCheck(engine, count) if count else None


def _work(
    job: Job, engine: LocalEngine, tally: Tally, check: InvarianceCheck | None, watch: Watch
) -> list[AccuracyRow]:
    """Write a row for every question and condition, then the table of them."""
    with PredictionWriter(job.folder.predictions) as writer:
        for prediction in watch(_predictions(job, engine, tally, check)):
            writer.write(prediction)
            tally.add(prediction)
    tally.check_readable()
    accuracy = accuracy_table(read_predictions(job.folder.predictions), job.settings.seed)
    write_accuracy(job.folder.accuracy, accuracy)
    return accuracy


def _predictions(job: Job, engine: LocalEngine, tally: Tally, check: InvarianceCheck | None) -> Iterator[Prediction]:
    failures = FailureLog()
    for selection, rows in engine.answer(select(job.episodes, job.settings, job.tasks, tally)):
        failures.note(selection.row, rows)
        if check is not None:
            check.compare(selection, rows)
        tally.note_choice(selection.row.episode.episode_id if selection.row.episode else None, job.heads)
        yield from rows


def _done(manifest: Manifest, tally: Tally, job: Job) -> Manifest:
    """The manifest of a run that came to its end, successfully or not."""
    warnings = tally.warnings(job.settings, job.tasks)
    for warning in warnings:
        _log.warning("%s", warning)
    over = FailureLimit.parse(job.settings.max_failures).exceeded(tally.failures, tally.total)
    outcome: Outcome = "failures" if over else "done"
    return manifest.end(outcome, 3 if over else 0, tally.counts(), tally.problems, warnings)


def _record_end(folder: OutputFolder, manifest: Manifest, tally: Tally, error: BaseException) -> None:
    """Write how a run broke off. Where even that fails, the error itself is what the user must hear."""
    outcome, code = ending(error)
    problems = [*filter(None, [str(error)]), *tally.problems]
    try:
        write_manifest(folder.manifest, manifest.end(outcome, code, tally.counts(), problems))
    except OSError as refused:
        _log.warning("%s still says that the run is on: it cannot be written (%s)", folder.manifest, refused.strerror)
