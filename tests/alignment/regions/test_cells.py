"""The smallest set of cells with a share of the attention, and the region of everybody."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.alignment.grid import VisualGrid, affine_cells
from socialcli.alignment.plan import SpeakerTokens
from socialcli.alignment.regions.agreement import Agreement, agreement_by_step
from socialcli.alignment.regions.cells import ANYBODY, most_attended, of_everybody

CELLS = affine_cells(2, 3, (0.0, 0.0), (10.0, 10.0))


def grid(tokens: Any) -> VisualGrid:
    steps = np.array(tokens)
    return VisualGrid(steps, CELLS, tuple((step,) for step in range(len(steps))))


ONE_STEP = grid([[[10, 11, 12], [13, 14, 15]]])


def kept(attention: Any, share: float, on: VisualGrid = ONE_STEP) -> list[list[int]]:
    return [tokens.tolist() for tokens in most_attended(np.array(attention, dtype=float), on, share).tokens]


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6).filter(any), st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_no_smaller_set_of_cells_holds_the_share(weights: list[int], share: float) -> None:
    (tokens,) = kept([np.reshape(weights, (2, 3))], share)
    held = sum(weights[token - 10] for token in tokens)
    assert held >= share * sum(weights)
    assert all(sum(some) < share * sum(weights) for some in combinations(weights, len(tokens) - 1))


def test_of_equal_cells_the_first_count() -> None:
    assert kept(np.ones((1, 2, 3)), 0.5) == [[10, 11, 12]]
    assert kept(np.ones((1, 2, 3)), 1.0) == [[10, 11, 12, 13, 14, 15]]


def test_each_step_has_a_region_of_its_own_and_a_step_without_attention_has_none() -> None:
    two = grid([[[10, 11, 12], [13, 14, 15]], [[20, 21, 22], [23, 24, 25]]])
    step = [[0.0, 0.6, 0.0], [0.3, 0.1, 0.0]]
    assert kept([step, np.zeros((2, 3))], 0.7, two) == [[11, 13], []]
    assert kept([step, np.fliplr(step)], 0.6, two) == [[11], [21]]


def test_a_cell_that_no_token_shows_is_in_no_region() -> None:
    hidden = grid([[[10, -1, 12], [13, 14, 15]]])
    assert kept([[[0.2, 0.0, 0.0], [0.0, 0.8, 0.0]]], 1.0, hidden) == [[10, 14]]
    assert kept(np.zeros((1, 2, 3)), 1.0, grid(np.full((1, 2, 3), -1))) == [[]]


def test_everybody_is_the_union_for_each_speaker_and_for_an_unknown_one() -> None:
    anna = SpeakerTokens((np.array([1, 2]), np.array([7])), 1)
    ben = SpeakerTokens((np.array([2, 3]), np.array([], dtype=np.int64)), 0)
    found = of_everybody({"anna": anna, "ben": ben}, ["anna", "ben", "cleo"])
    assert list(found) == ["anna", "ben", "cleo", ANYBODY]
    for cover in found.values():
        assert [tokens.tolist() for tokens in cover.tokens] == [[1, 2, 3], [7]]
    assert of_everybody({}, ["anna"]) == {}


def test_agreement_with_a_box() -> None:
    attention = np.array([[[0.1, 0.5, 0.1], [0.2, 0.1, 0.0]]])
    region, box = SpeakerTokens((np.array([11, 13]),), 0), SpeakerTokens((np.array([11, 12, 14]),), 0)
    found = agreement_by_step(attention, region, box, ONE_STEP)
    assert found == {0: Agreement(inside=pytest.approx(0.7), iou=1 / 4, pointing=1.0, area=0.5)}
    other = SpeakerTokens((np.array([13]),), 0)
    assert agreement_by_step(attention, region, other, ONE_STEP)[0].pointing == 0.0
    nobody = SpeakerTokens((np.array([], dtype=np.int64),), 0)
    assert agreement_by_step(attention, region, nobody, ONE_STEP) == {}
    assert agreement_by_step(0 * attention, nobody, box, ONE_STEP) == {}


def test_the_mean_of_agreements_is_that_of_each_figure() -> None:
    rows = [Agreement(0.2, 0.0, 1.0, 0.1), Agreement(0.4, 0.5, 0.0, 0.3)]
    mean = Agreement.mean(rows)
    assert mean is not None
    assert (mean.inside, mean.iou, mean.pointing, mean.area) == pytest.approx((0.3, 0.25, 0.5, 0.2))
    assert Agreement.mean([]) is None
