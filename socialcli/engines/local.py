"""(torch) The work of a run in this process: one model, one episode after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.alignment.layers import resolve_layers
from socialcli.engines.checking import Job
from socialcli.engines.rows import RowMaker
from socialcli.engines.selection import Selection
from socialcli.episodes.reading import BadQuestion
from socialcli.episodes.records import Episode, Question
from socialcli.errors import VideoError
from socialcli.inference.episode import ask_episode
from socialcli.inference.looking import AskOptions
from socialcli.runs.keys import checkpoint_fingerprint, media_digest
from socialcli.runs.manifest import ModelIdentity
from socialcli.runs.predictions import Prediction
from socialcli.runs.settings import RunSettings
from socialcli.video.media import resolve_media


class LocalEngine:
    """Asks one model the questions of a run."""

    def __init__(self, job: Job) -> None:
        """Load the model.

        Raises CheckpointError where it cannot be had, UsageError for a device or layers that are not there.
        """
        settings = job.settings
        adapter = job.model.item.load(job.load_options)
        layers = resolve_layers(settings.layers, len(adapter.layers))
        aligned = Alignment(settings.alpha, settings.lambda_, settings.layers, job.rule)
        self.identity = loaded_identity(job.identity, adapter)
        self._adapter = adapter
        self._tasks = job.tasks
        self._conditions = [aligned if condition else None for condition in settings.conditions()]
        self._options = ask_options(settings)
        self._rows = RowMaker(
            settings=settings,
            model=self.identity,
            frame_fit=settings.frame_fit or next(iter(adapter.spec.frame_fits), None),
            layers=f"{layers.start}-{layers.stop - 1}",
        )

    def ask(self, selection: Selection) -> list[Prediction]:
        """A row for every question of the selection under every condition, in that order."""
        episode = selection.row.episode
        good = [question for question in selection.questions if isinstance(question, Question)]
        answered = self._answered(episode, good) if episode and good else iter(())
        rows: list[Prediction] = []
        for question in selection.questions:
            for condition in self._conditions:
                if isinstance(question, BadQuestion):
                    rows.append(self._rows.refused(selection.row, question, condition is not None))
                else:
                    rows.append(next(answered))
        return rows

    def _answered(self, episode: Episode, questions: Iterable[Question]) -> Iterator[Prediction]:
        media = _media_digest(episode, self._options)
        outcomes = ask_episode(self._adapter, episode, list(questions), self._tasks, self._options, self._conditions)
        return (self._rows.answered(episode, media, outcome) for outcome in outcomes)


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
