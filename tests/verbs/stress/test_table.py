"""stress.parquet, and the levels at which the alignment helps, from made-up answers."""

from __future__ import annotations

import pytest

from socialcli.verbs.stress.limits import limits_of
from socialcli.verbs.stress.table import stress_table

from .answers import ERRORS, QUESTIONS, Right, answers, one_episode, shares, spread, table

KIND = "one-box (share of the way to the box around everybody)"


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
    ("right", "helps_at", "stops_at", "hurts_at", "words"),
    [
        (shares(0.2, 1, 0.9, 0.8), [0, 0.5, 1], None, [], "helps at every tested level, up to 1;"),
        (shares(0.2, 1, 0.9, 0.2), [0, 0.5], 1, [], "helps up to 0.5, and no longer from 1 on;"),
        (shares(0.2, 1, 0.2, 0.2), [0], 0.5, [], "helps at 0 only, and no longer from 0.5 on;"),
        (
            shares(0.8, 1, 0.2, 0.1),
            [0],
            0.5,
            [0.5, 1],
            "helps at 0 only, and no longer from 0.5 on; it hurts at 0.5 and 1;",
        ),
        (shares(0.5, 0.5, 0.5, 0.5), [], 0, [], "helps at no tested level, not even at 0;"),
        (shares(0.2, 0.2, 0.2, 1), [1], None, [], "helps at 1, but not at 0 or 0.5;"),
        (shares(0.4, 1, 0.1, 1), [0, 1], None, [0.5], "helps at 0 and 1, but not at 0.5; it hurts at 0.5;"),
        (shares(0.2, 0.2, 1, 0.2), [0.5], 1, [], "helps at 0.5, but not at 0 or 1;"),
    ],
)
def test_the_levels_at_which_it_helps(
    right: Right, helps_at: list[float], stops_at: float | None, hurts_at: list[float], words: str
) -> None:
    (limit,) = limits_of(table(spread(right)), ERRORS)
    assert (limit.helps_at, limit.stops_at, limit.hurts_at) == (helps_at, stops_at, hurts_at)
    assert limit.sentence.startswith(f"{KIND}: the alignment {words} gain ")
    assert limit.as_record()["task"] == "target"


def test_the_sentence_ends_with_the_gain_at_both_ends() -> None:
    (limit,) = limits_of(table(spread(shares(0.4, 0.8, 0.6, 0.4))), ERRORS)
    ends = (limit.rows[0], limit.rows[-1])
    low, high = ([f"{100 * (end or 0):+.1f}" for end in (row.gain_ci_low, row.gain_ci_high)] for row in ends)
    assert limit.sentence.endswith(
        f"; gain +40.0 points ({low[0]} to {low[1]}) at 0, +0.0 points ({high[0]} to {high[1]}) at 1"
    )


def test_a_single_episode_leaves_open_where_the_alignment_helps() -> None:
    (limit,) = limits_of(one_episode(shares(0.2, 0.8, 0.2, 0.2)), ERRORS)
    assert limit.rows[0].n == QUESTIONS and limit.rows[0].episodes == 1
    assert (limit.helps_at, limit.stops_at, limit.hurts_at) == (None, None, None)
    assert limit.sentence == (
        f"{KIND}: where the alignment helps is open, since a single episode gives no interval; "
        "gain +0.0 points at 0, +0.0 points at 1"
    )


def test_without_labelled_questions_there_is_no_limit() -> None:
    unlabelled = ({**row, "answer": None, "correct": None} for row in answers(shares(1, 1, 1, 1)))
    assert limits_of(stress_table(unlabelled, ERRORS), ERRORS) == ()
