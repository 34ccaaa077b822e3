"""The bias rules, against their definitions on whole rows of scores."""

from __future__ import annotations

import logging
import math

import pytest
import torch
from torch import Tensor

from socialcli.alignment.bias import CENTRED, CONSTANT, FLOORED, PROBABILITY, PUBLISHED, RULES, with_floor
from socialcli.alignment.rules import BiasRule, VisualScores, current_name

COLUMNS = slice(2, 6)  # of nine keys, those of V_all
PAIRS = torch.tensor([[1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]], dtype=torch.bool)


def rows(seed: int = 0, spread: float = 2.0) -> Tensor:
    """The scores of 3 rows over 9 keys; the largest visual one of the first is negative."""
    scores = spread * torch.randn(3, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    scores[0] -= 6
    return scores


def visual(scores: Tensor) -> VisualScores:
    keys = torch.isfinite(scores).sum(-1).to(scores.dtype)
    return VisualScores(scores[:, COLUMNS], scores.logsumexp(-1), keys)


def bias(rule: BiasRule, scores: Tensor, alpha: float = 1.0) -> Tensor:
    return rule.bias(visual(scores), alpha).expand(3, 4)


def after(scores: Tensor, weights: Tensor) -> Tensor:
    """softmax(S + W), with W on `PAIRS` alone."""
    raised = scores.clone()
    raised[:, COLUMNS] += torch.where(PAIRS, weights, 0.0)
    return raised.softmax(-1)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_the_published_rule_is_a_multiple_of_the_rows_largest_visual_score_of_either_sign(alpha: float) -> None:
    scores = rows()
    largest = [max(row) for row in scores[:, COLUMNS].tolist()]
    assert largest[0] < 0 < largest[1]
    assert bias(PUBLISHED, scores, alpha).tolist() == [[alpha * one] * 4 for one in largest]


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_the_floored_rule_takes_nothing_away(alpha: float) -> None:
    scores = rows()
    largest = [max(0.0, *row) for row in scores[:, COLUMNS].tolist()]
    assert largest[0] == 0 < largest[1]
    assert bias(FLOORED, scores, alpha).tolist() == [[alpha * one] * 4 for one in largest]


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_the_centred_rule_counts_from_the_mean_of_the_row(alpha: float) -> None:
    scores = rows()
    means = [math.log(sum(map(math.exp, row)) / len(row)) for row in scores.tolist()]
    expected = [max(0.0, max(row) - mean) for row, mean in zip(scores[:, COLUMNS].tolist(), means, strict=True)]
    torch.testing.assert_close(bias(CENTRED, scores, alpha)[:, 0], alpha * scores.new_tensor(expected))


def test_the_centred_and_the_probability_rule_do_not_change_with_a_constant_and_the_published_one_does() -> None:
    scores = rows()
    for rule in (CENTRED, PROBABILITY, CONSTANT):
        torch.testing.assert_close(bias(rule, scores + 5), bias(rule, scores))
    torch.testing.assert_close(bias(PUBLISHED, scores + 5), bias(PUBLISHED, scores) + 5)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_the_probability_rule_adds_the_rows_largest_visual_attention(alpha: float) -> None:
    scores = rows()
    attention = scores.softmax(-1)
    attention[:, COLUMNS] += alpha * scores.softmax(-1)[:, COLUMNS].amax(-1, keepdim=True) * PAIRS
    expected = attention / attention.sum(-1, keepdim=True)
    torch.testing.assert_close(after(scores, bias(PROBABILITY, scores, alpha)), expected)


def test_the_constant_rule_is_alpha() -> None:
    assert (bias(CONSTANT, rows(), 0.7) == 0.7).all()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_strength_is_no_bias(rule: BiasRule) -> None:
    assert not bias(rule, rows(), 0.0).any()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_column_that_is_not_seen_counts_in_no_maximum(rule: BiasRule) -> None:
    scores = rows()
    hidden = scores.clone()
    hidden[:, 2] = -math.inf
    without = torch.cat([scores[:, :2], scores[:, 3:]], dim=1)
    expected = rule.bias(VisualScores(without[:, 2:5], without.logsumexp(-1), torch.full((3,), 8.0).double()), 1.0)
    torch.testing.assert_close(bias(rule, hidden)[:, 1:], expected.expand(3, 3))


def test_a_floor_stands_in_for_smaller_scores() -> None:
    scores = rows()
    assert (bias(with_floor(50.0), scores, 2.0) == 100.0).all()
    assert torch.equal(bias(with_floor(0.0), scores), bias(FLOORED, scores))


def test_the_rule_names_are_those_of_the_method_and_the_published_one_comes_first() -> None:
    assert [rule.name for rule in RULES] == ["published", "floored", "centred", "probability", "constant"]


def test_a_former_name_works_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert current_name("logit") == "floored"
        assert current_name("published") == "published"
    assert [record.getMessage() for record in caplog.records] == [
        "the bias rule 'logit' is now called 'floored'; the next version drops the old name"
    ]
