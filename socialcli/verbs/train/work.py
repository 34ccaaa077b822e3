"""A training from its settings to its folder: check, load the model, go on from the state if there is one, learn, save.

Whatever ends it, the folder holds a whole state, and the same command goes on from there to the same weights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socialcli.episodes.coverage.total import CoverageTally
from socialcli.episodes.coverage.utterances import annotated_coverage
from socialcli.interrupts import uninterrupted
from socialcli.jobs.coverage import tell_coverage
from socialcli.jobs.job import Job, check_job
from socialcli.plugins.registry import Registry
from socialcli.results.folder import FigureFormat
from socialcli.results.keys import checkpoint_fingerprint, file_digest
from socialcli.verbs.train.files import LogRow, TrainFolder, check_same
from socialcli.verbs.train.material import Material, read_material
from socialcli.verbs.train.settings import TrainSettings

if TYPE_CHECKING:
    from socialcli.verbs.train.epochs import Trainer

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[LogRow], int], Iterable[LogRow]]


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What `socialcli train` was asked to do."""

    settings: TrainSettings
    output: Path
    overwrite: bool = False  # begin anew, whatever the folder holds
    command: Sequence[str] = ()  # the command line, for train.json
    figure_format: FigureFormat = "png"


def train(request: TrainRequest, registry: Registry, watch: Watch = lambda rows, _: rows) -> Mapping[str, Any]:
    """Train, and return train.json as it was written. `watch` sees every row of the log, and the number of steps.

    A folder that holds the same training unfinished is gone on with, one that holds it finished is left as it is.
    Raises what `check_job` and loading the model raise; UsageError where the folder holds another training;
    InvalidInputError where no question has an answer, and below `--min-coverage`; TrainingError where the loss is no
    number; OSError where nothing can be written. An interrupt saves the state first.
    """
    folder = TrainFolder(request.output, request.figure_format)
    folder.check_place()
    job = check_job(request.settings.ask, registry)
    with folder.held():
        return _trained(request, job, folder, watch)


def _trained(request: TrainRequest, job: Job, folder: TrainFolder, watch: Watch) -> Mapping[str, Any]:
    settings = request.settings
    identity = _identity(settings, job)
    begun = None if request.overwrite else folder.begun()
    if begun is not None:
        check_same(folder, begun, identity)
        if begun["outcome"] in ("done", "failures"):
            _log.info("%s holds this training, finished: there is nothing to do", folder.path)
            return begun
    elif not request.overwrite:
        folder.check(overwrite=False)  # something of a training without its train.json
    material = read_material(job.episodes, settings, job.tasks)
    if settings.ask.alignment.mode == "on":
        tell_coverage(_coverage(material, settings), settings.ask)
    trainer = _trainer(job, settings, material, folder)
    if begun is None:
        folder.prepare(request.overwrite)
    manifest = trainer.begin(identity, request.command, begun)
    try:
        for _ in watch(trainer.rows(), trainer.steps):
            pass
        return trainer.finish(manifest)
    except BaseException as error:
        with uninterrupted():
            trainer.record_end(manifest, error)
        raise


def _coverage(material: Material, settings: TrainSettings) -> CoverageTally:
    """What the annotation of the episodes to learn from tells."""
    tally = CoverageTally()
    for episode, _ in material.training:
        tally.add(annotated_coverage(episode, settings.ask.prompt.box_gap))
    return tally


def _identity(settings: TrainSettings, job: Job) -> dict[str, Any]:
    """What decides the weights that come out, as JSON values."""
    options = job.load_options
    folder = Path(options.checkpoint)
    on_hub = options.checkpoint if options.revision is None else f"{options.checkpoint}@{options.revision}"
    return settings.identity | {
        "episodes_sha256": file_digest(Path(settings.ask.selection.episodes)),
        "checkpoint": checkpoint_fingerprint(folder) if folder.is_dir() else on_hub,
    }


def _trainer(job: Job, settings: TrainSettings, material: Material, folder: TrainFolder) -> Trainer:
    from socialcli.verbs.train.epochs import Trainer  # imports torch and peft: seconds

    _log.info("loading %s", job.source)
    return Trainer(job, settings, material, folder)
