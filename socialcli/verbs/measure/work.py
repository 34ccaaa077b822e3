"""The work of `socialcli measure`: check, load the model, write the rows, then the files that sum them up.

In this order, as in a run: mistakes are reported as early as possible, and before earlier results are replaced. A
measurement resumes as a run does, episode by episode: the sums of each are kept as soon as they are computed, and all
files are made from them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialcli.alignment.head_stats import FigureSums
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.finished import finished_work, log_finished
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import JobStart, check_request, recorded
from socialcli.jobs.request import JobRequest
from socialcli.plots.formats import FigureFormat
from socialcli.plugins.registry import Registry
from socialcli.results.inputs import Inputs
from socialcli.verbs.measure.files import MeasureFolder, Measurement, measurement_in
from socialcli.verbs.measure.settings import SETTINGS
from socialcli.verbs.measure.status import MeasureStatus
from socialcli.verbs.measure.totals import MeasureTotals
from socialcli.verbs.measure.writing import MeasureWriter, ShowProgress

if TYPE_CHECKING:
    from socialcli.verbs.measure.forward import Measurer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRequest(JobRequest):
    """What `socialcli measure` was asked to do."""

    figure_format: FigureFormat = "png"


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
    check_request(request)
    inputs = Inputs.of(request.settings)  # before they are read
    job = check_job(request.settings, registry)
    if (finished := _finished(request, job, folder)) is not None:
        return finished
    with folder.locked():
        start = JobStart.check(request, folder, job)
        measurer = _load(job)
        counter = JobCounter(coverage_warned=bool(start.coverage_warnings))
        totals = MeasureTotals(FigureSums(*measurer.shape), counter)
        status = MeasureStatus(start.begin(measurer, inputs), job, measurer, totals)
        writer = MeasureWriter(status, folder, inputs, request.retry_failed)
        with recorded(folder, status) as record:
            writer.write(show, record.update)
            writer.write_summaries()
            inputs.write(folder.inputs, folder.results)
            folder.remove_parts()
            status.complete()
        _log.info("the results are in %s", folder.path)
        return record.manifest


def _finished(request: MeasureRequest, job: Job, folder: MeasureFolder) -> Measurement | None:
    """The result in the folder, if the same measurement is finished there and nothing it depends on has changed."""
    found = finished_work(folder, request, job.model.item, SETTINGS)
    result = None if found is None else measurement_in(found[1], found[0])
    if result is None or not folder.is_drawn_in_its_format("heatmap", "shift"):
        return None
    log_finished(folder, result.manifest)
    return result


def _load(job: Job) -> Measurer:
    from socialcli.verbs.measure.forward import Measurer  # imports torch: seconds

    _log.info("loading %s", job.source)
    return Measurer(job)
