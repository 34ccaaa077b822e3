"""(torch) The work of a run in this process: rows of episodes in, rows of predictions out, in the same order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.alignment.rules import BiasRule
from socialcli.engines.rows import RowMaker
from socialcli.episodes.reading import EpisodeRow
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.episode import ask_episode
from socialcli.inference.looking import AskOptions
from socialcli.runs.keys import media_digest
from socialcli.runs.predictions import Prediction
from socialcli.runs.settings import RunSettings
from socialcli.tasks.base import Task
from socialcli.video.media import resolve_media

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What a run has met so far, beside its rows."""

    episodes: int = 0
    questions: int = 0
    problems: list[str] = field(default_factory=list)  # rows of the file that name no question at all


class LocalEngine:
    """Asks one model the questions of a run, one episode after the other."""

    def __init__(
        self, settings: RunSettings, adapter: Adapter, tasks: dict[str, Task], rule: BiasRule, rows: RowMaker
    ) -> None:
        """Take what the run needs; the model is loaded already."""
        self.tally = Tally()
        self._settings = settings
        self._adapter = adapter
        self._tasks = tasks
        self._rows = rows
        aligned = Alignment(settings.alpha, settings.lambda_, settings.layers, rule)
        self._conditions = [aligned if condition else None for condition in settings.conditions()]
        self._options = AskOptions(
            media_root=Path(settings.media_root or Path(settings.episodes).parent),
            with_video=settings.inputs != "L",
            boxes_as=settings.boxes_as,
            context=settings.context,
            frames=settings.frames,
            box_gap=settings.box_gap,
            generate=settings.answer == "generate",
            batch_size=settings.batch_size,
        )

    def predictions(self, episodes: Iterable[EpisodeRow]) -> Iterator[Prediction]:
        """A row for every question of the run's tasks and split, up to the limit, under every condition."""
        for row in episodes:
            if self._left() == 0:
                return
            if self._settings.split in (None, (row.record or {}).get("split")):
                yield from self._of_row(row)

    def _left(self) -> int | None:
        limit = self._settings.limit
        return None if limit is None else limit - self.tally.questions

    def _of_row(self, row: EpisodeRow) -> Iterator[Prediction]:
        for problem in row.problems:
            _log.warning("%s", problem.located(row.source_name))
        if row.episode is None and not row.bad_questions:
            self.tally.problems += [problem.located(row.source_name) for problem in row.problems[:1]]
            return
        self.tally.episodes += 1
        if row.episode is not None:
            wanted = [question for question in row.episode.questions if question.task in self._tasks][: self._left()]
            self.tally.questions += len(wanted)
            yield from self._ask(row.episode, wanted)
        for bad in [bad for bad in row.bad_questions if bad.task is None or bad.task in self._tasks][: self._left()]:
            self.tally.questions += 1
            for condition in self._conditions:
                yield self._rows.refused(row, bad, condition is not None)

    def _ask(self, episode: Episode, questions: list[Question]) -> Iterator[Prediction]:
        if not questions:
            return
        media = self._media_digest(episode)
        for outcome in ask_episode(self._adapter, episode, questions, self._tasks, self._options, self._conditions):
            if outcome.error is not None:
                _log.warning("%s: %s: %s", episode.episode_id, outcome.question.id, outcome.error.record)
            yield self._rows.answered(episode, media, outcome)

    def _media_digest(self, episode: Episode) -> str | None:
        if not self._options.with_video:
            return None
        try:
            return media_digest(resolve_media(self._options.media_root, episode.video.path))
        except QuestionError:
            return None  # asking the questions runs into the same error, and each row says so
