from __future__ import annotations

from socialcli.text_table import label, laid_out, percent, percent_interval


def test_labels_stand_to_the_left_and_figures_to_the_right() -> None:
    assert laid_out([["task", "split", "n"], ["a", "-", "1000"], ["mentioned", "x", ""]], 2).splitlines() == [
        "task       split     n",
        "a          -      1000",
        "mentioned  x",
    ]


def test_values_for_people() -> None:
    assert [label(value) for value in (True, False, None, 5e-05, "10-19")] == ["on", "off", "-", "5e-05", "10-19"]
    assert (percent(0.12345), percent(1.0), percent(None)) == ("12.3%", "100.0%", "-")
    assert (percent_interval(0.1, 0.25), percent_interval(None, None)) == ("10.0% to 25.0%", "-")
