"""A measurement from its settings to its folder: check, load the model, write the rows, then what sums them up.

In that order, as in a run: a mistake is told as early as it can be seen, and before earlier results are replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socialcli.alignment.figures import FigureSums
from socialcli.engines.checking import Job, check_job
from socialcli.engines.coverage import check_coverage
from socialcli.engines.measured import MeasuredEpisode, MeasureTally
from socialcli.engines.selection import select
from socialcli.engines.tally import Tally
from socialcli.errors import SocialcliError, Terminated
from socialcli.plots.description import Description
from socialcli.plots.heatmap import draw_heatmap
from socialcli.plots.shift import draw_shift
from socialcli.plugins import Registry
from socialcli.runs.attention import AttentionRow, MeasuredUnder, attention_writer, head_rows
from socialcli.runs.attention_summary import summarise, top_heads
from socialcli.runs.heads import HeadStatistics, write_heads
from socialcli.runs.interrupts import uninterrupted
from socialcli.runs.keys import file_digest
from socialcli.runs.manifest import Manifest, Outcome, ending
from socialcli.runs.measurement import Decoder, MeasureFolder, Measurement, measure_settings, write_measurement
from socialcli.runs.settings import FailureLimit, RunSettings

if TYPE_CHECKING:
    from socialcli.engines.measuring import Measurer

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[MeasuredEpisode]], Iterable[MeasuredEpisode]]


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """What `socialcli measure` was asked to do."""

    settings: RunSettings
    output: Path
    overwrite: bool = False  # replace the results of an earlier measurement
    command: Sequence[str] = ()  # the command line, for measure.json


def measure(request: MeasureRequest, registry: Registry, watch: Watch = iter) -> Measurement:
    """Measure, and return measure.json as it was written. `watch` sees every episode as it is done (a progress bar).

    Questions that could not be measured are counted, and more of them than allowed are the `exit_code` of the result's
    manifest, not an error. Raises what `check_job` and loading the model raise, with the folder untouched;
    InvalidInputError where no row of the file is an episode; OSError where results cannot be written. Whatever breaks
    the work off leaves the rows of the episodes that were done, unless these could not be written, and a measure.json
    that says how it ended.
    """
    folder = MeasureFolder(request.output)
    # The results of a run may stand in the folder too: their names are others, and nothing here replaces them.
    job = check_job(request.settings, registry)
    with folder.held():
        folder.check(request.overwrite)
        return _measured(request, job, folder, watch)


def _measured(request: MeasureRequest, job: Job, folder: MeasureFolder, watch: Watch) -> Measurement:
    told = check_coverage(job.settings, job.tasks)
    begun = Manifest.begin(job.settings, request.command, job.identity, file_digest(Path(job.settings.episodes)))
    measurer = _measurer(job)
    work = _Work(job, measurer, folder, replace(begun, model=measurer.identity, warnings=told))
    folder.prepare(request.overwrite)
    write_measurement(folder.manifest, work.measurement())
    try:
        work.do(watch)
    except BaseException as error:
        with uninterrupted():
            work.record_end(error)
        raise
    _log.info("the results are in %s", folder.path)
    return work.done()


def _measurer(job: Job) -> Measurer:
    from socialcli.engines.measuring import Measurer  # imports torch: seconds

    _log.info("loading %s", job.source)
    return Measurer(job)


class _Work:
    """A measurement whose model is loaded."""

    def __init__(self, job: Job, measurer: Measurer, folder: MeasureFolder, manifest: Manifest) -> None:
        self._job = job
        self._measurer = measurer
        self._folder = folder
        self._manifest = manifest
        self._layers = f"{measurer.chosen.start}-{measurer.chosen.stop - 1}"
        self._tally = MeasureTally(FigureSums(*measurer.shape), Tally(told_uncovered=bool(manifest.warnings)))

    def do(self, watch: Watch) -> None:
        """Write attention.parquet, then what is made of all episodes."""
        self._write_rows(watch)
        self._tally.read.check_readable()
        if self._tally.sums.prompts:
            self._write_heads()
            self._draw()

    def done(self) -> Measurement:
        """Write how a measurement that came to its end, ended."""
        settings, tally = self._job.settings, self._tally
        found = tally.read.warnings(settings, self._job.tasks)
        for warning in found:
            _log.warning("%s", warning)
        warnings = [*self._manifest.warnings, *found]
        over = FailureLimit.parse(settings.max_failures).exceeded(tally.failures, tally.total)
        return self._end("failures" if over else "done", 3 if over else 0, warnings=warnings)

    def record_end(self, error: BaseException) -> None:
        """Write how a measurement broke off. Where even that fails, the error itself is what the user must hear."""
        try:
            self._end(*ending(error), problems=[*filter(None, [str(error)])])
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
        coverage = self._tally.read.coverage.total(self._job.settings.box_gap)
        self._manifest = replace(self._manifest, coverage=coverage).end(
            outcome, code, self._manifest.counts, told, warnings
        )
        measurement = self.measurement()
        write_measurement(self._folder.manifest, measurement)
        return measurement

    def _write_rows(self, watch: Watch) -> None:
        broken_off: BaseException | None = None
        with attention_writer(self._folder.attention) as write:
            try:
                for episode in watch(self._episodes()):
                    with uninterrupted():
                        write(self._rows(episode))
                        self._tally.add(episode)
            except (KeyboardInterrupt, Terminated, SocialcliError) as error:
                broken_off = error  # raised below, when the rows so far have a whole file
        if broken_off is not None:
            raise broken_off

    def _episodes(self) -> Iterator[MeasuredEpisode]:
        job = self._job
        return self._measurer.measure(select(job.episodes, job.settings, job.tasks, self._tally.read))

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
            model=settings.model,
            checkpoint=self._measurer.identity.checkpoint,
            adapter=self._measurer.identity.adapter,
            alpha=settings.alpha,
            lambda_=settings.lambda_,
            layers=self._layers,
            bias=settings.bias,
            inputs=settings.inputs,
            boxes_as=settings.boxes_as,
            context=settings.context,
            frames=settings.frames,
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
