"""(torch) The work of a run in this process: one model, one episode after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

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
        self._rows = RowMaker(
            settings=settings,
            model=self.identity,
            frame_fit=settings.frame_fit or next(iter(adapter.spec.frame_fits), None),
            decoder_layers=len(adapter.layers),
        )

    @classmethod
    def load(cls, job: Job) -> Self:
        """Load the model of a run, to be asked under the conditions of the run's settings.

        Raises CheckpointError where it cannot be had, UsageError for a device or layers that are not there.
        """
        adapter = job.model.item.load_checked(job.load_options)
        aligned = alignment_of(job, adapter)
        return cls(job, adapter, [aligned if condition else None for condition in job.settings.conditions()])

    def answer(self, selections: Iterable[Selection]) -> Iterator[tuple[Selection, list[Prediction]]]:
        """Each selection with a row for every question of it under every condition, in that order.

        While the model works, the next clips are read in threads. Selections are answered a few at a time, so that
        questions on several clips can go through the model together.
        """
        group: list[tuple[Selection, _Prepared | None]] = []
        questions = 0
        for item in ahead(self._prepare, selections, self._workers):
            group.append(item)
            questions += len(item[0].questions)
            if questions >= self._limit.to_collect(self._adapter):
                yield from self._answered(group, self._limit, self._attn)
                group, questions = [], 0
        yield from self._answered(group, self._limit, self._attn)

    def again(self, selection: Selection, *, eager: bool = False) -> list[Prediction]:
        """The rows of a selection asked one question at a time, with the plain eager attention if wanted."""
        group = [(selection, self._prepare(selection))]
        ((_, rows),) = self._answered(group, BatchLimit(1), "eager" if eager else self._attn)
        return rows

    def _prepare(self, selection: Selection) -> _Prepared | None:
        episode = selection.row.episode
        good = [question for question in selection.questions if isinstance(question, Question)]
        if episode is None or not good:
            return None
        prepared = prepare_episode(self._adapter, episode, good, self._tasks, self._options)
        return _Prepared(episode, _media_digest(episode, self._options), prepared)

    def _answered(
        self, group: Sequence[tuple[Selection, _Prepared | None]], limit: BatchLimit, kernel: str
    ) -> Iterator[tuple[Selection, list[Prediction]]]:
        ready = [prepared.questions for _, prepared in group if prepared is not None]
        with attention_kernel(self._adapter, kernel):
            outcomes = iter(answer_episodes(self._adapter, ready, self.conditions, self._options.generate, limit))
        for selection, prepared in group:
            rows = [] if prepared is None else [self._row(prepared, outcome) for outcome in next(outcomes)]
            yield selection, self._with_refused(selection, rows)

    def _row(self, prepared: _Prepared, outcome: Outcome) -> Prediction:
        return self._rows.answered(prepared.episode, prepared.media, outcome)

    def _with_refused(self, selection: Selection, answered: Iterable[Prediction]) -> list[Prediction]:
        """The rows of the questions that were asked, and, in their places, those of the ones that could not be."""
        answered = iter(answered)
        rows: list[Prediction] = []
        for question in selection.questions:
            for condition in self.conditions:
                if isinstance(question, BadQuestion):
                    rows.append(self._rows.refused(selection.row, question, condition))
                else:
                    rows.append(next(answered))
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A selection of which nothing is missing but the answers."""

    episode: Episode
    media: str | None  # hash of the clip
    questions: PreparedEpisode


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


def _media_digest(episode: Episode, options: AskOptions) -> str | None:
    """The hash of the clip's file; None where the model gets no video, or there is none to hash."""
    if not options.with_video:
        return None
    try:
        return media_digest(resolve_media(options.media_root, episode.video.path))
    except VideoError:
        return None  # asking the questions meets the same error, and each row tells it
