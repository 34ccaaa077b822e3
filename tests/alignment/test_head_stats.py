from __future__ import annotations

import numpy as np
import pytest

from socialcli.alignment.head_stats import KEYS, FigureSums


def sums(rows: int, pairs: int, attention: float, active: float) -> FigureSums:
    made = FigureSums(2, 3)
    made.prompts, made.active = 1, np.full((2, 3), active)
    made.rows, made.pairs = {"own": rows, "other": 0}, {"own": pairs, "other": 0}
    for key in KEYS:
        made.largest[key] += rows * attention
        made.attention[key] += pairs * attention
    return made


def test_what_is_added_up_is_weighted_by_rows_and_by_pairs() -> None:
    total = FigureSums(2, 3)
    total.add(sums(rows=1, pairs=2, attention=0.5, active=1))
    total.add(sums(rows=3, pairs=8, attention=0.1, active=0))
    figures = total.figures()
    assert figures.attn_max["after", "own"] == pytest.approx(np.full((2, 3), (0.5 + 3 * 0.1) / 4))
    assert figures.attn_mean["before", "own"] == pytest.approx(np.full((2, 3), (2 * 0.5 + 8 * 0.1) / 10))
    assert (figures.active == 0.5).all()
    assert (figures.prompts, figures.rows["own"], figures.pairs["own"]) == (2, 4, 10)


def test_what_there_is_nothing_of_has_no_mean() -> None:
    figures = sums(rows=1, pairs=1, attention=0.5, active=1).figures()
    assert np.isnan(figures.attn_max["before", "other"]).all()
    assert not np.isnan(figures.attn_max["before", "own"]).any()


def test_attention_that_is_no_number_shows() -> None:
    made = sums(rows=1, pairs=1, attention=0.5, active=1)
    assert made.finite
    made.attention["after", "other"][1, 2] = np.nan
    assert not made.finite
