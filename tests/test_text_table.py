from __future__ import annotations

from socialcli.text_table import label, laid_out, percent, percent_interval, points, points_interval


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


def test_differences_have_a_sign_and_their_sizes_none() -> None:
    assert [points(share) for share in (0.1234, -0.5, 0.0, None)] == ["+12.3", "-50.0", "+0.0", "-"]
    assert [points(share, signed=False) for share in (0.1234, None)] == ["12.3", "-"]
    assert (points_interval(-0.1, 0.25), points_interval(None, None)) == ("-10.0 to +25.0", "-")
