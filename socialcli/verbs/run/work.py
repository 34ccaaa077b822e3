"""A run from its settings to its folder: check, load the model, write the rows, then the table.

In that order, so that a mistake is told as early as it can be seen: names and paths before torch is imported, what only
the model knows before earlier results are replaced.

Rows are written twice: as parts, as soon as they are made, and into the file that becomes predictions.parquet when it
is whole. What breaks a run off costs the second; the same run, begun again, fills it from the first.

`RunWork` is that of a sweep too (`socialcli.verbs.sweep.work`), whose conditions are settings.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.episodes.counting import count_questions
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.errors import TooManyFailuresError
from socialcli.interrupts import uninterrupted
from socialcli.jobs.counts import Tally
from socialcli.jobs.coverage import check_coverage
from socialcli.jobs.grid import setting_of
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import check_request, manifest_before, take_up
from socialcli.jobs.progress import FailureLog, tell
from socialcli.jobs.request import RunRequest, RunResult
from socialcli.jobs.selection import Selection, select
from socialcli.plugins.registry import Registry
from socialcli.results.folder import OutputFolder
from socialcli.results.inputs import Inputs
from socialcli.results.kept import KeptRows
from socialcli.results.keys import files_digest
from socialcli.results.manifest import Manifest, Outcome, ending, write_manifest
from socialcli.results.parts import PartWriter
from socialcli.results.predictions import PREDICTIONS, Prediction, read_predictions
from socialcli.results.resume import kept_rows
from socialcli.results.tables import TableWriter, write_any
from socialcli.settings.failures import FailureLimit
from socialcli.stats.accuracy import AccuracyRow, accuracy_table, write_accuracy
from socialcli.verbs.run.failures import Fates

if TYPE_CHECKING:
    from socialcli.jobs.answer import Answered, LocalEngine
    from socialcli.verbs.run.invariance import InvarianceCheck

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[Prediction], int], Iterable[Prediction]]


def unwatched(rows: Iterable[Prediction], _total: int) -> Iterable[Prediction]:
    """Show nothing."""
    return rows


def execute(
    request: RunRequest,
    registry: Registry,
    watch: Watch = unwatched,
    broken_off: Callable[[Manifest], None] = lambda _: None,
) -> RunResult:
    """Do the run, or what an earlier one in the folder has left of it. `watch` sees every row, and how
    many there will be (a progress bar); `broken_off` how a run ended that an error or an interrupt broke off.

    Failed questions are rows, and more of them than allowed are the manifest's `exit_code`, not an error; unless the
    settings name a limit: TooManyFailuresError as soon as it is passed. Raises what `check_job`, `check_coverage` and
    loading the model raise, FolderInUseError, and UsageError where the folder holds a run with other settings, or none
    and what failed in it is to be asked again, all with the folder untouched; InvalidInputError where no row of the
    file is an episode; OSError where results cannot be written. Once the work has begun, whatever ends it leaves the
    rows that were done, and a run.json that says how it ended.
    """
    folder = OutputFolder(request.output)
    check_request(request)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    with folder.held():
        before = manifest_before(request, folder, job)
        settings = request.settings
        told = check_coverage(settings, job.tasks)
        manifest = Manifest.begin(settings, request.command, job.identity, files_digest(settings.selection.files))
        started = time.monotonic()
        engine = _engine(job)
        inputs.add_folders(engine.files)
        stages = {"load": time.monotonic() - started}
        manifest = take_up(folder, manifest, before, engine.identity, request.overwrite)
        work = RunWork(request, job, folder, engine, stages, inputs, broken_off, Tally(told_uncovered=bool(told)))
        return work.do(manifest, watch, told)


def _engine(job: Job) -> LocalEngine:
    from socialcli.jobs.answer import LocalEngine  # imports torch: seconds

    _log.info("loading %s", job.source)
    return LocalEngine.load(job)


@dataclass
class RunWork:
    """A run whose model is loaded, and whose folder is held."""

    request: RunRequest
    job: Job
    folder: OutputFolder
    engine: LocalEngine
    stages: Mapping[str, float]  # seconds spent before
    inputs: Inputs
    broken_off: Callable[[Manifest], None]
    tally: Tally

    def do(self, manifest: Manifest, watch: Watch, told: Sequence[str] = ()) -> RunResult:
        """Write a row for every question and condition, then the table of them, and how it ended.

        `told` are warnings that the user has seen.
        """
        for warning in manifest.warnings:
            _log.warning("%s", warning)
        manifest = replace(manifest, warnings=(*told, *manifest.warnings))
        self._record(manifest)
        try:
            check = self._invariance_check()
            self._write_rows(check, watch, manifest)
            accuracy = self._write_table()
            changes = check.changes() if check else None
            self._settle()
            manifest = self._done(replace(manifest, invariance=changes))
            self._record(manifest)
        except BaseException as error:
            with uninterrupted():
                self._record_end(manifest, error)
            raise
        _log.info("the results are in %s", self.folder.path)
        return RunResult(accuracy, manifest)

    def _record(self, manifest: Manifest) -> None:
        """Write what is known of the run by now, whole or not at all. Raises OSError where it cannot be written."""
        write_manifest(self.folder.manifest, manifest)

    def _invariance_check(self) -> InvarianceCheck | None:
        from socialcli.verbs.run.invariance import InvarianceCheck  # imports torch, as the engine has done

        count = self.request.settings.checks.check_invariance
        return InvarianceCheck(self.engine, count) if count else None

    def _write_rows(self, check: InvarianceCheck | None, watch: Watch, begun: Manifest) -> None:
        kept = kept_rows(self.folder, self.request.retry_failed, PREDICTIONS)
        total = self.tally.expected = self._total()
        self._record(begun.so_far(self.tally.counts()))
        fates = Fates()
        with (
            PartWriter(self.folder.parts, PREDICTIONS) as parts,
            TableWriter(self.folder.predictions, PREDICTIONS) as writer,
        ):
            for prediction in watch(self._predictions(kept, parts, check, begun), total):
                writer.write(prediction)
                self.tally.add(prediction)
                fates.add(prediction)
                self._check_failures(total)
            self.tally.check_readable()
            aside = self._keep_aside(kept, fates)
        self.folder.settle_aside(aside)
        if len(kept):
            self._tell_kept(len(kept))

    def _tell_kept(self, there: int) -> None:
        """Log what became of the answers that were `there`."""
        _log.info("%d answers of %d in the folder still hold", self.tally.kept, there)

    def _keep_aside(self, kept: KeptRows[Prediction], fates: Fates) -> bool:
        """Write answers of before that are wanted again, if any, in place of losing them.

        These are answers to questions that fail now, for a share that is not mounted should not cost them, and those
        that were `_left_out`. They stay among the parts, which a killed run leaves, until predictions.parquet without
        them has its name.
        """
        fates.nameless = self.tally.nameless
        failing = self.tally.failures > 0
        wanted = (row for row in kept.untaken() if self._left_out(row) or (failing and fates.has_failed(row)))
        rows = (row for row in wanted if row.status != "failed")
        return write_any(self.folder.part_set_aside, PREDICTIONS, rows)

    def _left_out(self, row: Prediction) -> bool:
        """Whether an answer that the folder holds is none of those asked for now, and is to be kept all the same."""
        return False

    def _total(self) -> int:
        """How many rows there will be; some more where rows of the file cannot be read."""
        settings = self.request.settings
        questions = count_questions(
            settings.selection.files, self.job.tasks, settings.selection.splits, settings.selection.limit
        )
        return questions * len(settings.alignment.conditions())

    def _predictions(
        self,
        kept: KeptRows[Prediction],
        parts: PartWriter[Prediction],
        check: InvarianceCheck | None,
        begun: Manifest,
    ) -> Iterator[Prediction]:
        failures = FailureLog()
        told = parts.number

        def keep(rows: Sequence[Sequence[Prediction]]) -> None:
            parts.write(rows)
            for of_question in rows:
                tell(of_question)
                self.tally.asked.update(map(setting_of, of_question))

        for group in self.engine.answer(self._selections(), kept, keep):
            for answered in group:
                self._note(answered, failures)
                if check is not None:
                    check.compare(answered.selection, answered.rows)
                yield from answered.rows
            if parts.number != told:  # whoever reads run.json meanwhile, or after a kill, sees what is kept
                parts.flush()  # no answer counts there that a kill would take away
                told = parts.number
                self._record(begun.so_far(self.tally.counts()))

    def _selections(self) -> Iterator[Selection]:
        settings = self.request.settings
        for selection in select(self._episodes(), settings, self.job.tasks, self.tally):
            episode = selection.row.episode
            if episode is not None and settings.prompt.inputs != "L":
                self.inputs.add(episode.video.path, settings.selection.media_root_of(selection.row.folder))
            yield selection

    def _episodes(self) -> Iterator[EpisodeRow]:
        """The rows of the episodes file that count."""
        return self.job.episodes

    def _note(self, answered: Answered, failures: FailureLog) -> None:
        episode = answered.selection.row.episode
        failures.note(answered.selection.row, answered.rows)
        self.tally.kept += answered.kept
        self.tally.unnamed += sum(
            isinstance(one, BadQuestion) and one.id is None for one in answered.selection.questions
        )
        self.tally.note_choice(episode.episode_id if episode else None, self.job.heads)

    def _check_failures(self, total: int) -> None:
        """Raise TooManyFailuresError where the failures are more than the settings name, whatever is still to come."""
        named, failures = self.request.settings.checks.max_failures, self.tally.failures
        if named is None or not FailureLimit.parse(named).exceeded(failures, max(total, self.tally.total)):
            return
        raise TooManyFailuresError(
            f"stopped: {failures} answers failed or could not be read, more than --max-failures {named} allows; the "
            f"answers so far are kept in {self.folder.path}, and the same command with a higher limit goes on"
        )

    def _write_table(self) -> list[AccuracyRow]:
        accuracy = accuracy_table(read_predictions(self.folder.predictions))
        write_accuracy(self.folder.accuracy, accuracy)
        return accuracy

    def _settle(self) -> None:
        """Remember what the answers were made from; the parts are in predictions.parquet, and needed no more."""
        self.inputs.write(self.folder.inputs, self._results())
        self.folder.remove_parts()

    def _results(self) -> list[Path]:
        """The files to be as they are now when the same command, given again, is to do nothing."""
        return [self.folder.predictions, self.folder.accuracy]

    def _found(self) -> list[str]:
        """What the user should know of the answers, once all are there."""
        return self.tally.warnings(self.request.settings, self.job.tasks)

    def _done(self, manifest: Manifest) -> Manifest:
        """The manifest of a run that came to its end, successfully or not."""
        settings, tally = self.request.settings, self.tally
        warnings = self._found()
        for warning in warnings:
            _log.warning("%s", warning)
        over = FailureLimit.parse(settings.checks.max_failures).exceeded(tally.failures, tally.total)
        outcome: Outcome = "failures" if over else "done"
        manifest = replace(manifest, coverage=tally.coverage.total(settings.prompt.box_gap))
        code, stages = 3 if over else 0, {**self.stages, **self.engine.seconds}
        tally.expected = tally.statuses.total()
        return manifest.end(outcome, code, tally.counts(), tally.problems, (*manifest.warnings, *warnings), stages)

    def _record_end(self, manifest: Manifest, error: BaseException) -> None:
        """Write how a run broke off. Where even that fails, the error itself is what the user must hear."""
        outcome, code = ending(error)
        problems = [*filter(None, [str(error)]), *self.tally.problems]
        stages = {**self.stages, **self.engine.seconds}
        manifest = replace(manifest, coverage=self.tally.coverage.total(self.request.settings.prompt.box_gap))
        ended = manifest.end(outcome, code, self.tally.counts(), problems, manifest.warnings, stages)
        try:
            self._record(ended)
        except OSError as refused:
            _log.warning(
                "%s still says that the work is on: it cannot be written (%s)", self.folder.manifest, refused.strerror
            )
        with suppress(OSError):  # of standard output: nobody reads, and the error is to be told first
            self.broken_off(ended)
