"""(torch) The work of a run in this process: one model, one episode after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.alignment.forcing import attention_kernel
from socialcli.engines.checking import Job
from socialcli.engines.pipeline import ahead, default_workers
from socialcli.engines.rows import RowMaker
from socialcli.engines.selection import Selection
from socialcli.episodes.reading import BadQuestion
from socialcli.episodes.records import Episode, Question
from socialcli.errors import UsageError, VideoError
from socialcli.inference.answering import Outcome, answer_episodes
from socialcli.inference.batching import BatchLimit
from socialcli.inference.looking import AskOptions
from socialcli.inference.preparing import PreparedEpisode, prepare_episode
from socialcli.runs.keys import checkpoint_fingerprint, lora_fingerprint, media_digest
from socialcli.runs.manifest import ModelIdentity
from socialcli.runs.predictions import Prediction
from socialcli.runs.settings import RunSettings
from socialcli.video.media import resolve_media

MOST_EPISODES = 64  # to wait for before any is answered: those of which all is kept already add no question


class Kept(Protocol):
    """Rows of an earlier run, found by their key."""

    def __contains__(self, key: str) -> bool:
        """Whether there is one. Called from threads."""

    def row(self, key: str) -> Prediction:
        """The row. Raises KeyError."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A selection with a row for every question of it under every condition, in that order."""

    selection: Selection
    rows: Sequence[Prediction]
    fresh: Sequence[Sequence[Prediction]]  # of the rows, by question, those that the model was asked for now
    kept: int  # of the rows, those of an earlier run


class LocalEngine:
    """Asks one model the questions of a run."""

    def __init__(self, job: Job, adapter: Adapter, conditions: Sequence[Alignment | None]) -> None:
        """Take the job's model, loaded, and the conditions to ask it under (None: plain).

        Raises UsageError for layers that the decoder does not have, and for an attention kernel that is not there.
        """
        settings = job.settings
        for condition in filter(None, conditions):
            condition.layers_of(len(adapter.layers))
        with attention_kernel(adapter, settings.attn):
            pass  # one that is not there is told before the work begins
        self.conditions = conditions
        self.identity = loaded_identity(job.identity, adapter)
        self._adapter = adapter
        self._tasks = job.tasks
        self._options = ask_options(settings)
        self._attn = settings.attn
        self._limit = BatchLimit(self._options.batch_size)
        self._workers = workers_of(settings, adapter)
        self.seconds = {"prepare": 0.0, "answer": 0.0}  # spent on clips and prompts, in all threads, and in the model
        self._rows = row_maker(job, adapter, self.identity)

    @classmethod
    def load(cls, job: Job) -> Self:
        """Load the model of a run, to be asked under the conditions of the run's settings.

        Raises CheckpointError where it cannot be had, UsageError for a device or layers that are not there.
        """
        adapter = job.model.item.load_checked(job.load_options)
        return cls(job, adapter, conditions_of(job, adapter))

    @property
    def files(self) -> list[Path]:
        """The folders of the weights."""
        return [folder for folder in (self._adapter.folder, self._adapter.lora) if folder is not None]

    def answer(self, selections: Iterable[Selection], kept: Kept | None = None) -> Iterator[list[Answered]]:
        """Every selection with its rows; a question of which all rows are `kept` is not asked again.

        While the model works, the next clips are read in threads. Selections are answered a few at a time, so that
        questions on several clips can go through the model together. Who keeps such a few together, and goes on behind
        them, has the same questions go through the model together as who never stopped: and so the same scores.
        """
        group: list[tuple[Selection, _Prepared]] = []
        questions = 0
        for item in ahead(partial(self._prepare, kept=kept), selections, self._workers):
            group.append(item)
            questions += len(item[1].to_ask)
            if questions >= self._limit.to_collect(self._adapter) or len(group) >= MOST_EPISODES:
                yield self._answered(group, self._limit, self._attn)
                group, questions = [], 0
        yield self._answered(group, self._limit, self._attn)

    def again(self, selection: Selection, *, eager: bool = False) -> Sequence[Prediction]:
        """The rows of a selection asked one question at a time, with the plain eager attention if wanted."""
        group = [(selection, self._prepare(selection, None))]
        (answered,) = self._answered(group, BatchLimit(1), "eager" if eager else self._attn)
        return answered.rows

    def _prepare(self, selection: Selection, kept: Kept | None) -> _Prepared:
        episode = selection.row.episode
        good = [question for question in selection.questions if isinstance(question, Question)]
        if episode is None or not good:
            return _Prepared(episode, {}, {}, [], None)
        media = clip_digest(episode, self._options)
        keys = {one.id: self._rows.keys(episode, media, one, self.conditions) for one in good}
        found = {one.id: kept for one in good if kept is not None and all(key in kept for key in keys[one.id])}
        to_ask = [one for one in good if one.id not in found]
        prepared = prepare_episode(self._adapter, episode, to_ask, self._tasks, self._options) if to_ask else None
        return _Prepared(episode, keys, found, to_ask, prepared)

    def _answered(self, group: Sequence[tuple[Selection, _Prepared]], limit: BatchLimit, kernel: str) -> list[Answered]:
        ready = [prepared.questions for _, prepared in group if prepared.questions is not None]
        started = time.perf_counter()
        with attention_kernel(self._adapter, kernel):
            options = self._options
            outcomes = iter(
                answer_episodes(self._adapter, ready, self.conditions, options.generate, limit, options.timeout)
            )
        self.seconds["answer"] += time.perf_counter() - started
        self.seconds["prepare"] += sum(prepared.seconds for prepared in ready)
        return [
            self._with_rows(selection, prepared, iter(next(outcomes)) if prepared.to_ask else iter(()))
            for selection, prepared in group
        ]

    def _with_rows(self, selection: Selection, prepared: _Prepared, outcomes: Iterator[Outcome]) -> Answered:
        """The rows of the questions in their places: kept, asked, or refused because the file gets them wrong."""
        rows: list[Prediction] = []
        fresh: list[list[Prediction]] = []
        kept = 0
        for question in selection.questions:
            if isinstance(question, BadQuestion):
                rows += [self._rows.refused(selection.row, question, condition) for condition in self.conditions]
            elif question.id in prepared.kept:
                rows += [prepared.kept[question.id].row(key) for key in prepared.keys[question.id]]
                kept += len(self.conditions)
            else:
                fresh.append([self._row(prepared, next(outcomes), key) for key in prepared.keys[question.id]])
                rows += fresh[-1]
        return Answered(selection, rows, fresh, kept)

    def _row(self, prepared: _Prepared, outcome: Outcome, key: str) -> Prediction:
        assert prepared.episode is not None
        return self._rows.answered(prepared.episode, outcome, key)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A selection of which nothing is missing but the answers."""

    episode: Episode | None  # None: the row of the file is no episode
    keys: Mapping[str, Sequence[str]]  # of the rows by question, in the order of the conditions
    kept: Mapping[str, Kept]  # by question, where its rows are found that are there already
    to_ask: Sequence[Question]
    questions: PreparedEpisode | None  # None: there is none to ask


def row_maker(job: Job, adapter: Adapter, model: ModelIdentity) -> RowMaker:
    """What makes the rows of a job's questions, and their keys."""
    return RowMaker(
        settings=job.settings,
        model=model,
        tasks=job.tasks,
        frame_fit=job.settings.frame_fit or next(iter(adapter.spec.frame_fits), None),
        decoder_layers=len(adapter.layers),
    )


