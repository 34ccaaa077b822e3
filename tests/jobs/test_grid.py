from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.alignment.heads.selectors import ALL, DYNAMIC, RANDOM, TOP
from socialcli.alignment.layers import DecoderLayers
from socialcli.alignment.steering.modes import SPEAKER
from socialcli.errors import UsageError
from socialcli.jobs.grid import PLAIN, Grid, Setting

from ..results.samples import settings
from ..verbs.sweep.sweeps import DECODER, grid


def test_every_combination_is_there_in_the_order_of_the_values() -> None:
    made = grid(alpha=(2.0, 1.0), lambda_=(5e-5, 5e-4), layers=("10-19", "0-9"), bias=("published", "probability"))
    found = made.settings(DECODER)
    assert made.combinations == 16 and len(found) == 17
    assert found[:4] == (
        PLAIN,
        Setting(2.0, 5e-5, "10-19", "published"),
        Setting(2.0, 5e-5, "10-19", "probability"),
        Setting(2.0, 5e-5, "0-9", "published"),
    )


def test_alpha_0_is_the_plain_model_whatever_the_rest() -> None:
    made = grid(alpha=(0.0, 1.0), lambda_=(5e-5, 5e-4), layers=("auto", "all"), bias=("published", "probability"))
    assert sum(setting == PLAIN for setting in made.settings(DECODER)) == 1
    assert len(made.settings(DECODER)) == 1 + 8


@pytest.mark.parametrize(
    ("layers", "decoder", "canonical"),
    [
        (("auto", "10-19"), 28, ["10-19"]),
        (("auto", "10-19"), 36, ["13-25", "10-19"]),
        (("all", "0-27", "auto"), 28, ["0-27", "10-19"]),
        (("3", "3-3"), 4, ["3-3"]),
    ],
)
def test_layers_that_go_by_two_names_are_asked_once(
    layers: tuple[str, ...], decoder: int, canonical: list[str]
) -> None:
    assert [one.layers for one in grid(alpha=(1.0,), layers=layers).settings(DecoderLayers.all(decoder))] == [
        None,
        *canonical,
    ]


def test_a_value_given_twice_is_asked_once() -> None:
    made = grid(alpha=(1.0, 1.0, 0.5), lambda_=(5e-5, 0.00005), bias=("published", "published"))
    assert [one.alpha for one in made.settings(DECODER)] == [None, 1.0, 0.5]


def test_layers_that_the_decoder_does_not_have_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--layers 0-27 reaches beyond the model's decoder, which has 4 layers"):
        grid(layers=("1-2", "0-27")).settings(DecoderLayers.all(4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": (1.0, -0.5)}, "--alpha -0.5 is out of range"),
        ({"alpha": (float("nan"),)}, "--alpha nan"),
        ({"lambda_": (5e-5, float("inf"))}, "--lambda inf"),
        ({"layers": ("auto", "19-10")}, "--layers 19-10 runs backwards"),
        ({"layers": ("some",)}, "--layers 'some' names no layers"),
        ({"alpha": (0.0,)}, "--alpha 0 is the plain model"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_option(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        grid(**changes).check(settings())
    assert message in str(caught.value)


def test_a_setting_in_words() -> None:
    assert str(Setting(1.0, 5e-5, "10-19", "published")) == "alpha 1, lambda 5e-05, layers 10-19, published bias"
    assert str(PLAIN) == ""


def test_a_setting_in_words_leaves_out_the_method() -> None:
    assert str(Setting(1.0, 5e-5, "10-19", "published", "top", 4, "both-ways", 0.5)) == (
        "alpha 1, lambda 5e-05, layers 10-19, published bias, heads-by top, max-heads 4, steer both-ways, balance 0.5"
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"heads_by": (DYNAMIC,), "max_heads": (None, 1)}, {(5e-5, None), (1e-4, None), (5e-5, 1), (1e-4, 1)}),
        ({"heads_by": (TOP,), "max_heads": (None, 1, 2)}, {(5e-5, 1), (5e-5, 2)}),
        ({"heads_by": (RANDOM,), "max_heads": (2,)}, {(5e-5, 2)}),
        ({"heads_by": (ALL,), "max_heads": (None, 1, 2)}, {(5e-5, None)}),
        ({"steer": (SPEAKER,), "balance": (0.0, 1.0)}, {(5e-5, None), (1e-4, None)}),
    ],
    ids=["dynamic", "top", "random", "all", "speaker"],
)
def test_values_that_a_selector_or_mode_does_not_heed_count_once(changes: dict[str, Any], found: set[Any]) -> None:
    asked = grid(alpha=(1.0,), lambda_=(1e-4, 5e-5), **changes).settings(DECODER)[1:]
    assert {(one.lambda_, one.max_heads) for one in asked} == found and len(asked) == len(found)


def test_settings_that_differ_in_one_option_are_the_same_without_it() -> None:
    one, other = Setting(1.0, 5e-5, "10-19", "published"), Setting(1.0, 5e-4, "10-19", "published")
    assert one.without("lambda") == other.without("lambda") and one.without("alpha") != other.without("alpha")
    assert one.having("lambda", 5e-4) == other


@given(
    alpha=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=4),
    lambda_=st.lists(st.sampled_from([0.0, 5e-5, 5e-4]), min_size=1, max_size=3),
    layers=st.lists(st.sampled_from(["auto", "all", "10-19", "0-9", "4"]), min_size=1, max_size=4),
    decoder=st.sampled_from([28, 32, 36]),
)
def test_no_setting_is_asked_twice_and_none_is_left_out(
    alpha: list[float], lambda_: list[float], layers: list[str], decoder: int
) -> None:
    made = Grid(tuple(alpha), tuple(lambda_), tuple(layers), ("published",))
    found = made.settings(DecoderLayers.all(decoder))
    assert len(set(found)) == len(found) and found[0] == PLAIN
    for a in alpha:
        for b in lambda_:
            for c in layers:
                (one,) = Grid((a,), (b,), (c,), ("published",)).settings(DecoderLayers.all(decoder))[1:] or (PLAIN,)
                assert one in found
