"""(torch) Prepares training rows from exercises: decoded, encoded, tokenized, planned. Clips that fit are cached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from socialcli.episodes.records import Question
from socialcli.errors import QuestionError
from socialcli.inference.clip import Clip
from socialcli.inference.clip_view import AskOptions, last_moment
from socialcli.models.contract import Adapter, EncodedClip
from socialcli.tasks.base import Task
from socialcli.verbs.train.learning.examples import Exercise
from socialcli.verbs.train.learning.rows import Lesson, TrainingRow, lesson, pack

_Place = tuple[str, float]  # an episode's id, and the time in seconds up to which its questions may see it


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRow:
    """A row (None if no question is left for it), and the questions that could not be prepared, with their errors."""

    row: TrainingRow | None
    lost: Mapping[str, QuestionError]  # by the question's id


@dataclass(frozen=True, slots=True, eq=False)
class _ClipLessons:
    """A clip with its lessons."""

    clip: EncodedClip | None
    lessons: Mapping[str, Lesson | QuestionError]  # by the question's id

    @property
    def size(self) -> int:
        """The bytes of the clip."""
        inputs = self.clip.inputs.values() if self.clip is not None else ()
        return sum(value.numel() * value.element_size() for value in inputs)


class TrainingRowMaker:
    """Makes the training rows of exercises."""

    def __init__(
        self,
        adapter: Adapter,
        tasks: Mapping[str, Task],
        options: AskOptions,
        exercises: Iterable[Exercise],
        memory: int,
    ) -> None:
        """`exercises` are all that will come; `memory` is the number of bytes that cached clips may take."""
        self._adapter = adapter
        self._tasks = tasks
        self._options = options
        self._left = memory
        self._cached: dict[_Place, _ClipLessons] = {}
        self._questions: dict[_Place, list[Question]] = {}
        for one in exercises:
            self._questions.setdefault(self._place(one), []).extend(one.questions)

    def make(self, exercise: Exercise) -> PreparedRow:
        """The row of an exercise."""
        place = self._place(exercise)
        of_clip = self._cached.get(place) or self._read(place, exercise)
        found = {question.id: of_clip.lessons[question.id] for question in exercise.questions}
        good = [one for one in found.values() if isinstance(one, Lesson)]
        lost = {question: one for question, one in found.items() if isinstance(one, QuestionError)}
        return PreparedRow(pack(of_clip.clip, good) if good else None, lost)

    def _place(self, exercise: Exercise) -> _Place:
        return exercise.episode.episode_id, last_moment(exercise.episode, exercise.questions[0], self._options)

    def _read(self, place: _Place, exercise: Exercise) -> _ClipLessons:
        """Read the clip of an exercise and prepare its questions; all questions on the clip, if it is cached."""
        questions: Sequence[Question] = self._questions[place]
        try:
            opened = Clip(self._adapter, exercise.episode, self._options, until=place[1])
        except QuestionError as error:
            self._cached[place] = _ClipLessons(None, {question.id: error for question in questions})
            return self._cached[place]
        clip = _on_cpu(opened.clip)
        size = _ClipLessons(clip, {}).size
        if size > self._left:
            return _ClipLessons(clip, self._lessons(opened, exercise.questions))
        self._left -= size
        self._cached[place] = _ClipLessons(clip, self._lessons(opened, questions))
        return self._cached[place]

    def _lessons(self, clip: Clip, questions: Sequence[Question]) -> dict[str, Lesson | QuestionError]:
        return {question.id: self._lesson(clip, question) for question in questions}

    def _lesson(self, clip: Clip, question: Question) -> Lesson | QuestionError:
        try:
            return lesson(clip.ask(question, self._tasks[question.task]))
        except QuestionError as error:
            return error


def _on_cpu(clip: EncodedClip | None) -> EncodedClip | None:
    """The clip with its tensors in CPU memory, which is larger than a GPU's."""
    return clip and replace(clip, inputs={name: value.cpu() for name, value in clip.inputs.items()})
