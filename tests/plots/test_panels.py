"""Figures and the legend of panels of accuracies."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.plots.canvas import picture
from socialcli.plots.panels import in_percent, legend_below


def test_without_an_interval_the_ends_are_the_share() -> None:
    assert in_percent(0.25, 0.1, 0.5) == pytest.approx((25, 10, 50))
    assert in_percent(0.25, None, None) == pytest.approx((25, 25, 25))
    assert in_percent(0.0, 0.0, 0.1) == pytest.approx((0, 0, 10))


def test_what_several_panels_show_is_in_the_legend_once(tmp_path: Path) -> None:
    with picture(tmp_path / "a.png", "title", 6, 3) as figure:
        one, two = figure.subplots(1, 2)
        one.plot([0, 1], label="plain model")
        for axes in (one, two):
            axes.plot([0, 1], label="aligned")
        two.plot([1, 0], label="guessing")
        legend_below(figure, columns=3)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["plain model", "aligned", "guessing"]
