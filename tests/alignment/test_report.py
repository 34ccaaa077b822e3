"""The report of an aligned forward pass, and which heads a limit keeps."""

from __future__ import annotations

import torch

from socialcli.alignment.heads.selectors import DYNAMIC, TOP
from socialcli.alignment.report import AlignmentReport, LayerReport


def layer(means: list[list[float]], threshold: float, biased: list[int], negative: list[int]) -> LayerReport:
    tensor = torch.tensor(means)
    return LayerReport(tensor > threshold, tensor, torch.tensor(biased), torch.tensor(negative))


REPORT = AlignmentReport(
    {
        3: layer([[0.1, 0.4, 0.2], [0.0, 0.0, 0.0]], 0.15, [8, 0], [2, 0]),
        5: layer([[0.4, 0.3, 0.0], [0.0, 0.9, 0.0]], 0.15, [4, 5], [1, 5]),
    }
)


def test_shares_and_counts_are_over_all_layers_that_took_part() -> None:
    assert REPORT.active_count() == [4, 1]
    assert REPORT.active_share() == [4 / 6, 1 / 6]
    assert REPORT.negative_share() == [3 / 12, 1.0]


def test_where_no_row_had_a_bias_there_is_no_share_of_negative_ones() -> None:
    assert AlignmentReport({0: layer([[0.1]], 0.5, [0], [0])}).negative_share() == [None]
    assert (AlignmentReport().active_share(), AlignmentReport().negative_share()) == ([], [])


def test_a_limit_keeps_the_largest_means_of_each_prompt_the_lower_layer_first() -> None:
    capped = REPORT.chosen(DYNAMIC, 1)
    assert capped is not None
    assert capped[3].tolist() == [[False, True, False], [False, False, False]]
    assert capped[5].tolist() == [[False, False, False], [False, True, False]]
    three = REPORT.chosen(DYNAMIC, 3)
    assert three is not None
    assert three[3].tolist()[0] == [False, True, False]
    assert three[5].tolist() == [[True, True, False], [False, True, False]]


def test_a_limit_that_nobody_exceeds_keeps_everything() -> None:
    assert REPORT.chosen(DYNAMIC, 4) is None
    assert REPORT.chosen(DYNAMIC, None) is None
    assert AlignmentReport().chosen(DYNAMIC, 0) is None


def test_the_largest_are_active_whatever_the_threshold() -> None:
    top = REPORT.chosen(TOP, 2)
    assert top is not None
    assert top[3].tolist() == [[False, True, False], [True, False, False]]
    assert top[5].tolist() == [[True, False, False], [False, True, False]]
