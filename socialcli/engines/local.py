"""(torch) The work of a run in this process: one model, one episode after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment, eager_attention
from socialcli.engines.checking import Job
from socialcli.engines.rows import RowMaker
from socialcli.engines.selection import Selection
from socialcli.episodes.reading import BadQuestion
from socialcli.episodes.records import Episode, Question
from socialcli.errors import UsageError, VideoError
from socialcli.inference.episode import ask_episode
from socialcli.inference.looking import AskOptions
from socialcli.runs.keys import checkpoint_fingerprint, media_digest
from socialcli.runs.manifest import ModelIdentity
from socialcli.runs.predictions import Prediction
from socialcli.runs.settings import RunSettings
from socialcli.video.media import resolve_media


class LocalEngine:
    """Asks one model the questions of a run."""

    def __init__(self, job: Job, conditions: Sequence[Alignment | None] | None = None) -> None:
        """Load the model. It is asked under `conditions` (None: plain), which are those of the settings by default.

        Raises CheckpointError where it cannot be had, UsageError for a device or layers that are not there.
        """
        settings = job.settings
        adapter = job.model.item.load(job.load_options)
        if conditions is None:
            aligned = alignment_of(job, adapter)
            conditions = [aligned if condition else None for condition in settings.conditions()]
        self.conditions = conditions
        self.identity = loaded_identity(job.identity, adapter)
        self._adapter = adapter
        self._tasks = job.tasks
        self._options = ask_options(settings)
        self._rows = RowMaker(
            settings=settings,
            model=self.identity,
            frame_fit=settings.frame_fit or next(iter(adapter.spec.frame_fits), None),
            decoder_layers=len(adapter.layers),
        )
        for condition in filter(None, conditions):
            condition.layers_of(len(adapter.layers))  # raises where the decoder has no such layers

    def ask(self, selection: Selection, *, batch_size: int | None = None, eager: bool = False) -> list[Prediction]:
        """A row for every question of the selection under every condition, in that order.

        To compare with, it can be asked in batches of another size, and with the plain eager attention.
        """
        episode = selection.row.episode
        good = [question for question in selection.questions if isinstance(question, Question)]
        options = self._options if batch_size is None else replace(self._options, batch_size=batch_size)
        with eager_attention(self._adapter) if eager else nullcontext():
            answered = iter(self._answered(episode, good, options) if episode and good else ())
        rows: list[Prediction] = []
        for question in selection.questions:
            for condition in self.conditions:
                if isinstance(question, BadQuestion):
                    rows.append(self._rows.refused(selection.row, question, condition))
                else:
                    rows.append(next(answered))
        return rows

    def _answered(self, episode: Episode, questions: list[Question], options: AskOptions) -> list[Prediction]:
        media = _media_digest(episode, options)
        outcomes = ask_episode(self._adapter, episode, questions, self._tasks, options, self.conditions)
        return [self._rows.answered(episode, media, outcome) for outcome in outcomes]


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
        batch_size=settings.batch_size,
    )


def loaded_identity(identity: ModelIdentity, adapter: Adapter) -> ModelIdentity:
    """The identity with what only the loaded model tells."""
    return replace(
        identity,
        checkpoint_sha256=checkpoint_fingerprint(adapter.folder) if adapter.folder else None,
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
