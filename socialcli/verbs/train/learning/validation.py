"""(torch) The accuracy of a model in training, with questions asked as a run asks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.answer_modes import SCORE, Answer
from socialcli.inference.answers import QuestionResult, answer_batches
from socialcli.inference.batching import BatchLimit
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.preparation import prepare_episode
from socialcli.models.contract import Adapter
from socialcli.results.predictions import is_correct
from socialcli.tasks.base import Task


@dataclass(frozen=True, slots=True)
class TaskScore:
    """How many of a task's questions were answered correctly, and how many failed; a failed one is not correct."""

    task: str
    questions: int
    right: int
    failed: int


def judge(
    adapter: Adapter,
    material: Sequence[tuple[Episode, Sequence[Question]]],
    tasks: Mapping[str, Task],
    options: AskOptions,
    alignment: Alignment | None,
) -> list[TaskScore]:
    """Ask the labelled questions of some episodes; a score for each task, in alphabetical order."""
    limit = BatchLimit()
    asked, right, failed = Counter[str](), Counter[str](), Counter[str]()
    for episode, questions in material:
        prepared = prepare_episode(adapter, episode, questions, tasks, options)
        for batch in answer_batches(adapter, prepared, [alignment], SCORE, limit):
            for (result,) in batch:
                task = result.question.question.task
                asked[task] += 1
                right[task] += _is_right(result)
                failed[task] += isinstance(result.answer, QuestionError)
    return [TaskScore(task, asked[task], right[task], failed[task]) for task in sorted(asked)]


def _is_right(result: QuestionResult) -> bool:
    asked, answer = result.question, result.answer
    if not (isinstance(asked, ClipQuestion) and isinstance(answer, Answer)) or answer.choice is None:
        return False
    choice, question = answer.choice, asked.question
    ids = [candidate.id for candidate in asked.prompt.candidates]
    return bool(is_correct(ids[choice], choice, question.answer, question.place_of_answer(ids)))
