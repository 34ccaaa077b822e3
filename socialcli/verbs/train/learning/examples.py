"""The training examples: the labelled questions of the training split, and their order in each epoch."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.clip_view import AskOptions, last_moment
from socialcli.tasks.base import Task
from socialcli.tasks.prompt import build_prompt


@dataclass(frozen=True, slots=True, eq=False)
class Exercise:
    """Questions on a clip that share frames and transcript, and so can share a row."""

    episode: Episode
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """All exercises; a row holds at most `together` questions of one."""

    exercises: Sequence[Exercise]
    together: int | None  # None: all
    seed: int

    @property
    def rows(self) -> int:
        """The number of rows in an epoch."""
        return sum(-(-len(one.questions) // self._size(one)) for one in self.exercises)

    def epoch(self, number: int) -> list[Exercise]:
        """The rows of epoch `number`, counted from 0: the same for the same seed, in another order each epoch."""
        rng = np.random.default_rng([self.seed, number])
        rows = [row for exercise in self.exercises for row in self._rows(exercise, rng)]
        return [rows[place] for place in rng.permutation(len(rows))]

    def _rows(self, exercise: Exercise, rng: np.random.Generator) -> Iterator[Exercise]:
        order, size = rng.permutation(len(exercise.questions)), self._size(exercise)
        for start in range(0, len(order), size):
            chosen = (exercise.questions[place] for place in order[start : start + size])
            yield Exercise(exercise.episode, tuple(chosen))

    def _size(self, exercise: Exercise) -> int:
        return len(exercise.questions) if self.together is None else self.together


def exercises(
    episode: Episode, questions: Sequence[Question], tasks: Mapping[str, Task], options: AskOptions
) -> list[Exercise]:
    """The labelled ones of an episode's `questions`, grouped by frames and transcript. Reads no video.

    A question whose prompt cannot be built is an exercise of its own: preparing it reports why.
    """
    groups: dict[Hashable, list[Question]] = {}
    for question in questions:
        if question.answer is not None:
            groups.setdefault(_shown(episode, question, tasks[question.task], options), []).append(question)
    return [Exercise(episode, tuple(group)) for group in groups.values()]


def _shown(episode: Episode, question: Question, task: Task, options: AskOptions) -> Hashable:
    """What determines frames and transcript."""
    try:
        prompt = build_prompt(task, episode, question, None, options.context)
        end = last_moment(episode, question, options)
    except QuestionError:
        return question.id
    return end, prompt.text[: max((stop for _, stop in prompt.spans), default=0)], prompt.utterances
