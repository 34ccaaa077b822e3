"""stress.parquet, and the level at which the alignment stops helping, from made-up answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from socialcli.results.columns import as_record
from socialcli.verbs.stress.levels import tested_errors as parsed
from socialcli.verbs.stress.limits import limits_of
from socialcli.verbs.stress.table import StressRow, stress_table

from ...results.samples import prediction

ERRORS = parsed(["one-box=0.5,1"])
EPISODES, QUESTIONS = 20, 4
Right = Callable[[float | None, int], bool]  # level (None: plain model), number of the question -> answered right


def answers(right: Right, tasks: Sequence[str] = ("target",)) -> Iterator[dict[str, Any]]:
    for task in tasks:
        for number in range(EPISODES * QUESTIONS):
            for level in (None, 0.0, 0.5, 1.0):
                yield as_record(
                    prediction(
                        question_id=f"{task}/{number}",
                        episode_id=f"e{number // QUESTIONS}",
                        task=task,
                        alignment=level is not None,
                        active_heads=None if level is None else 0.1,
                        **dict.fromkeys(("alpha", "lambda_", "layers", "bias"), None) if level is None else {},
                        perturbation="one-box" if level else None,
                        level=level or None,
                        perturbation_seed=0 if level else None,
                        prediction="ann" if right(level, number) else "bob",
                        answer="ann",
                    )
                )


def shares(*by_level: float) -> Right:
    """Right answers in these shares of the questions: plain model, then level 0, 0.5 and 1."""
    places = {None: 0, 0.0: 1, 0.5: 2, 1.0: 3}
    return lambda level, number: number % 20 < 20 * by_level[places[level]]


def table(right: Right, tasks: Sequence[str] = ("target",)) -> list[StressRow]:
    return stress_table(answers(right, tasks), ERRORS)


def test_a_row_has_both_accuracies_and_their_paired_differences() -> None:
    zero, half, one = table(shares(0.4, 0.8, 0.6, 0.4))
    assert [(row.perturbation, row.level, row.task, row.n, row.episodes) for row in (zero, half, one)] == [
        ("one-box", level, "target", 80, 20) for level in (0.0, 0.5, 1.0)
    ]
    assert [row.accuracy for row in (zero, half, one)] == [0.8, 0.6, 0.4]
    assert {row.plain for row in (zero, half, one)} == {0.4}
    assert [row.gain for row in (zero, half, one)] == pytest.approx([0.4, 0.2, 0.0])
    assert [row.change for row in (zero, half, one)] == pytest.approx([0.0, -0.2, -0.4])
    assert (zero.change_p, half.change_p) == (1, 0.125)  # four episodes differ, each in the same direction
    assert half.gain_ci_low is not None and half.gain_ci_high is not None
    assert half.gain_ci_low < 0.2 < half.gain_ci_high
    assert half.ci_low is not None and half.ci_high is not None and half.ci_low < 0.6 < half.ci_high


def test_tasks_have_rows_of_their_own_and_one_together() -> None:
    rows = table(shares(0.4, 0.8, 0.6, 0.4), tasks=("target", "coref"))
    assert [(row.level, row.task, row.n) for row in rows[:4]] == [
        (0, "coref", 80),
        (0, "target", 80),
        (0, "all", 160),
        (0.5, "coref", 80),
    ]


@pytest.mark.parametrize(
    ("right", "helps_up_to", "stops_at", "hurts_from", "words"),
    [
        (shares(0.2, 1, 0.9, 0.8), 1.0, None, None, "the alignment never stops helping within the tested levels"),
        (shares(0.2, 1, 0.9, 0.2), 0.5, 1.0, None, "the alignment helps up to 0.5, and no longer from 1 on (share of"),
        (shares(0.5, 0.5, 0.5, 0.5), None, 0.0, None, "the alignment does not help even at 0: +0.0 points"),
        (shares(0.8, 1, 0.2, 0.1), 0.0, 0.5, 0.5, "; it hurts at 0.5"),
    ],
)
def test_the_level_at_which_it_stops_helping(
    right: Right, helps_up_to: float | None, stops_at: float | None, hurts_from: float | None, words: str
) -> None:
    def spread(level: float | None, number: int) -> bool:
        """Not whole episodes."""
        return right(level, (7 * number) % 80)

    (limit,) = limits_of(table(spread), ERRORS)
    assert (limit.helps_up_to, limit.stops_at, limit.hurts_from) == (helps_up_to, stops_at, hurts_from)
    assert limit.sentence.startswith("one-box: the alignment ") and words in limit.sentence
    assert limit.as_record()["task"] == "target"


def test_without_labelled_questions_there_is_no_limit() -> None:
    unlabelled = ({**row, "answer": None, "correct": None} for row in answers(shares(1, 1, 1, 1)))
    assert limits_of(stress_table(unlabelled, ERRORS), ERRORS) == ()
