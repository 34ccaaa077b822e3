"""Made-up answers of a stress test, and the rows that come of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from socialcli.results.columns import as_record
from socialcli.verbs.stress.files import Stress
from socialcli.verbs.stress.levels import tested_errors as parsed
from socialcli.verbs.stress.limits import limits_of
from socialcli.verbs.stress.table import StressRow, stress_table

from ...results.samples import prediction
from ..sweep.sweeps import manifest

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


def spread(right: Right) -> Right:
    """The same shares, without whole episodes right or wrong."""
    return lambda level, number: right(level, (7 * number) % 80)


def one_episode(right: Right) -> list[StressRow]:
    """The rows of the first episode alone."""
    return stress_table((row for row in answers(right) if row["episode_id"] == "e0"), ERRORS)


def stress_of(rows: Sequence[StressRow], **settings: Any) -> Stress:
    """stress.json of such a stress test, with these settings."""
    return Stress(manifest=manifest(**settings), errors=ERRORS, limits=limits_of(rows, ERRORS))
