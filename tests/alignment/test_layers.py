"""Which decoder layers take part."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from socialcli.alignment.layers import DecoderLayers, check_layers, layers_text
from socialcli.errors import UsageError


@pytest.mark.parametrize(
    ("layers", "n_layers", "expected"),
    [
        ("auto", 28, range(10, 20)),
        ("auto", 32, range(11, 23)),
        ("auto", 36, range(13, 26)),
        ("auto", 4, range(1, 3)),
        ("auto", 2, range(1, 2)),
        ("auto", 1, range(1)),
        ("all", 28, range(28)),
        ("10-19", 28, range(10, 20)),
        ("0-0", 28, range(1)),
        ("3,7,11", 28, (3, 7, 11)),
        ("11+3+7-8", 28, (3, 7, 8, 11)),
        ("12", 28, range(12, 13)),
        ("27-27", 28, range(27, 28)),
    ],
)
def test_layers_resolve_to_those_of_the_decoder(layers: str, n_layers: int, expected: Sequence[int]) -> None:
    assert DecoderLayers.all(n_layers).choose(layers) == tuple(expected)


@pytest.mark.parametrize("n_layers", range(1, 130))
def test_the_middle_third_of_any_decoder_is_inside_it(n_layers: int) -> None:
    chosen = DecoderLayers.all(n_layers).choose("auto")
    assert len(chosen) >= 1
    assert 0 <= chosen[0] <= chosen[-1] < n_layers


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("10-28", "has 28 layers: name layers within 0-27"),
        ("19-10", "runs backwards"),
        ("28", "has 28 layers"),
        ("-1-5", "names no layers"),
        ("", "names no layers"),
        ("1-2 ", "names no layers"),
        ("3,,7", "names no layers"),
        ("3,auto", "names no layers"),
        ("3,9-7", "9-7 runs backwards"),
    ],
)
def test_a_wrong_range_says_what_to_write(layers: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DecoderLayers.all(28).choose(layers)


HYBRID = DecoderLayers(32, range(3, 32, 4))  # softmax attention in every fourth layer


@pytest.mark.parametrize(
    ("layers", "expected"),
    [("auto", (11, 15, 19)), ("all", range(3, 32, 4)), ("10-19", (11, 15, 19)), ("7", (7,)), ("6,7,9-12", (7, 11))],
)
def test_only_layers_that_can_be_aligned_take_part(layers: str, expected: Sequence[int]) -> None:
    assert HYBRID.choose(layers) == tuple(expected)


@pytest.mark.parametrize("layers", ["8-10", "0", "4,5"])
def test_layers_of_which_none_can_be_aligned_are_an_error_that_names_those_that_can(layers: str) -> None:
    with pytest.raises(UsageError, match=f"--layers {layers}: no layer .* name some of 3,7,11,15,19,23,27,31"):
        HYBRID.choose(layers)


def test_auto_is_the_nearest_layer_where_none_of_the_middle_third_can_be_aligned() -> None:
    assert DecoderLayers(28, (0, 1, 24)).choose("auto") == (24,)


@pytest.mark.parametrize(
    ("layers", "text"), [(range(10, 20), "10-19"), ((12,), "12-12"), ((3, 7, 11), "3,7,11"), ((3, 4, 5, 9), "3-5,9")]
)
def test_layers_are_written_as_the_option_takes_them(layers: Sequence[int], text: str) -> None:
    assert layers_text(layers) == text
    assert check_layers(text) == list(layers)
