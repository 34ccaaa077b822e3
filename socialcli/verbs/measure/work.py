"""A measurement from its settings to its folder: check, load the model, write the rows, then what sums them up.

In that order, as in a run: a mistake is told as early as it can be seen, and before earlier results are replaced. It
goes on as a run does, episode by episode: the sums of each are kept as soon as they are there, and all files are made
from these.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socialcli.alignment.head_stats import FigureSums
from socialcli.interrupts import uninterrupted
from socialcli.jobs.counts import Tally
from socialcli.jobs.coverage import check_coverage
from socialcli.jobs.finished import finished_work, tell_finished
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import check_request, manifest_before, take_up
from socialcli.jobs.request import RunRequest
from socialcli.jobs.selection import Selection, select
from socialcli.plugins.registry import Registry
from socialcli.results.folder import FigureFormat
from socialcli.results.heads import HeadStatistics, write_heads
from socialcli.results.inputs import Inputs
from socialcli.results.kept import KeptRows
from socialcli.results.keys import files_digest
from socialcli.results.manifest import Manifest, Outcome, ending
from socialcli.results.parts import SECONDS, PartWriter
from socialcli.results.predictions import storable
from socialcli.results.resume import kept_rows
from socialcli.results.tables import TableWriter, write_any
from socialcli.settings.failures import FailureLimit
from socialcli.settings.run import RunSettings
from socialcli.verbs.measure.attention_table import AttentionRow, MeasuredUnder, attention_writer, head_rows
from socialcli.verbs.measure.episode_sums import MEASURED, EpisodeSums
from socialcli.verbs.measure.files import (
    Decoder,
    MeasureFolder,
    Measurement,
    measure_settings,
    measurement_in,
    write_measurement,
)
from socialcli.verbs.measure.heatmap import draw_heatmap
from socialcli.verbs.measure.settings import SETTINGS
from socialcli.verbs.measure.shift import draw_shift
from socialcli.verbs.measure.summary import summarise, top_heads
from socialcli.verbs.measure.titles import Description
from socialcli.verbs.measure.totals import MeasuredEpisode, MeasureTally

if TYPE_CHECKING:
    from socialcli.verbs.measure.forward import Keep, Measurer

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[MeasuredEpisode]], Iterable[MeasuredEpisode]]


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """What `socialcli measure` was asked to do."""

    settings: RunSettings
    output: Path
    overwrite: bool = False  # begin anew in a folder that holds a measurement
    command: Sequence[str] = ()  # the command line, for measure.json
    retry_failed: bool = False  # measure again the episodes with questions that failed, instead of keeping them
    figure_format: FigureFormat = "png"

    @property
    def as_run(self) -> RunRequest:
        """What a measurement is asked to do as a run is."""
        return RunRequest(self.settings, self.output, self.overwrite, self.command, self.retry_failed)


def measure(request: MeasureRequest, registry: Registry, watch: Watch = iter) -> Measurement:
    """Measure, or do what an earlier measurement in the folder has left of it; nothing where all is done and as it was.

    Returns measure.json as it was written. `watch` sees every episode as it is done (a progress bar).

    Questions that could not be measured are counted, and more of them than allowed are the `exit_code` of the result's
    manifest, not an error. Raises what `check_job` and loading the model raise, FolderInUseError, and UsageError where
    the folder holds a measurement with other settings, all with the folder untouched; InvalidInputError where no row of
    the file is an episode; OSError where results cannot be written. Once the work has begun, whatever ends it leaves
    what was measured, and a measure.json that says how it ended.
    """
    folder = MeasureFolder(request.output, request.figure_format)
    # The results of a run may stand in the folder too: their names are others, and nothing here replaces them.
    check_request(request.as_run)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    if (left := _finished(request, job, folder)) is not None:
        return left
    with folder.held():
        return _measured(request, job, folder, inputs, watch)


def _measured(request: MeasureRequest, job: Job, folder: MeasureFolder, inputs: Inputs, watch: Watch) -> Measurement:
    before = manifest_before(request.as_run, folder, job)
    told = check_coverage(job.settings, job.tasks)
    manifest = Manifest.begin(job.settings, request.command, job.identity, files_digest(job.settings.selection.files))
    measurer = _measurer(job)
    inputs.add_folders(measurer.files)
    manifest = take_up(folder, manifest, before, measurer.identity, request.overwrite)
    for warning in manifest.warnings:
        _log.warning("%s", warning)
    manifest = replace(manifest, warnings=(*told, *manifest.warnings))
    work = _Work(request, job, measurer, folder, manifest, inputs, Tally(told_uncovered=bool(told)))
    write_measurement(folder.manifest, work.measurement())
    try:
        work.do(watch)
        done = work.done()
    except BaseException as error:
        with uninterrupted():
            work.record_end(error)
        raise
    _log.info("the results are in %s", folder.path)
    return done


def _finished(request: MeasureRequest, job: Job, folder: MeasureFolder) -> Measurement | None:
    """What the measurement left that is to be done again, if it came to its end and all it depends on is as it was."""
    found = finished_work(folder, request.as_run, job.model.item, SETTINGS)
    left = None if found is None else measurement_in(found[1], found[0])
    if left is None or not folder.is_drawn_in_its_format("heatmap", "shift"):
        return None
    tell_finished(folder, left.manifest)
    return left


def _measurer(job: Job) -> Measurer:
    from socialcli.verbs.measure.forward import Measurer  # imports torch: seconds

    _log.info("loading %s", job.source)
    return Measurer(job)


class _Work:
    """A measurement whose model is loaded."""

    def __init__(
        self,
        request: MeasureRequest,
        job: Job,
        measurer: Measurer,
        folder: MeasureFolder,
        manifest: Manifest,
        inputs: Inputs,
        read: Tally,
    ) -> None:
        self._request = request
        self._inputs = inputs
        self._told = time.monotonic()  # when measure.json was written
        self._job = job
        self._measurer = measurer
        self._folder = folder
        self._manifest = manifest
        self._layers = f"{measurer.chosen.start}-{measurer.chosen.stop - 1}"
        self._tally = MeasureTally(FigureSums(*measurer.shape), read)

    def do(self, watch: Watch) -> None:
        """Write the rows of all episodes, then what is made of them together."""
        self._write_rows(watch)
        for old in (self._folder.heads, *self._folder.figures("heatmap", "shift")):
            old.unlink(missing_ok=True)
        if self._tally.sums.prompts:
            self._write_heads()
            self._draw()
        self._inputs.write(self._folder.inputs, self._folder.results)
        self._folder.remove_parts()

    def done(self) -> Measurement:
        """Write how a measurement that came to its end, ended."""
        settings, tally = self._job.settings, self._tally
        found = tally.read.warnings(settings, self._job.tasks)
        for warning in found:
            _log.warning("%s", warning)
        over = FailureLimit.parse(settings.checks.max_failures).exceeded(tally.failures, tally.total)
        told = [*self._manifest.warnings, *found]
        return self._end("failures" if over else "done", 3 if over else 0, warnings=told)

    def record_end(self, error: BaseException) -> None:
        """Write how a measurement broke off. Where even that fails, the error itself is what the user must hear."""
        try:
            self._end(*ending(error), problems=[*filter(None, [str(error)])], warnings=self._manifest.warnings)
        except OSError as refused:
            _log.warning("%s cannot be written: %s", self._folder.manifest, refused.strerror)

    def measurement(self) -> Measurement:
        """What is known so far."""
        sums, chosen = self._tally.sums, self._measurer.chosen
        figures = sums.figures()
        return Measurement(
            manifest=self._manifest,
            decoder=Decoder(*self._measurer.shape, self._layers),
            counts=self._tally.counts(),
            summary=summarise(figures, chosen) if sums.prompts else (),
            top_heads=top_heads(figures) if sums.prompts else (),
        )

    def _end(
        self, outcome: Outcome, code: int, problems: Sequence[str] = (), warnings: Sequence[str] = ()
    ) -> Measurement:
        told = [*problems, *self._tally.read.problems, *self._tally.problems]
        coverage = self._tally.read.coverage.total(self._job.settings.prompt.box_gap)
        self._manifest = replace(self._manifest, coverage=coverage).end(
            outcome, code, self._manifest.counts, told, warnings
        )
        measurement = self.measurement()
        write_measurement(self._folder.manifest, measurement)
        return measurement

    def _write_rows(self, watch: Watch) -> None:
        kept = kept_rows(self._folder, self._request.retry_failed, MEASURED)
        failing: set[str] = set()  # episodes
        with (
            PartWriter(self._folder.parts, MEASURED) as parts,
            TableWriter(self._folder.rows, MEASURED) as rows,
            attention_writer(self._folder.attention) as write,
        ):
            for episode in watch(self._episodes(kept, lambda row: parts.write([[row]]))):
                write(self._rows(episode))
                if episode.record is not None:
                    rows.write(episode.record)
                self._tally.add(episode)
                if episode.failures and (name := (episode.row.record or {}).get("episode_id")):
                    failing.add(storable(name))
                self._tell()
            self._tally.read.check_readable()
            aside = self._keep_aside(kept, failing)
        self._folder.settle_aside(aside)
        if len(kept):
            _log.info("%d questions are measured already", self._tally.kept)

    def _tell(self) -> None:
        """Write measure.json again from time to time, so that it is true while the work is on."""
        if time.monotonic() - self._told >= SECONDS:
            write_measurement(self._folder.manifest, self.measurement())
            self._told = time.monotonic()

    def _keep_aside(self, kept: KeptRows[EpisodeSums], failing: Collection[str]) -> bool:
        """Write what was measured before of episodes that fail now, if any, in place of losing it: as a run does."""
        measured = set(map(storable, self._tally.episode_ids)) if self._tally.nameless else set()
        rows = (
            row
            for row in kept.untaken()
            if row.sums.prompts
            and (row.episode_id in failing or (self._tally.nameless and row.episode_id not in measured))
        )
        return write_any(self._folder.part_set_aside, MEASURED, rows)

    def _episodes(self, kept: KeptRows[EpisodeSums], keep: Keep) -> Iterator[MeasuredEpisode]:
        return self._measurer.measure(self._selections(), kept, keep)

    def _selections(self) -> Iterator[Selection]:
        job = self._job
        for selection in select(job.episodes, job.settings, job.tasks, self._tally.read):
            if selection.row.episode is not None:
                self._inputs.add(selection.row.episode.video.path)
            yield selection

    def _rows(self, measured: MeasuredEpisode) -> Iterable[AttentionRow]:
        episode = measured.row.episode
        if episode is None or not measured.sums.prompts:
            return ()
        return head_rows(
            measured.sums.figures(),
            self._measurer.chosen,
            self._under(),
            episode_id=episode.episode_id,
            dataset=episode.dataset,
            split=episode.split,
            tasks=measured.tasks,
        )

    def _under(self) -> MeasuredUnder:
        settings = self._job.settings
        return MeasuredUnder(
            model=settings.model.name,
            checkpoint=self._measurer.identity.checkpoint,
            adapter=self._measurer.identity.adapter,
            alpha=settings.alignment.alpha,
            lambda_=settings.alignment.lambda_,
            layers=self._layers,
            bias=settings.alignment.bias,
            inputs=settings.prompt.inputs,
            boxes_as=settings.prompt.boxes_as,
            context=settings.prompt.context,
            frames=settings.prompt.frames,
        )

    def _write_heads(self) -> None:
        statistics = HeadStatistics(
            active=self._tally.sums.active.astype(np.int64),
            prompts=self._tally.sums.prompts,
            model=self._measurer.identity,
            layers=self._layers,
            settings=measure_settings(self._job.settings),
            episode_ids=self._tally.episode_ids,
        )
        write_heads(self._folder.heads, statistics)

    def _draw(self) -> None:
        figures, chosen = self._tally.sums.figures(), self._measurer.chosen
        description = Description(self._under(), len(self._tally.episode_ids), figures.prompts)
        draw_heatmap(self._folder.heatmap, figures, chosen, description)
        draw_shift(self._folder.shift, figures, chosen, description)
