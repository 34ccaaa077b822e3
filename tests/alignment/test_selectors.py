"""Each head selector on means and heads of known values."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from socialcli.alignment.heads.selectors import ALL, DYNAMIC, RANDOM, TOP, HeadMeans, HeadSelector, HeadSpace
from socialcli.alignment.report import AlignmentReport, LayerReport

NAN = float("nan")


def space(limit: int | None = None, seed: int = 0) -> HeadSpace:
    return HeadSpace(layers=(2, 5), heads=4, limit=limit, seed=seed)


def found(means: list[list[float]], limit: int | None, threshold: float = 0.0) -> HeadMeans:
    tensor = torch.tensor(means)
    return HeadMeans(tensor, tensor > threshold, limit)


def test_dynamic_takes_what_is_above_the_threshold_and_not_what_equals_it_or_has_no_mean() -> None:
    assert DYNAMIC.in_layer is not None
    assert DYNAMIC.in_layer(torch.tensor([[0.25, 0.5, 0.75, NAN]]), 0.5).tolist() == [[False, False, True, False]]


def test_of_equal_means_the_lower_head_comes_first() -> None:
    means = found([[0.3, 0.5, 0.5, 0.5]], 2)
    for selector in (DYNAMIC, TOP):
        assert selector.afterwards is not None
        chosen = selector.afterwards(means)
        assert chosen is not None and chosen.tolist() == [[False, True, True, False]]


def test_a_limit_above_the_number_of_heads_takes_them_all() -> None:
    means = found([[0.3, -0.1, 0.2]], 9)
    assert TOP.afterwards is not None and DYNAMIC.afterwards is not None
    top = TOP.afterwards(means)
    assert top is not None and top.tolist() == [[True, True, True]]
    assert DYNAMIC.afterwards(means) is None  # what was active stays
    assert RANDOM.named is not None and ALL.named is not None
    assert RANDOM.named(space(limit=99)) == ALL.named(space())


def test_the_limit_holds_for_each_prompt() -> None:
    assert DYNAMIC.afterwards is not None
    chosen = DYNAMIC.afterwards(found([[0.9, 0.8, 0.7], [0.1, 0.6, 0.2]], 2, threshold=0.5))
    assert chosen is not None and chosen.tolist() == [[True, True, False], [False, True, False]]


def test_a_prompt_without_a_pair_gets_no_head() -> None:
    means = torch.tensor([[0.3, 0.1], [NAN, NAN]])
    rows = torch.zeros(2, dtype=torch.int64)
    report = AlignmentReport({0: LayerReport(torch.zeros_like(means, dtype=torch.bool), means, rows, rows)})
    chosen = report.chosen(TOP, 1)
    assert chosen is not None and chosen[0].tolist() == [[True, False], [False, False]]


def test_all_are_the_heads_of_the_layers_that_take_part() -> None:
    assert ALL.named is not None
    assert ALL.named(space()) == {(layer, head) for layer in (2, 5) for head in range(4)}


def test_random_heads_are_as_many_as_named_of_the_layers_and_depend_on_the_seed_alone() -> None:
    assert RANDOM.named is not None and ALL.named is not None
    draws = [RANDOM.named(space(limit=3, seed=seed)) for seed in range(8)]
    assert all(len(draw) == 3 and draw <= ALL.named(space()) for draw in draws)
    assert draws == [RANDOM.named(space(limit=3, seed=seed)) for seed in range(8)]
    assert len(set(draws)) > 1


def test_the_random_heads_of_a_smaller_limit_are_among_those_of_a_larger_one() -> None:
    assert RANDOM.named is not None
    draws = [RANDOM.named(space(limit=limit, seed=7)) for limit in range(1, 9)]
    assert all(small < large for small, large in pairwise(draws))


def test_a_selector_that_could_select_no_head_is_refused() -> None:
    with pytest.raises(ValueError, match="the head selector idle needs"):
        HeadSelector("idle", "nothing")
