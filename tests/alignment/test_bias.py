"""The two bias rules, against their definitions on dense attention."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from socialcli.alignment.bias import LOGIT, PROBABILITY
from socialcli.alignment.rules import BiasRule

COLUMNS = slice(2, 6)  # of nine keys, those of V_all


def rows(seed: int = 0, spread: float = 2.0) -> Tensor:
    """The scores of 3 rows over 9 keys."""
    return spread * torch.randn(3, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def gains(rule: BiasRule, scores: Tensor, alpha: float) -> Tensor:
    return rule.log_gain(scores[:, COLUMNS], scores.logsumexp(-1), alpha)


def raised(scores: Tensor, log_gain: Tensor, pairs: Tensor) -> Tensor:
    """A' = normalise(A + E), as `BiasRule` says, with the gains on `pairs` (3, 4) alone."""
    attention = scores.softmax(-1)
    attention[:, COLUMNS] += log_gain.exp() * pairs
    return attention / attention.sum(-1, keepdim=True)


PAIRS = torch.tensor([[1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]], dtype=torch.bool)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_the_logit_rule_is_a_bias_before_the_softmax(alpha: float) -> None:
    scores = rows()
    weight = torch.zeros_like(scores)
    weight[:, COLUMNS] = alpha * scores[:, COLUMNS].amax(-1, keepdim=True).clamp(min=0) * PAIRS
    expected = (scores + weight).softmax(-1)
    torch.testing.assert_close(raised(scores, gains(LOGIT, scores, alpha), PAIRS), expected)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_the_probability_rule_adds_the_rows_largest_visual_attention(alpha: float) -> None:
    scores = rows()
    attention = scores.softmax(-1)
    attention[:, COLUMNS] += alpha * scores.softmax(-1)[:, COLUMNS].amax(-1, keepdim=True) * PAIRS
    expected = attention / attention.sum(-1, keepdim=True)
    torch.testing.assert_close(raised(scores, gains(PROBABILITY, scores, alpha), PAIRS), expected)


def test_a_row_whose_visual_scores_are_all_negative_gets_no_bias() -> None:
    scores = -rows().abs() - 0.1
    assert torch.equal(gains(LOGIT, scores, 1.0), torch.full((3, 4), -math.inf, dtype=torch.float64))


@pytest.mark.parametrize("rule", [LOGIT, PROBABILITY])
def test_no_strength_is_no_gain(rule: BiasRule) -> None:
    assert (gains(rule, rows(), 0.0) == -math.inf).all()


@pytest.mark.parametrize("rule", [LOGIT, PROBABILITY])
def test_a_column_that_is_not_seen_counts_in_no_maximum(rule: BiasRule) -> None:
    scores = rows()
    hidden = scores.clone()
    hidden[:, 2] = -math.inf
    without = torch.cat([scores[:, :2], scores[:, 3:]], dim=1)
    got = rule.log_gain(hidden[:, COLUMNS], hidden.logsumexp(-1), 1.0)
    expected = rule.log_gain(without[:, 2:5], without.logsumexp(-1), 1.0)
    torch.testing.assert_close(got[:, 1:], expected)


def test_a_bias_too_large_for_its_exponential_keeps_its_logarithm() -> None:
    scores = torch.tensor([[500.0, 0.0]])
    log_gain = LOGIT.log_gain(scores, scores.logsumexp(-1), 2.0)
    torch.testing.assert_close(log_gain, torch.tensor([[1000.0, 500.0]]))  # A = 1, e^-500; W = 1000


def test_a_bias_too_small_for_one_plus_it_keeps_its_gain() -> None:
    scores = torch.tensor([[1e-20]])
    log_gain = LOGIT.log_gain(scores, scores.logsumexp(-1), 1.0)
    torch.testing.assert_close(log_gain, torch.tensor([[math.log(1e-20)]]))  # e^W - 1 = W


def test_a_row_without_bias_has_gradients_that_are_numbers() -> None:
    for rule in (LOGIT, PROBABILITY):
        scores = (-rows().abs()).requires_grad_()
        log_gain = rule.log_gain(scores[:, COLUMNS], scores.logsumexp(-1), 1.0)
        log_gain.exp().sum().backward()
        assert scores.grad is not None
        assert scores.grad.isfinite().all()
