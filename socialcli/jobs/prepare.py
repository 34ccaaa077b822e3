"""(torch) Prepares a job's questions for a loaded model, except those whose rows all exist already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from socialcli.alignment.attention import Alignment
from socialcli.alignment.hooks import layers_of
from socialcli.episodes.records import Episode, Question
from socialcli.errors import VideoError
from socialcli.inference.clip import PreparedQuestion
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.preparation import prepare_episode
from socialcli.jobs.job import Job
from socialcli.jobs.prefetch import ahead, default_workers
from socialcli.jobs.rows import RowMaker
from socialcli.jobs.selection import Selection
from socialcli.models.contract import Adapter, choices_of
from socialcli.results.keys import checkpoint_fingerprint, lora_fingerprint, media_digest
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings
from socialcli.tasks.orders import CandidateOrder, OrderChoice
from socialcli.video.media import resolve_media


class Kept(Protocol):
    """Rows of an earlier run, found by their key."""

    def __contains__(self, key: str) -> bool:
        """Whether there is one. Called from threads."""

    def row(self, key: str) -> Prediction:
        """The row. Raises KeyError."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A selection with the keys of its rows and, where rows are missing, its questions ready for the model.

    `keys[question id][order][condition index]` is the key of that row, for every question that can be asked. `missing`
    has the same form, with only the keys that no earlier row has. `orders` are those of the candidates, by question id.
    """

    selection: Selection
    orders: Mapping[str, Sequence[CandidateOrder]]
    keys: Mapping[str, Sequence[Mapping[int, str]]]
    missing: Mapping[str, Sequence[Mapping[int, str]]]
    questions: Sequence[PreparedQuestion] | None  # None: no row is missing

    @property
    def kept(self) -> frozenset[str]:
        """The keys of the rows that an earlier run left."""
        return frozenset(
            key
            for id, orders in self.keys.items()
            for keys, missing in zip(orders, self.missing[id], strict=True)
            for index, key in keys.items()
            if index not in missing
        )

    def fewer_orders(self, wanted: int) -> int:
        """The number of questions with fewer orders than `wanted`."""
        return sum(len(orders) < wanted for orders in self.orders.values())


class Preparer:
    """Prepares the selections of a job for its model."""

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
            conditions=conditions,
            choices=choices_of(adapter, job.load_options),
            decoder=layers_of(adapter),
        )
        # Planned here, where threads prepare questions, and not between the batches: all that do not need the model.
        steerings = dict.fromkeys(one.steering for one in conditions if one is not None)
        self._steerings = tuple(one for one in steerings if not one.regions.by_model)
        self._settings = settings
        self._tasks = job.tasks
        self._orders = OrderChoice(settings.prompt.permute or 1, settings.prompt.permute_seed)
        self._workers = workers_of(settings, adapter)

    def prepare_ahead(self, selections: Iterable[Selection], kept: Kept | None) -> Iterator[Prepared]:
        """Every selection, prepared, in order; threads read the next clips meanwhile."""
        for _, prepared in ahead(partial(self.prepare, kept=kept), selections, self._workers):
            yield prepared

    def prepare(self, selection: Selection, kept: Kept | None) -> Prepared:
        """Prepare all questions of a selection, unless all their rows are `kept`."""
        episode, questions = selection.row.episode, _good(selection)
        if episode is None or not questions:
            return Prepared(selection, {}, {}, {}, None)
        media = clip_digest(episode, self._options_for(selection))
        orders = {one.id: self._orders.orders(self._tasks[one.task], episode, one) for one in questions}
        keys = {
            one.id: [dict(enumerate(keys)) for keys in self.rows.keys(episode, media, one, orders[one.id])]
            for one in questions
        }
        missing = {
            id: [{index: key for index, key in one.items() if kept is None or key not in kept} for one in of_question]
            for id, of_question in keys.items()
        }
        prepared = Prepared(selection, orders, keys, missing, None)
        return self.completed(prepared) if any(map(any, missing.values())) else prepared

    def completed(self, prepared: Prepared) -> Prepared:
        """The same with its questions prepared even if no row is missing: they belong in batches with others."""
        episode, questions = prepared.selection.row.episode, _good(prepared.selection)
        if prepared.questions is not None or episode is None or not questions:
            return prepared
        options = self._options_for(prepared.selection)
        orders = prepared.orders
        ready = prepare_episode(self.adapter, episode, questions, self._tasks, options, orders, self._steerings)
        missing = prepared.missing
        asked = [replace(one, missing=missing[one.question.id][one.order.number]) for one in ready]
        return replace(prepared, questions=asked)

    def _options_for(self, selection: Selection) -> AskOptions:
        return replace(self.options, media_root=self._settings.selection.media_root_of(selection.row.folder))


def _good(selection: Selection) -> list[Question]:
    """The questions that can be asked, as far as the episodes file shows."""
    return [question for question in selection.questions if isinstance(question, Question)]


def ask_options(settings: RunSettings) -> AskOptions:
    """How the settings put questions to the model."""
    return AskOptions(
        media_root=Path(settings.selection.media_root or Path(settings.selection.episodes).parent),
        with_video=settings.prompt.inputs != "L",
        boxes_as=settings.prompt.boxes_as,
        context=settings.prompt.context,
        frames=settings.prompt.frames,
        box_gap=settings.prompt.box_gap,
        timeout=settings.checks.timeout_per_question,
        batch_size=None if settings.compute.batch_size == "auto" else settings.compute.batch_size,
    )


def workers_of(settings: RunSettings, adapter: Adapter) -> int:
    """How many threads read clips while the model works."""
    workers = settings.compute.workers
    return default_workers(adapter.device.type == "cpu") if workers is None else workers


def loaded_identity(identity: ModelIdentity, adapter: Adapter) -> ModelIdentity:
    """The identity, completed with what only the loaded model knows."""
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
        return None  # preparing the questions meets the same error, and their rows report it
