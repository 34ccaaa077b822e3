from __future__ import annotations

import numpy as np
import pytest

from socialcli.verbs.measure.summary import summarise, summary_lines, top_heads

from .figures import head_figures

CHOSEN = range(2, 4)
FIGURES = head_figures(6, 4, CHOSEN)


def test_the_groups_are_all_heads_those_of_the_layers_and_the_best_ten() -> None:
    rows = summarise(FIGURES, CHOSEN)
    assert [(row.group, row.heads, row.tokens) for row in rows] == [
        ("all layers", 24, "own"),
        ("all layers", 24, "other"),
        ("layers 2-3", 8, "own"),
        ("layers 2-3", 8, "other"),
        ("top 10 heads", 10, "own"),
        ("top 10 heads", 10, "other"),
    ]


def test_a_row_is_the_mean_over_its_heads() -> None:
    row = summarise(FIGURES, CHOSEN)[2]
    assert row.attn_max_before == pytest.approx(FIGURES.attn_max["before", "own"][2:4].mean())
    assert row.attn_mean_after == pytest.approx(FIGURES.attn_mean["after", "own"][2:4].mean())
    assert row.active == pytest.approx(FIGURES.active[2:4].mean())


def test_the_top_heads_are_those_with_the_highest_attn_mean_before_the_bias() -> None:
    found = top_heads(FIGURES)
    values = [FIGURES.attn_mean["before", "own"][place] for place in found]
    assert values == sorted(FIGURES.attn_mean["before", "own"].ravel(), reverse=True)[:10]


def test_a_small_decoder_has_fewer_top_heads() -> None:
    rows = summarise(head_figures(1, 3, range(1)), range(1))
    assert (rows[4].group, rows[4].heads) == ("top 3 heads", 3)


def test_without_own_tokens_there_are_no_top_heads_and_dashes_stand_for_figures() -> None:
    rows = summarise(head_figures(6, 4, CHOSEN, own=False), CHOSEN)
    assert [row.group for row in rows] == ["all layers", "all layers", "layers 2-3", "layers 2-3"]
    assert rows[0].attn_max_before is None and rows[1].attn_max_before is not None
    assert summary_lines(rows, 1, 1).splitlines()[2].split()[-5:-1] == ["-", "-", "-", "-"]


def test_the_table_has_the_units_of_the_published_one_and_says_what_it_is_a_mean_of() -> None:
    figures = head_figures(2, 2, range(1))
    for table in (figures.attn_max["before", "own"], figures.attn_mean["before", "own"]):
        table[:] = 0.0123
    lines = summary_lines(summarise(figures, range(1)), episodes=1, prompts=20).splitlines()
    assert lines[0].split("  ")[-2:] == ["AttnMax (x 1e-2)", "AttnMean (x 1e-4)"]
    cells = lines[2].split()
    assert (cells[-5], cells[-3]) == ("1.23", "123.00")
    assert lines[0].index("AttnMean") + len("AttnMean (x 1e-4)") == lines[1].index(" active") - 1
    assert "over 1 episode (20 questions), weighted by rows (AttnMax) and by pairs (AttnMean)" in "\n".join(lines)


def test_nothing_measured_is_said() -> None:
    assert summary_lines((), 0, 0) == "nothing was measured, so there are no figures to show"
    assert np.isnan(head_figures(2, 2, range(1), own=False).attn_max["before", "own"]).all()
