"""(torch) Exercises made ready for the model: decoded, encoded, tokenized, planned. As many clips as fit are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from socialcli.episodes.records import Question
from socialcli.errors import QuestionError
from socialcli.inference.clip import Clip
from socialcli.inference.clip_view import AskOptions, known_until, last_moment
from socialcli.models.contract import Adapter, EncodedClip
from socialcli.tasks.base import Task
from socialcli.verbs.train.learning.examples import Exercise
from socialcli.verbs.train.learning.rows import Lesson, TrainingRow, lesson, pack

_Place = tuple[str, float]  # an episode's id, and the moment that its questions may see up to


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRow:
    """A row, None where no question of it is left; and the questions that it had to leave out, with the reason."""

    row: TrainingRow | None
    lost: Mapping[str, QuestionError]  # by the question's id


@dataclass(frozen=True, slots=True, eq=False)
class _Studied:
    """A clip with what can be learnt on it."""

    clip: EncodedClip | None
    lessons: Mapping[str, Lesson | QuestionError]  # by the question's id

    @property
    def size(self) -> int:
        """The bytes of the clip."""
        inputs = self.clip.inputs.values() if self.clip is not None else ()
        return sum(value.numel() * value.element_size() for value in inputs)


class RowMaker:
    """Makes the rows of exercises."""

    def __init__(
        self,
        adapter: Adapter,
        tasks: Mapping[str, Task],
        options: AskOptions,
        exercises: Iterable[Exercise],
        memory: int,
    ) -> None:
        """`exercises` are all that will come; `memory` is the number of bytes that clips kept for later may take."""
        self._adapter = adapter
        self._tasks = tasks
        self._options = options
        self._left = memory
        self._kept: dict[_Place, _Studied] = {}
        self._questions: dict[_Place, list[Question]] = {}
        for one in exercises:
            self._questions.setdefault(self._place(one), []).extend(one.questions)

    def make(self, exercise: Exercise) -> PreparedRow:
        """The row of an exercise."""
        place = self._place(exercise)
        studied = self._kept.get(place) or self._study(place, exercise)
        found = {question.id: studied.lessons[question.id] for question in exercise.questions}
        good = [one for one in found.values() if isinstance(one, Lesson)]
        lost = {question: one for question, one in found.items() if isinstance(one, QuestionError)}
        return PreparedRow(pack(studied.clip, good) if good else None, lost)

    def _place(self, exercise: Exercise) -> _Place:
        return exercise.episode.episode_id, last_moment(exercise.episode, exercise.questions[0], self._options)

    def _study(self, place: _Place, exercise: Exercise) -> _Studied:
        """Decode the clip of an exercise, and put its questions to it; with all others on the clip, if it is kept."""
        questions: Sequence[Question] = self._questions[place]
        try:
            opened = Clip(self._adapter, known_until(exercise.episode, place[1]), self._options)
        except QuestionError as error:
            self._kept[place] = _Studied(None, {question.id: error for question in questions})
            return self._kept[place]
        clip = _on_cpu(opened.clip)
        size = _Studied(clip, {}).size
        if size > self._left:
            return _Studied(clip, {question.id: self._lesson(opened, question) for question in exercise.questions})
        self._left -= size
        self._kept[place] = _Studied(clip, {question.id: self._lesson(opened, question) for question in questions})
        return self._kept[place]

    def _lesson(self, clip: Clip, question: Question) -> Lesson | QuestionError:
        try:
            return lesson(clip.ask(question, self._tasks[question.task]))
        except QuestionError as error:
            return error


def _on_cpu(clip: EncodedClip | None) -> EncodedClip | None:
    """Where memory is plenty."""
    return clip and replace(clip, inputs={name: value.cpu() for name, value in clip.inputs.items()})
