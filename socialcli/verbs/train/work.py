"""The work of `socialcli train`: check, load the model, resume from the saved state if there is one, learn, save.

Whatever ends it, the folder holds a complete state, and the same command resumes from it to the same weights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.episode import annotated_coverage
from socialcli.jobs.coverage import warn_of_coverage
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.lifecycle import recorded
from socialcli.plots.formats import FigureFormat
from socialcli.plugins.registry import Registry
from socialcli.results.keys import checkpoint_fingerprint, file_digest
from socialcli.verbs.train.files import LogRow, TrainFolder, check_same
from socialcli.verbs.train.material import Material, read_material
from socialcli.verbs.train.settings import TrainSettings

if TYPE_CHECKING:
    from socialcli.verbs.train.epochs import Trainer

_log = logging.getLogger(__name__)

ShowProgress = Callable[[Iterable[LogRow], int], Iterable[LogRow]]
"""Passes the rows of the log on, and shows how many of the steps are done."""


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What `socialcli train` was asked to do."""

    settings: TrainSettings
    output: Path
    overwrite: bool = False  # replace the training in the folder
    command: Sequence[str] = ()  # the command line, for train.json
    figure_format: FigureFormat = "png"


def train(request: TrainRequest, registry: Registry, show: ShowProgress = lambda rows, _: rows) -> Mapping[str, Any]:
    """Train, and return the content of train.json.

    `show` passes every row of the log, and knows the number of steps. An unfinished training in the folder is resumed,
    a finished one is left unchanged. An interrupt saves the state first.

    Raises what `check_job` and loading the model raise; UsageError where the folder holds another training;
    InvalidInputError where no question has a gold answer, and below `--min-coverage`; TrainingError where the loss is
    not finite; OSError where nothing can be written.
    """
    folder = TrainFolder(request.output, request.figure_format)
    folder.check_place()
    job = check_job(request.settings.ask, registry)
    with folder.locked():
        return _train(request, job, folder, show)


def _train(request: TrainRequest, job: Job, folder: TrainFolder, show: ShowProgress) -> Mapping[str, Any]:
    settings = request.settings
    identity = _identity(settings, job)
    earlier = None if request.overwrite else folder.earlier()
    if earlier is not None:
        check_same(folder, earlier, identity)
        if earlier["outcome"] in ("done", "failures"):
            _log.info("nothing to do: the training in %s is finished", folder.path)
            return earlier
    elif not request.overwrite:
        folder.check(overwrite=False)  # it may hold files of a training without a train.json
    material = read_material(job.episodes, settings, job.tasks)
    if settings.ask.alignment.mode == "on":
        warn_of_coverage(_coverage(material, settings), settings.ask)
    trainer = _load(job, settings, material, folder)
    if earlier is None:
        folder.prepare(request.overwrite)
    else:
        trainer.resume()
    trainer.begin(identity, request.command)
    with recorded(folder, trainer) as record, trainer.saving_on_interrupt():
        for _ in show(trainer.rows(), trainer.steps):
            pass
        trainer.write_results()
    folder.state.unlink(missing_ok=True)  # not before train.json says that the training is done
    _log.info("the weights are in %s", trainer.target)
    return record.manifest.as_record()


def _coverage(material: Material, settings: TrainSettings) -> CoverageCounter:
    """The annotated coverage of the episodes to learn from."""
    found = CoverageCounter()
    for episode, _ in material.training:
        found.add(annotated_coverage(episode, settings.ask.prompt.box_gap))
    return found


def _identity(settings: TrainSettings, job: Job) -> dict[str, Any]:
    """Everything that decides the resulting weights, as JSON values."""
    options = job.load_options
    folder = Path(options.checkpoint)
    on_hub = options.checkpoint if options.revision is None else f"{options.checkpoint}@{options.revision}"
    return settings.identity | {
        "episodes_sha256": file_digest(Path(settings.ask.selection.episodes)),
        "checkpoint": checkpoint_fingerprint(folder) if folder.is_dir() else on_hub,
    }


def _load(job: Job, settings: TrainSettings, material: Material, folder: TrainFolder) -> Trainer:
    from socialcli.verbs.train.epochs import Trainer  # imports torch and peft: seconds

    _log.info("loading %s", job.source)
    return Trainer(job, settings, material, folder)
