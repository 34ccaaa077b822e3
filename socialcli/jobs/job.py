"""Checks the names and paths that a run needs, without importing torch: a typo is reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from socialcli.alignment.heads.selectors import HeadSelector
from socialcli.alignment.rules import BiasRule
from socialcli.alignment.steering.modes import SteeringMode
from socialcli.episodes.file_set import check_distinct, read_files
from socialcli.episodes.reading import EpisodeRow
from socialcli.errors import CheckpointError, NotFoundError, UsageError
from socialcli.inference.answer_modes import AnswerMode
from socialcli.jobs.selection import check_selection
from socialcli.models.checkpoints.lora_files import read_lora
from socialcli.models.checkpoints.names import checkpoint_advice
from socialcli.models.contract import LoadOptions, ModelSpec
from socialcli.plugins.registry import Provided, Registry
from socialcli.results.heads import HeadChoice
from socialcli.results.manifest import ModelIdentity
from socialcli.settings.alignment import AlignmentSettings
from socialcli.settings.run import RunSettings
from socialcli.settings.selection import ALL_TASKS
from socialcli.tasks.base import Task


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A run whose settings are checked, and whose model is not loaded yet."""

    settings: RunSettings
    tasks: Mapping[str, Task]  # the ones to ask, by name
    rule: BiasRule
    selector: HeadSelector
    steering: SteeringMode
    answer_mode: AnswerMode
    model: Provided[ModelSpec]
    episodes: Iterator[EpisodeRow]  # the rows of the episodes file, from the first one on
    other_models: Mapping[str, str]  # as in `LoadOptions`
    heads: HeadChoice | None  # a fixed choice of heads to align; None: the selector selects

    @property
    def load_options(self) -> LoadOptions:
        """How to load the model."""
        return load_options(self.settings, self.model.item, self.other_models)

    @property
    def source(self) -> str:
        """What is loaded, in words: the model, its checkpoint and its LoRA."""
        options = self.load_options
        source = f"{self.settings.model.name} from {options.checkpoint}"
        if options.revision is not None:
            source += f" at {options.revision}"
        if options.lora is None:
            return source
        return f"{source} with the {'merged ' * options.merge}adapter {options.lora}"

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers, as far as is known before it is loaded."""
        return ModelIdentity(
            name=self.settings.model.name,
            adapter_version=self.model.item.version,
            distribution=self.model.distribution,
            distribution_version=self.model.version,
            checkpoint=self.load_options.checkpoint,
            adapter=self.settings.model.lora,
            merged=self.settings.model.merge,
        )


def load_options(
    settings: RunSettings, spec: ModelSpec, other_models: Mapping[str, str], weights: bool = True
) -> LoadOptions:
    """How to load the model that the settings name; without `weights` only what prompts need."""
    return LoadOptions(
        settings.model.checkpoint or spec.default_checkpoint,
        settings.compute.device,
        settings.compute.dtype,
        settings.prompt.frame_fit,
        weights=weights,
        lora=settings.model.lora,
        merge=settings.model.merge,
        revision=settings.model.revision,
        allow_links=settings.model.allow_links,
        other_models=other_models,
        positions=settings.prompt.positions,
        max_pixels=settings.prompt.max_pixels,
    )


def check_job(settings: RunSettings, registry: Registry) -> Job:
    """Find everything that the settings name. Changes nothing; reads the files up to the first question to ask.

    Raises UsageError for a name that no plug-in provides, for a missing path, and where no question is selected;
    InvalidInputError for an episodes file that cannot be read.
    """
    model = registry.model(settings.model.name)
    tasks = _tasks(settings, registry)
    rule = registry.bias_rule(settings.alignment.bias).item
    selector = _selector(settings.alignment, registry)
    steering = registry.steering_mode(settings.alignment.steer).item
    mode = registry.answer_mode(settings.prompt.answer).item
    model.item.choose(settings.prompt.frame_fit, settings.prompt.positions, settings.prompt.max_pixels)
    _check_checkpoint(settings.model.checkpoint, settings.model.revision)
    if settings.model.lora is not None:
        read_lora(settings.model.lora)
    _check_media_root(settings.selection.media_root)
    others = registry.other_models(settings.model.name)
    rows = _opened(settings.selection.files)
    job = Job(settings, tasks, rule, selector, steering, mode, model, rows, others, _heads(settings))
    check_distinct(settings.selection.files)
    check_selection(settings, tasks)
    return job


def _tasks(settings: RunSettings, registry: Registry) -> dict[str, Task]:
    if settings.selection.tasks == ALL_TASKS:
        return {name: provided.item for name, provided in registry.tasks().items()}
    return {name: registry.task(name).item for name in settings.selection.tasks}


def _selector(settings: AlignmentSettings, registry: Registry) -> HeadSelector:
    """The head selector. Raises UsageError if it lacks what it needs, or gets what it does not use."""
    selector = registry.head_selector(settings.heads_by).item
    if selector.reads_file and settings.heads is None:
        raise UsageError(f"--heads-by {selector.name} needs a heads.parquet of `socialcli measure`: add --heads FILE")
    if settings.heads is not None and not selector.reads_file:
        raise UsageError(f"--heads names the heads, and --heads-by {selector.name} selects others; leave one out")
    if selector.needs_limit and settings.max_heads is None:
        raise UsageError(f"--heads-by {selector.name} needs the number of heads: add --max-heads K")
    return selector


def _heads(settings: RunSettings) -> HeadChoice | None:
    alignment = settings.alignment
    if alignment.heads is None:
        return None
    from socialcli.results.heads import read_heads  # pyarrow

    file, share = Path(alignment.heads), alignment.heads_min_share
    choice = read_heads(file, share, alignment.max_heads, alignment.heads_rank)
    if choice.model != settings.model.name:
        raise UsageError(
            f"--heads {settings.alignment.heads}: the heads are {choice.model}'s, and --model is {settings.model.name}"
        )
    return choice


def _check_checkpoint(checkpoint: str | None, revision: str | None) -> None:
    """Raise for a missing folder. What may be a hub id is left to the adapter to check."""
    if revision is not None and checkpoint is not None and Path(checkpoint).is_dir():
        raise UsageError(f"--revision {revision}: --checkpoint {checkpoint} is a folder; only a hub id has revisions")
    if checkpoint is None or Path(checkpoint).is_dir():
        return
    if advice := checkpoint_advice(checkpoint):
        raise CheckpointError(f"--checkpoint {checkpoint}: {advice}")
    if Path(checkpoint).exists():
        raise CheckpointError(f"--checkpoint {checkpoint}: is a file; name the folder that holds it")
    if checkpoint.startswith(("/", ".", "~")) or checkpoint.strip("/").count("/") > 1:
        raise CheckpointError(f"--checkpoint {checkpoint}: there is no such folder, and a hub id reads owner/name")


def _check_media_root(media_root: str | None) -> None:
    if media_root is not None and not Path(media_root).is_dir():
        raise NotFoundError(f"--media-root {media_root}: there is no such folder")


def _opened(paths: Sequence[Path]) -> Iterator[EpisodeRow]:
    """The rows of the files. The first one is read now, to detect a file of another kind (every file has one)."""
    rows = read_files(paths)
    return chain([next(rows)], rows)
