"""Which decoder layers take part."""

from __future__ import annotations

import pytest

from socialcli.alignment.layers import resolve_layers
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
        ("12", 28, range(12, 13)),
        ("27-27", 28, range(27, 28)),
    ],
)
def test_layers_resolve_to_a_range_of_the_decoder(layers: str, n_layers: int, expected: range) -> None:
    assert resolve_layers(layers, n_layers) == expected


@pytest.mark.parametrize("n_layers", range(1, 130))
def test_the_middle_third_of_any_decoder_is_inside_it(n_layers: int) -> None:
    chosen = resolve_layers("auto", n_layers)
    assert len(chosen) >= 1
    assert 0 <= chosen[0] <= chosen[-1] < n_layers


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("10-28", "has 28 layers: name a range within 0-27"),
        ("19-10", "runs backwards"),
        ("28", "has 28 layers"),
        ("-1-5", "is no range"),
        ("", "is no range"),
        ("1-2 ", "is no range"),
    ],
)
def test_a_wrong_range_says_what_to_write(layers: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_layers(layers, 28)
