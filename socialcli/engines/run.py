"""A run from its settings to its folder: check the names, load the model, write the rows, then the tables.

What can be checked without the model is checked before torch is imported.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from socialcli.adapters.contract import Adapter, LoadOptions
from socialcli.alignment.layers import resolve_layers
from socialcli.engines.rows import RowMaker
from socialcli.episodes.reading import EpisodeRow, read_episodes
from socialcli.errors import InvalidInputError, NotThereError, SocialcliError, Terminated, UsageError
from socialcli.plugins import Registry
from socialcli.runs.accuracy import AccuracyRow, accuracy_table, write_accuracy
from socialcli.runs.folder import OutputFolder
from socialcli.runs.keys import checkpoint_fingerprint, file_digest
from socialcli.runs.manifest import Counts, Manifest, ModelIdentity, Outcome, write_manifest
from socialcli.runs.predictions import Prediction, PredictionWriter, read_predictions
from socialcli.runs.settings import FailureLimit, RunSettings
from socialcli.tasks.base import Task

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[Prediction]], Iterable[Prediction]]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `socialcli run` was asked to do."""

    settings: RunSettings
    output: Path
    overwrite: bool = False
    command: Sequence[str] = ()  # the command line, for the manifest


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left: the accuracy table, and the manifest as it was written."""

    accuracy: Sequence[AccuracyRow]
    manifest: Manifest


def execute(request: RunRequest, registry: Registry, watch: Watch = iter) -> RunResult:
    """Do the run. `watch` sees every row on its way to the file (a progress bar).

    Raises UsageError for names that are not there, InvalidInputError where the file gives no question at all, and what
    loading the model raises. Rows that were computed are kept whatever happens, and run.json says how it ended.
    """
    settings = request.settings
    tasks = _tasks(settings, registry)
    rule = registry.bias_rule(settings.bias).item
    spec = registry.model(settings.model)
    episodes = _checked_paths(settings)
    folder = OutputFolder(request.output)
    folder.prepare(request.overwrite)
    checkpoint = settings.checkpoint or spec.item.default_checkpoint
    identity = ModelIdentity(
        name=settings.model,
        adapter_version=spec.item.version,
        distribution=spec.distribution,
        distribution_version=spec.version,
        checkpoint=checkpoint,
    )
    manifest = Manifest.begin(settings, request.command, identity, file_digest(Path(settings.episodes)))
    write_manifest(folder.manifest, manifest)
    engine = counted = None
    try:
        adapter = spec.item.load(LoadOptions(checkpoint, settings.device, settings.dtype, settings.frame_fit))
        identity = _loaded(identity, adapter)
        manifest = replace(manifest, model=identity)
        from socialcli.engines.local import LocalEngine  # imports torch

        engine = LocalEngine(settings, adapter, tasks, rule, _row_maker(settings, identity, adapter))
        counted = _Counted()
        with PredictionWriter(folder.predictions) as writer:
            for prediction in watch(counted.through(engine.predictions(episodes))):
                writer.write(prediction)
        counts = counted.counts(engine.tally.episodes, engine.tally.questions, len(engine.tally.problems))
        if counts.episodes == 0 and engine.tally.problems:
            raise InvalidInputError(f"no row of the file is an episode; the first problem: {engine.tally.problems[0]}")
        table = accuracy_table(read_predictions(folder.predictions), settings.seed)
        write_accuracy(folder.accuracy, table)
        over = FailureLimit.parse(settings.max_failures).exceeded(counts.failed + counts.unreadable, counts.rows)
        manifest = manifest.end(
            "failures" if over else "done", 3 if over else 0, counts, engine.tally.problems, counted.warnings()
        )
        write_manifest(folder.manifest, manifest)
        return RunResult(table, manifest)
    except BaseException as error:
        outcome, code = _ending(error)
        problems = engine.tally.problems if engine else []
        counts = (
            counted.counts(engine.tally.episodes, engine.tally.questions, len(problems))
            if engine and counted
            else Counts()
        )
        write_manifest(folder.manifest, manifest.end(outcome, code, counts, [*problems, str(error)]))
        raise


class _Counted:
    """Counts rows by what became of them, as they pass."""

    def __init__(self) -> None:
        self._status: Counter[str] = Counter()
        self._unlabelled = 0
        self._aligned = self._bound = 0

    def through(self, predictions: Iterable[Prediction]) -> Iterable[Prediction]:
        """Pass the rows on."""
        for prediction in predictions:
            yield prediction
            self._status[prediction.status] += 1
            self._unlabelled += prediction.answer is None
            self._aligned += prediction.alignment and prediction.status != "failed"
            self._bound += bool(prediction.alignment and prediction.box_tokens and prediction.aligned_text_tokens)

    def counts(self, episodes: int, questions: int, unreadable: int) -> Counts:
        """The counts of the manifest."""
        return Counts(
            episodes=episodes,
            questions=questions,
            rows=self._status.total(),
            ok=self._status["ok"],
            unparsed=self._status["unparsed"],
            failed=self._status["failed"],
            unlabelled=self._unlabelled,
            unreadable=unreadable,
        )

    def warnings(self) -> list[str]:
        """What the user should know of the rows as a whole."""
        if self._aligned and not self._bound:
            text = "no question could be aligned: none has both boxes in the frames and words of a known speaker"
            _log.warning("%s", text)
            return [text]
        return []


def _tasks(settings: RunSettings, registry: Registry) -> dict[str, Task]:
    if settings.tasks == ("all",):
        return {name: provided.item for name, provided in registry.tasks().items()}
    return {name: registry.task(name).item for name in settings.tasks}


def _checked_paths(settings: RunSettings) -> Iterable[EpisodeRow]:
    """The rows of the episodes file. Raises at once for a file or folder that is not there or not of the kind."""
    episodes = read_episodes(Path(settings.episodes))
    if settings.media_root is not None and not Path(settings.media_root).is_dir():
        raise NotThereError(f"--media-root {settings.media_root}: there is no such folder")
    return episodes


def _loaded(identity: ModelIdentity, adapter: Adapter) -> ModelIdentity:
    return replace(
        identity,
        checkpoint_sha256=checkpoint_fingerprint(adapter.folder) if adapter.folder else None,
        device=str(adapter.device),
        dtype=str(adapter.model.dtype).removeprefix("torch."),
    )


def _row_maker(settings: RunSettings, identity: ModelIdentity, adapter: Adapter) -> RowMaker:
    layers = resolve_layers(settings.layers, len(adapter.layers))
    parts = {
        "adapter": identity.adapter_version,
        "checkpoint": identity.checkpoint_sha256,
        "dtype": identity.dtype,
    }
    return RowMaker(
        settings=settings,
        checkpoint=identity.checkpoint,
        identity=parts,
        layers=f"{layers.start}-{layers.stop - 1}",
    )


def _ending(error: BaseException) -> tuple[Outcome, int]:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if isinstance(error, Terminated):
        return "interrupted", 143
    return "error", error.exit_code if isinstance(error, SocialcliError) else 1


def resolve_inputs(inputs: str | None, boxes_as: str | None) -> tuple[str, str]:
    """What `--inputs` and `--boxes-as` come to together, where one or both are left out.

    Boxes that are shown make the inputs VLB, and VLB shows boxes as text unless told otherwise. UsageError where the two
    contradict each other.
    """
    if inputs is None:
        inputs = "VLB" if boxes_as in ("text", "overlay") else "VL"
    if boxes_as is None:
        boxes_as = "text" if inputs == "VLB" else "none"
    if (inputs == "VLB") != (boxes_as != "none"):
        raise UsageError(
            f"--inputs {inputs} and --boxes-as {boxes_as} contradict each other: only VLB shows the model the boxes, "
            "as text or as an overlay"
        )
    return inputs, boxes_as
