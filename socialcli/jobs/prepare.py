"""(torch) What is to be asked of a loaded model: its questions made ready, but for those that have their answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Episode, Question
from socialcli.errors import VideoError
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.preparing import PreparedEpisode, prepare_episode
from socialcli.jobs.job import Job
from socialcli.jobs.prefetch import ahead, default_workers
from socialcli.jobs.rows import RowMaker
from socialcli.jobs.selection import Selection
from socialcli.models.contract import Adapter, choices_of
from socialcli.results.keys import checkpoint_fingerprint, lora_fingerprint, media_digest
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings
from socialcli.video.media import resolve_media


class Kept(Protocol):
    """Rows of an earlier run, found by their key."""

    def __contains__(self, key: str) -> bool:
        """Whether there is one. Called from threads."""

    def row(self, key: str) -> Prediction:
        """The row. Raises KeyError."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A selection of which nothing is missing but the answers."""

    episode: Episode | None  # None: the row of the file is no episode
    keys: Mapping[str, Sequence[str]]  # of the rows, by question that can be asked, in the order of the conditions
    kept: Set[str]  # keys of the rows that are there already
    questions: PreparedEpisode | None  # None: all rows are there

    def missing(self, question: Question) -> tuple[int, ...]:
        """The conditions, by their place, under which there is no row of a question."""
        return tuple(place for place, key in enumerate(self.keys[question.id]) if key not in self.kept)


class Asking:
    """How a job puts its questions to a model."""

    def __init__(self, job: Job, adapter: Adapter, conditions: Sequence[Alignment | None]) -> None:
        """Take the job's model, with or without its weights, and the conditions to ask it under (None: plain)."""
        settings = job.settings
        self.adapter = adapter
        self.conditions = conditions
        self.identity = loaded_identity(job.identity, adapter)
        self.options = ask_options(settings)
        self.rows = RowMaker(
            settings=settings,
            model=self.identity,
            tasks=job.tasks,
            choices=choices_of(adapter, job.load_options),
            decoder_layers=len(adapter.layers),
        )
        self._settings = settings
        self._tasks = job.tasks
        self._workers = workers_of(settings, adapter)

    def prepare_ahead(self, selections: Iterable[Selection], kept: Kept | None) -> Iterator[tuple[Selection, Prepared]]:
        """Every selection, prepared; the next clips are read in threads meanwhile."""
        return ahead(partial(self.prepare, kept=kept), selections, self._workers)

    def prepare(self, selection: Selection, kept: Kept | None) -> Prepared:
        """Make a selection ready, with all its questions, unless all its rows are `kept`."""
        episode = selection.row.episode
        good = [question for question in selection.questions if isinstance(question, Question)]
        if episode is None or not good:
            return Prepared(episode, {}, frozenset(), None)
        options = self._options_for(selection)
        media = clip_digest(episode, options)
        keys = {one.id: self.rows.keys(episode, media, one, self.conditions) for one in good}
        all_keys = frozenset(chain.from_iterable(keys.values()))
        there = frozenset(key for key in all_keys if key in kept) if kept is not None else frozenset()
        if there == all_keys:
            return Prepared(episode, keys, there, None)
        return Prepared(episode, keys, there, self._questions(episode, good, options))

    def completed(self, selection: Selection, prepared: Prepared) -> Prepared:
        """The same, made ready even where all its rows are kept: others stand in batches with its questions."""
        good = [question for question in selection.questions if isinstance(question, Question)]
        if prepared.questions is not None or prepared.episode is None or not good:
            return prepared
        return replace(prepared, questions=self._questions(prepared.episode, good, self._options_for(selection)))

    def _options_for(self, selection: Selection) -> AskOptions:
        return replace(self.options, media_root=self._settings.selection.media_root_of(selection.row.folder))

    def _questions(self, episode: Episode, good: Sequence[Question], options: AskOptions) -> PreparedEpisode:
        return prepare_episode(self.adapter, episode, good, self._tasks, options)


def ask_options(settings: RunSettings) -> AskOptions:
    """How the settings want questions to be put to the model."""
    return AskOptions(
        media_root=Path(settings.selection.media_root or Path(settings.selection.episodes).parent),
        with_video=settings.prompt.inputs != "L",
        boxes_as=settings.prompt.boxes_as,
        context=settings.prompt.context,
        frames=settings.prompt.frames,
        box_gap=settings.prompt.box_gap,
        generate=settings.prompt.answer == "generate",
        timeout=settings.checks.timeout_per_question,
        batch_size=None if settings.compute.batch_size == "auto" else settings.compute.batch_size,
    )


def workers_of(settings: RunSettings, adapter: Adapter) -> int:
    """How many threads are to read clips while the model works."""
    return (
        default_workers(adapter.device.type == "cpu") if settings.compute.workers is None else settings.compute.workers
    )


def loaded_identity(identity: ModelIdentity, adapter: Adapter) -> ModelIdentity:
    """The identity with what only the loaded model tells."""
    return replace(
        identity,
        checkpoint_sha256=checkpoint_fingerprint(adapter.folder) if adapter.folder else None,
        adapter_sha256=lora_fingerprint(adapter.lora) if adapter.lora else None,
        device=str(adapter.device),
        dtype=str(adapter.model.dtype).removeprefix("torch."),
    )


def clip_digest(episode: Episode, options: AskOptions) -> str | None:
    """The hash of an episode's clip; None where the model gets no video, or there is none to hash."""
    if not options.with_video:
        return None
    try:
        return media_digest(resolve_media(options.media_root, episode.video.path))
    except VideoError:
        return None  # asking the questions meets the same error, and each row tells it