def conditions_of(job: Job, adapter: Adapter) -> list[Alignment | None]:
    """The conditions that the settings ask every question under. Raises as `alignment_of` does."""
    aligned = alignment_of(job, adapter)
    return [aligned if condition else None for condition in job.settings.conditions()]


def alignment_of(job: Job, adapter: Adapter) -> Alignment:
    """The settings of the method. Raises UsageError for a choice of heads from a decoder of another shape."""
    settings = job.settings
    if job.heads is None:
        return Alignment(settings.alpha, settings.lambda_, settings.layers, job.rule)
    shape = len(adapter.layers), adapter.model.config.get_text_config().num_attention_heads
    if job.heads.shape != shape:
        raise UsageError(
            f"--heads {settings.heads}: chosen in a decoder of {job.heads.shape[0]} layers with {job.heads.shape[1]} "
            f"heads each, and this one has {shape[0]} with {shape[1]}"
        )
    return Alignment(settings.alpha, settings.lambda_, rule=job.rule, heads=job.heads.heads)


def ask_options(settings: RunSettings) -> AskOptions:
    """How the settings want questions to be put to the model."""
    return AskOptions(
        media_root=Path(settings.media_root or Path(settings.episodes).parent),
        with_video=settings.inputs != "L",
        boxes_as=settings.boxes_as,
        context=settings.context,
        frames=settings.frames,
        box_gap=settings.box_gap,
        generate=settings.answer == "generate",
        timeout=settings.timeout_per_question,
        batch_size=None if settings.batch_size == "auto" else settings.batch_size,
    )


def workers_of(settings: RunSettings, adapter: Adapter) -> int:
    """How many threads are to read clips while the model works."""
    return default_workers(adapter.device.type == "cpu") if settings.workers is None else settings.workers


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
