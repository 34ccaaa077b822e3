"""People's appearance: shirt, hair, skin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

HairStyle = Literal["short", "long", "bun", "curly", "tufts"]

SHIRTS: Mapping[str, str] = {
    "red": "#d8262b",
    "orange": "#f58518",
    "yellow": "#f7dc1f",
    "green": "#2b9b3c",
    "teal": "#17b1a8",
    "blue": "#2456d8",
    "purple": "#7b2fb8",
    "pink": "#f77fbe",
    "brown": "#7a4521",
    "white": "#f7f7f2",
    "black": "#1d1d22",
    "grey": "#858b93",
}
"""Shirt colours by name, "#rrggbb"."""

_STYLES: tuple[HairStyle, ...] = ("short", "long", "bun", "curly", "tufts")
_HAIR = ("#1c1714", "#6a3d1c", "#e2b84a", "#b5491f", "#b9b9be")
_SKIN = ("#f6d3b5", "#eabf95", "#cf9a6b", "#a56c43", "#7a4a2c")
_TROUSERS = ("#2f3542", "#453a32", "#3b3d3f", "#33403a")


@dataclass(frozen=True, slots=True)
class Look:
    """A person's appearance. Colours are "#rrggbb", except `shirt`, which is a name in `SHIRTS`."""

    shirt: str
    hair: str
    style: HairStyle
    skin: str
    trousers: str
    hat: bool = False


def draw_looks(count: int, rng: np.random.Generator) -> tuple[Look, ...]:
    """Looks for the people of a scene: no two share a shirt colour, or both hair colour and style."""
    shirts = rng.permutation(list(SHIRTS))[:count]
    hair = list(product(_HAIR, _STYLES))
    heads = [hair[place] for place in rng.permutation(len(hair))[:count]]
    skins = [_SKIN[place] for place in rng.integers(len(_SKIN), size=count)]
    trousers = [_TROUSERS[place] for place in rng.integers(len(_TROUSERS), size=count)]
    return tuple(
        Look(str(shirt), colour, style, skin, legs)
        for shirt, (colour, style), skin, legs in zip(shirts, heads, skins, trousers, strict=True)
    )
