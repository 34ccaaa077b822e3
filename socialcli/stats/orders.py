"""What several orders of a question's candidates show: circular accuracy and position bias.

docs/permute.md defines both, and compares them with what others report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations, count
from typing import Any

from socialcli.stats.intervals import accuracy_interval

_Lettered = tuple[tuple[str, ...], int]  # the candidates in the order of their letters, and the place of the answer
Question = tuple[str, str, str, int]  # task, episode, id, and how many questions of the same three came before


@dataclass(slots=True)
class OrderedAnswers:
    """The answers to one question under one condition, in one order of its candidates after the other."""

    episode: str
    labelled: bool  # and it has more than one candidate, so that it counts in accuracies
    orders: set[int] = field(default_factory=set)  # their numbers
    all_right: bool = True
    answers: list[_Lettered] = field(default_factory=list)  # those that name a candidate

    def add(self, order: int, candidates: Iterable[str] | None, prediction_index: int | None, correct: bool) -> None:
        """Add the answer in an order; a failed or unparsed one is wrong."""
        self.orders.add(order)
        self.all_right &= correct
        if candidates is not None and prediction_index is not None:
            self.answers.append((tuple(candidates), prediction_index))

    @property
    def position_bias(self) -> float | None:
        """The share, among pairs of answers, of those that keep the letter and so change the candidate.

        Pairs count whose orders have another one of the same candidates at every letter; None without one.
        """
        pairs = [
            place == other_place
            for (one, place), (other, other_place) in combinations(self.answers, 2)
            if sorted(one) == sorted(other) and all(a != b for a, b in zip(one, other, strict=True))
        ]
        return sum(pairs) / len(pairs) if pairs else None


def order_figures(questions: Iterable[OrderedAnswers]) -> dict[str, Any]:
    """The columns of an accuracy table that `--permute` adds, for some questions; all None where there are none."""
    asked = list(questions)
    labelled = [one for one in asked if one.labelled]
    interval = accuracy_interval(_by_episode(labelled))
    return {
        "orders": max((len(one.orders) for one in asked), default=None),
        "questions": len(labelled) if asked else None,
        "circular_accuracy": sum(one.all_right for one in labelled) / len(labelled) if labelled else None,
        "circular_ci_low": interval[0] if interval else None,
        "circular_ci_high": interval[1] if interval else None,
        "position_bias": mean_position_bias(asked),
    }


def mean_position_bias(questions: Iterable[OrderedAnswers]) -> float | None:
    """The mean over the questions that have one; None without any."""
    found = [bias for one in questions if (bias := one.position_bias) is not None]
    return sum(found) / len(found) if found else None


def _by_episode(questions: Iterable[OrderedAnswers]) -> list[tuple[int, int]]:
    """For each episode its questions, and those among them that are right in every order."""
    counts: dict[str, tuple[int, int]] = {}
    for one in questions:
        before = counts.get(one.episode, (0, 0))
        counts[one.episode] = before[0] + 1, before[1] + one.all_right
    return list(counts.values())


def add_row(questions: dict[Question, OrderedAnswers], row: Mapping[str, Any], labelled: bool) -> None:
    """Add a row of predictions to its question; one without an order changes nothing.

    A second row in the same order is the answer to another question, which repeats the first one's id.
    """
    order = row["order"]
    if order is None:
        return
    for repeat in count():
        key = row["task"], row["episode_id"], row["question_id"], repeat
        question = questions.setdefault(key, OrderedAnswers(row["episode_id"], labelled))
        if order not in question.orders:
            question.add(order, row["candidates"], row["prediction_index"], bool(row["correct"]))
            return
