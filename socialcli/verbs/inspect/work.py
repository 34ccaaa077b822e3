"""(torch) Inspect the questions of an episodes file one by one.

A question that cannot be inspected is logged and yields None, and the others continue.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from socialcli.alignment.steering.modes import METHOD, Steering
from socialcli.episodes.reading import EpisodeRow
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError, UnknownNameError
from socialcli.inference.clip import Clip, ClipQuestion
from socialcli.inference.clip_view import AskOptions, known_until, last_moment
from socialcli.models.contract import Adapter, LoadOptions
from socialcli.tasks.base import Task
from socialcli.verbs.inspect.attention import AttentionQuery, attention_maps
from socialcli.verbs.inspect.maps import AttentionMaps
from socialcli.verbs.inspect.report import Inspection, inspect_question
from socialcli.verbs.inspect.selection import Selection
from socialcli.video.frames import FrameSet

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """A question's inspection, the frames that the model gets (None: no video), and its attention maps."""

    inspection: Inspection
    frames: FrameSet | None
    attention: tuple[AttentionMaps, ...] = ()  # empty unless requested


class Inspector:
    """Prepares questions for a model like a run does, and runs the model only to trace its attention."""

    def __init__(
        self,
        adapter: Adapter,
        source: LoadOptions,
        tasks: Mapping[str, Task],
        options: AskOptions,
        attention: AttentionQuery | None = None,
        steering: Steering = METHOD,
    ) -> None:
        """Use a model, its load options, and the prompt options; the model needs weights only for `attention`.

        Raises UsageError if `attention` names layers or heads that the model does not have.
        """
        if attention is not None:
            attention.check(adapter)
        self._adapter = adapter
        self._source = source
        self._tasks = tasks
        self._options = options
        self._attention = attention
        self._steering = steering

    def inspect(self, rows: Iterable[EpisodeRow], selection: Selection) -> Iterator[Inspected | None]:
        """Inspect the selected questions; None for a question, or a row without questions, that cannot be inspected."""
        for row in rows:
            if selection.matches(row):
                yield from self._of_row(row, selection)

    def _of_row(self, row: EpisodeRow, selection: Selection) -> Iterator[Inspected | None]:
        for problem in row.problems:
            _log.warning("%s", problem.located(row.source_name))
        if row.episode is None and not row.bad_questions:
            yield None
        if row.episode is not None:
            wanted = [question for question in row.episode.questions if selection.includes(question.id)]
            yield from self._of_episode(row.episode, wanted)
            if not row.episode.questions and not row.bad_questions:
                yield self._without_question(row.episode)
        for bad in row.bad_questions:
            if selection.includes(bad.id):
                yield None

    def _of_episode(self, episode: Episode, questions: Sequence[Question]) -> Iterator[Inspected | None]:
        known: Episode | None = None  # the episode up to the time that the clip's questions may see
        clip: Clip | None = None
        for question in questions:
            inspected = None
            try:
                now = known_until(episode, last_moment(episode, question, self._options))
                if clip is None or now != known:
                    clip, known = Clip(self._adapter, now, self._options), now
                inspected = self._of_question(clip, question)
            except (QuestionError, UnknownNameError) as error:
                what = error.record if isinstance(error, QuestionError) else str(error)
                _log.warning("%s: %s: %s", episode.episode_id, question.id, what)
            yield inspected

    def _without_question(self, episode: Episode) -> Inspected | None:
        """An episode that has no questions: what comes before them is the same for all."""
        try:
            clip = Clip(self._adapter, episode, self._options)
            return self._inspected(clip.transcribe(), None)
        except QuestionError as error:
            _log.warning("%s: %s", episode.episode_id, error.record)
            return None

    def _of_question(self, clip: Clip, question: Question) -> Inspected:
        if question.task not in self._tasks:
            raise UnknownNameError("task", question.task, self._tasks)
        task = self._tasks[question.task]
        return self._inspected(clip.ask(question, task), task)

    def _inspected(self, asked: ClipQuestion, task: Task | None) -> Inspected:
        frames = asked.clip.frames
        inspection = inspect_question(asked, task, self._source, self._steering)
        if self._attention is None:
            return Inspected(inspection, frames)
        maps = attention_maps(asked, inspection, self._attention)
        if not maps:
            steer = self._steering.mode.name
            _log.warning("%s: --steer %s biases no utterance: no attention map", inspection.name, steer)
        return Inspected(inspection, frames, maps)
