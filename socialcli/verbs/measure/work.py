"""The work of `socialcli measure`: check, load the model, write the rows, then the files that sum them up.

In this order, as in a run: mistakes are reported as early as possible, and before earlier results are replaced. A
measurement resumes as a run does, episode by episode: the sums of each are kept as soon as they are computed, and all
files are made from them.
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
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.finished import finished_work, log_finished
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import Ending, JobStart, check_request, recorded
from socialcli.jobs.request import RunRequest
from socialcli.jobs.selection import Selection, select
from socialcli.plugins.registry import Registry
from socialcli.results.earlier import EarlierRows
from socialcli.results.folder import FigureFormat
from socialcli.results.heads import HeadStatistics, write_heads
from socialcli.results.inputs import Inputs
from socialcli.results.manifest import Manifest
from socialcli.results.parts import SECONDS, PartWriter
from socialcli.results.predictions import storable
from socialcli.results.resume import earlier_rows
from socialcli.results.tables import TableWriter, write_any
from socialcli.settings.failures import FailureLimit
from socialcli.settings.run import RunSettings
from socialcli.verbs.measure.attention_table import AttentionRow, MeasuredUnder, attention_writer, head_rows
from socialcli.verbs.measure.episode_sums import EPISODE_SUMS, EpisodeSums
from socialcli.verbs.measure.files import (
    Decoder,
    MeasureFolder,
    Measurement,
    measure_settings,
    measurement_in,
)
from socialcli.verbs.measure.heatmap import draw_heatmap
from socialcli.verbs.measure.settings import SETTINGS
from socialcli.verbs.measure.shift import draw_shift
from socialcli.verbs.measure.summary import summarise, top_heads
from socialcli.verbs.measure.titles import Description
from socialcli.verbs.measure.totals import EpisodeMeasurement, MeasureTotals

if TYPE_CHECKING:
    from socialcli.verbs.measure.forward import Keep, Measurer

_log = logging.getLogger(__name__)

ShowProgress = Callable[[Iterable[EpisodeMeasurement]], Iterable[EpisodeMeasurement]]
"""Passes the episodes on, and shows how many there have been."""


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """What `socialcli measure` was asked to do."""

    settings: RunSettings
    output: Path
    overwrite: bool = False  # replace the measurement in the folder
    command: Sequence[str] = ()  # the command line, for measure.json
    retry_failed: bool = False  # measure episodes with failed questions again, instead of keeping their rows
    figure_format: FigureFormat = "png"

    @property
    def as_run(self) -> RunRequest:
        """The part of the request that a run has too."""
        return RunRequest(self.settings, self.output, self.overwrite, self.command, self.retry_failed)


def measure(request: MeasureRequest, registry: Registry, show: ShowProgress = iter) -> Measurement:
    """Measure, or resume the measurement in the folder; do nothing where it is finished and nothing has changed.

    Returns the content of measure.json. `show` passes every episode as it is measured (a progress bar).

    Questions that could not be measured are counted, and too many of them are the `exit_code` of the result's manifest,
    not an error. Before the work begins, and with the folder untouched, raises what `check_job`, `JobStart` and loading
    the model raise, and FolderInUseError. Later raises InvalidInputError where no row of the file is an episode, and
    OSError where results cannot be written; whatever ends the work, the measured episodes stay, and measure.json says
    how it ended.
    """
    # The folder may hold the results of a run too: they have other names, and nothing here replaces them.
    folder = MeasureFolder(request.output, request.figure_format)
    check_request(request.as_run)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    if (finished := _finished(request, job, folder)) is not None:
        return finished
    with folder.locked():
        start = JobStart.check(request.as_run, folder, job)
        measurer = _load(job)
        counter = JobCounter(coverage_warned=bool(start.coverage_warnings))
        work = _Work(request, job, measurer, folder, start.begin(measurer, inputs), inputs, counter)
        with recorded(folder, work) as record:
            work.write_rows(show, record.update)
            work.write_summaries()
            inputs.write(folder.inputs, folder.results)
            folder.remove_parts()
            work.complete()
        _log.info("the results are in %s", folder.path)
        return record.manifest


def _finished(request: MeasureRequest, job: Job, folder: MeasureFolder) -> Measurement | None:
    """The result in the folder, if the same measurement is finished there and nothing it depends on has changed."""
    found = finished_work(folder, request.as_run, job.model.item, SETTINGS)
    result = None if found is None else measurement_in(found[1], found[0])
    if result is None or not folder.is_drawn_in_its_format("heatmap", "shift"):
        return None
    log_finished(folder, result.manifest)
    return result


def _load(job: Job) -> Measurer:
    from socialcli.verbs.measure.forward import Measurer  # imports torch: seconds

    _log.info("loading %s", job.source)
    return Measurer(job)


class _Work:
    """A measurement whose model is loaded; knows where it stands, as measure.json says it."""

    def __init__(
        self,
        request: MeasureRequest,
        job: Job,
        measurer: Measurer,
        folder: MeasureFolder,
        begun: Manifest,
        inputs: Inputs,
        counter: JobCounter,
    ) -> None:
        self._request = request
        self._inputs = inputs
        self._job = job
        self._measurer = measurer
        self._folder = folder
        self._begun = begun
        self._layers = f"{measurer.chosen.start}-{measurer.chosen.stop - 1}"
        self._totals = MeasureTotals(FigureSums(*measurer.shape), counter)

    def manifest(self, ending: Ending | None) -> Measurement:
        """The content of measure.json; `ending` is None while the measurement is on."""
        sums, chosen = self._totals.sums, self._measurer.chosen
        figures = sums.figures()
        return Measurement(
            manifest=self._begun if ending is None else self._ended(ending),
            decoder=Decoder(*self._measurer.shape, self._layers),
            counts=self._totals.counts(),
            summary=summarise(figures, chosen) if sums.prompts else (),
            top_heads=top_heads(figures) if sums.prompts else (),
        )

    def _ended(self, ending: Ending) -> Manifest:
        counter = self._totals.counter
        problems = [*ending.problems, *counter.problems, *self._totals.problems]
        coverage = counter.coverage.total(self._job.settings.prompt.box_gap)
        return replace(self._begun, coverage=coverage).end(
            ending.outcome, ending.exit_code, self._begun.counts, problems, self._begun.warnings
        )

    def too_many_failed(self) -> bool:
        """Whether more questions failed than `--max-failures` allows."""
        limit = FailureLimit.parse(self._job.settings.checks.max_failures)
        return limit.exceeded(self._totals.failures, self._totals.total)

    def complete(self) -> None:
        """Log the warnings about all episodes, now that they are measured; the manifest repeats them."""
        found = self._totals.counter.warnings(self._job.settings, self._job.tasks)
        for warning in found:
            _log.warning("%s", warning)
        self._begun = replace(self._begun, warnings=(*self._begun.warnings, *found))

    def write_rows(self, show: ShowProgress, update: Callable[[], None]) -> None:
        """Measure the episodes and write their rows; call `update` from time to time."""
        earlier = earlier_rows(self._folder, self._request.retry_failed, EPISODE_SUMS)
        failing: set[str] = set()  # ids of episodes
        updated = time.monotonic()
        with (
            PartWriter(self._folder.parts, EPISODE_SUMS) as parts,
            TableWriter(self._folder.rows, EPISODE_SUMS) as rows,
            attention_writer(self._folder.attention) as write,
        ):
            for episode in show(self._episodes(earlier, lambda row: parts.write([[row]]))):
                write(self._rows(episode))
                if episode.record is not None:
                    rows.write(episode.record)
                self._totals.add(episode)
                if episode.failures and (name := (episode.row.record or {}).get("episode_id")):
                    failing.add(storable(name))
                if time.monotonic() - updated >= SECONDS:
                    update()
                    updated = time.monotonic()
            self._totals.counter.check_readable()
            some_aside = self._set_aside(earlier, failing)
        self._folder.settle_aside(some_aside)
        if len(earlier):
            _log.info("%d questions are measured already", self._totals.kept)

    def write_summaries(self) -> None:
        """Write the files made of all episodes together; none of them if nothing could be measured."""
        for old in (self._folder.heads, *self._folder.figures("heatmap", "shift")):
            old.unlink(missing_ok=True)
        if self._totals.sums.prompts:
            self._write_heads()
            self._draw()

    def _set_aside(self, earlier: EarlierRows[EpisodeSums], failing: Collection[str]) -> bool:
        """Write the earlier sums of episodes that fail now, if any, so that they are not lost: as a run does."""
        unidentified = self._totals.unidentified
        done = set(map(storable, self._totals.episode_ids)) if unidentified else set()
        rows = (
            row
            for row in earlier.unused()
            if row.sums.prompts and (row.episode_id in failing or (unidentified and row.episode_id not in done))
        )
        return write_any(self._folder.part_set_aside, EPISODE_SUMS, rows)

    def _episodes(self, earlier: EarlierRows[EpisodeSums], keep: Keep) -> Iterator[EpisodeMeasurement]:
        return self._measurer.measure(self._selections(), earlier, keep)

    def _selections(self) -> Iterator[Selection]:
        job = self._job
        for selection in select(job.episodes, job.settings, job.tasks, self._totals.counter):
            if selection.row.episode is not None:
                self._inputs.add(selection.row.episode.video.path)
            yield selection

    def _rows(self, found: EpisodeMeasurement) -> Iterable[AttentionRow]:
        episode = found.row.episode
        if episode is None or not found.sums.prompts:
            return ()
        return head_rows(
            found.sums.figures(),
            self._measurer.chosen,
            self._under(),
            episode_id=episode.episode_id,
            dataset=episode.dataset,
            split=episode.split,
            tasks=found.tasks,
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
            active=self._totals.sums.active.astype(np.int64),
            prompts=self._totals.sums.prompts,
            model=self._measurer.identity,
            layers=self._layers,
            settings=measure_settings(self._job.settings),
            episode_ids=self._totals.episode_ids,
        )
        write_heads(self._folder.heads, statistics)

    def _draw(self) -> None:
        figures, chosen = self._totals.sums.figures(), self._measurer.chosen
        description = Description(self._under(), len(self._totals.episode_ids), figures.prompts)
        draw_heatmap(self._folder.heatmap, figures, chosen, description)
        draw_shift(self._folder.shift, figures, chosen, description)
