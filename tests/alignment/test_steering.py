"""The plans of the steering modes: rows, columns, pairs and weights, on a prompt of nine words and a grid of 2 x 4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from socialcli.alignment.grid import VisualGrid, affine_cells
from socialcli.alignment.plan import AlignmentPlan, Indices, cover_speakers
from socialcli.alignment.steering.modes import BOTH_WAYS, GAZE, SPEAKER, Steering
from socialcli.alignment.steering.prompt import SteeredPrompt
from socialcli.episodes.records import Box, Utterance

# Two frames of 2 x 4 cells, 10 pixels each: tokens 0 to 7 show the first one, 8 to 15 the second one.
GRID = VisualGrid(np.arange(16).reshape(2, 2, 4), affine_cells(2, 4, (0, 0), (10, 10)), ((0,), (1,)))
TIMES = (0.0, 4.0)
LEFT, RIGHT = (0.0, 0.0, 10.0, 20.0), (30.0, 0.0, 40.0, 20.0)  # the first and the last column of cells
BOXES = [Box(name, time, *edges) for time in TIMES for name, edges in (("ann", LEFT), ("bob", RIGHT))]
IN_LEFT, IN_RIGHT = {0, 4}, {3, 7}  # in the first frame
LINES = (
    Utterance("u1", 0.0, 1.0, "you", "ann"),
    Utterance("u2", 3.5, 4.5, "no", "bob"),
    Utterance("u3", 0.0, 1.0, "hm", None),
)
SPANS = (np.array([20, 21]), np.array([22, 23]), np.array([24]))
LABELS = (("bob", np.array([26])), ("ann", np.array([28])), ("bob", np.array([30])))


def prompt(**changes: Any) -> SteeredPrompt:
    """A question on what Ann says; Bob is asked about, and stands among the options, as Cem does, who has no box."""
    usual = SteeredPrompt(
        utterances=LINES,
        spans=SPANS,
        asked=LINES[0],
        candidates=frozenset({"bob", "cem"}),
        labels=LABELS,
        named=frozenset({"bob"}),
        last=31,
        grid=GRID,
        times=TIMES,
        regions=cover_speakers(BOXES, TIMES, GRID),
    )
    return replace(usual, **changes)


def weight(plan: AlignmentPlan, row: int) -> dict[int, float]:
    """The weights of a row's pairs by token; rows and columns that the plan lacks have none."""
    place = int(np.searchsorted(plan.rows, row))
    if place == plan.rows.size or plan.rows[place] != row:
        return {}
    weights = plan.pairs.astype(np.float32) if plan.weights is None else plan.weights
    return {int(plan.columns[at]): round(float(weights[place, at]), 6) for at in np.flatnonzero(plan.pairs[place])}


def all_to(tokens: set[int], value: float) -> dict[int, float]:
    return dict.fromkeys(sorted(tokens), value)


def test_the_methods_plan_raises_words_towards_their_speaker() -> None:
    plan = Steering(SPEAKER).plan(prompt())
    assert plan.rows.tolist() == [20, 21, 22, 23]  # not those of somebody unknown
    assert plan.columns.tolist() == sorted(IN_LEFT | IN_RIGHT | {8, 12, 11, 15})
    assert weight(plan, 20) == weight(plan, 21) == all_to(IN_LEFT, 1)
    assert weight(plan, 22) == all_to({11, 15}, 1)  # said while the second frame is shown
    assert plan.weights is None
    assert plan.tested is None


@pytest.mark.parametrize("balance", [0.25, 0.5])
def test_both_ways_adds_whom_the_words_may_mean_and_their_labels(balance: float) -> None:
    plan = Steering(BOTH_WAYS, balance).plan(prompt())
    assert weight(plan, 20) == all_to(IN_LEFT, 1 - balance) | all_to(IN_RIGHT, balance)
    assert weight(plan, 22) == all_to({11, 15}, 1)  # words of another utterance
    assert weight(plan, 26) == weight(plan, 30) == all_to(IN_RIGHT, balance)  # in the frames of the words in question
    assert weight(plan, 28) == {}  # Ann cannot be meant
    assert plan.rows[plan.tested_rows].tolist() == [20, 21, 22, 23]  # the heads are those of the method
    assert not (plan.others & plan.pairs).any()


def test_both_ways_with_no_weight_is_the_method_and_with_all_of_it_leaves_the_speaker() -> None:
    method, none = Steering(SPEAKER).plan(prompt()), Steering(BOTH_WAYS, 0.0).plan(prompt())
    assert none.rows.tolist() == method.rows.tolist()
    assert np.array_equal(none.pairs, method.pairs)
    assert none.weights is None
    assert weight(Steering(BOTH_WAYS, 1.0).plan(prompt()), 20) == all_to(IN_RIGHT, 1)


def test_a_speaker_who_may_be_meant_keeps_the_whole_weight() -> None:
    plan = Steering(BOTH_WAYS, 0.25).plan(prompt(candidates=frozenset({"ann", "bob"})))
    assert weight(plan, 20) == all_to(IN_LEFT, 1) | all_to(IN_RIGHT, 0.25)


def test_words_of_an_unknown_speaker_are_raised_towards_whom_they_may_mean_and_select_no_heads() -> None:
    plan = Steering(BOTH_WAYS, 0.5).plan(prompt(asked=LINES[2]))
    assert weight(plan, 24) == all_to(IN_RIGHT, 0.5)
    assert 24 not in plan.rows[plan.tested_rows]
    assert weight(plan, 20) == all_to(IN_LEFT, 1)


def test_without_an_utterance_only_labels_are_added_in_all_frames() -> None:
    plan = Steering(BOTH_WAYS, 0.5).plan(prompt(asked=None))
    assert weight(plan, 20) == all_to(IN_LEFT, 1)
    assert weight(plan, 26) == all_to(IN_RIGHT | {11, 15}, 0.5)


@pytest.mark.parametrize(
    ("asked", "named", "region"),
    [
        (LINES[0], {"bob"}, IN_LEFT),  # the speaker, not whom the question names
        (LINES[1], set(), {11, 15}),
        (None, {"bob"}, IN_RIGHT | {11, 15}),
        (None, {"ann", "bob"}, IN_LEFT | {8, 12} | IN_RIGHT | {11, 15}),
    ],
)
def test_gaze_raises_the_region_in_question_and_lowers_all_else(
    asked: Utterance | None, named: set[str], region: set[int]
) -> None:
    plan = Steering(GAZE).plan(prompt(asked=asked, named=frozenset(named)))
    assert plan.rows.tolist() == [31]
    assert plan.columns.tolist() == list(range(16))
    assert weight(plan, 31) == {token: 1.0 if token in region else -1.0 for token in range(16)}


@pytest.mark.parametrize(("asked", "named"), [(LINES[2], {"bob"}), (None, set()), (None, {"cem"})])
def test_gaze_without_a_region_steers_nothing(asked: Utterance | None, named: set[str]) -> None:
    plan = Steering(GAZE).plan(prompt(asked=asked, named=frozenset(named)))
    assert not plan.pairs.any()


def test_indices_are_those_of_a_padded_sequence_after_a_shift() -> None:
    plan = Steering(BOTH_WAYS, 0.5).plan(prompt()).shifted(3)
    moved: Indices = plan.rows
    assert moved.min() == 23
    assert weight(plan, 29) == all_to({token + 3 for token in IN_RIGHT}, 0.5)
