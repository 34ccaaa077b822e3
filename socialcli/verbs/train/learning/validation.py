"""(torch) How many questions a model in training gets right, asked as a run asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Episode, Question
from socialcli.inference.answering import Outcome, answer_episodes
from socialcli.inference.batching import BatchLimit
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.preparing import prepare_episode
from socialcli.models.contract import Adapter
from socialcli.results.predictions import is_correct
from socialcli.tasks.base import Task


@dataclass(frozen=True, slots=True)
class TaskScore:
    """Of the questions of a task, how many were answered right and how many failed; a failed one is not right."""

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
    by_task: dict[str, list[Outcome]] = {}
    for episode, questions in material:
        prepared = prepare_episode(adapter, episode, questions, tasks, options)
        for outcomes in answer_episodes(adapter, [prepared], [alignment], False, limit):
            for outcome in outcomes:
                by_task.setdefault(outcome.question.task, []).append(outcome)
    return [
        TaskScore(
            task=task,
            questions=len(outcomes),
            right=sum(_is_right(outcome) for outcome in outcomes),
            failed=sum(outcome.answer is None for outcome in outcomes),
        )
        for task, outcomes in sorted(by_task.items())
    ]


def _is_right(outcome: Outcome) -> bool:
    if outcome.answer is None or outcome.asked is None or outcome.answer.choice is None:
        return False
    choice, question = outcome.answer.choice, outcome.question
    ids = [candidate.id for candidate in outcome.asked.prompt.candidates]
    return bool(is_correct(ids[choice], choice, question.answer, question.place_of_answer(ids)))
