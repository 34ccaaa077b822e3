"""Rooms: a wall with a few things on it and a floor seen from above, in muted colours, unlike shirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

WALLS = ("#cfd6dc", "#d9d0c1", "#c8d3c5", "#d8cdd3", "#c9cfe0")
FLOORS = ("#a39170", "#b3a07f", "#93a07e", "#a88f82", "#86a09c")
_THINGS = ("window", "picture", "door")
HORIZON = 0.27  # share of the frame's height where the floor begins
_FURNITURE = 0.16  # width of a piece of furniture, as a share of the frame's shorter side
_WOOD, _GLASS, _FRAME, _PAPER = "#6d5a48", "#b9cbd8", "#e9e6de", "#b8ad9a"


@dataclass(frozen=True, slots=True)
class Furniture:
    """A "lamp" or a "basket" on the floor.

    `colour` is "#rrggbb"; `foot` is the middle of its base, in shares of the frame.
    """

    kind: str
    colour: str
    foot: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Room:
    """A room. `things` are on the wall, each with its centre as a share of the width; `rug` is a share of the width.

    `rug_colour` None: the rug is a shade of the floor.
    """

    wall: str
    floor: str
    things: tuple[tuple[str, float], ...]
    rug: float
    rug_colour: str | None = None
    furniture: tuple[Furniture, ...] = ()


def draw_room(rng: np.random.Generator) -> Room:
    """Draw a random room."""
    kinds = [str(kind) for kind in rng.permutation(_THINGS)]
    middles = np.array([0.18, 0.5, 0.82]) + rng.uniform(-0.08, 0.08, 3)
    shown = rng.random(3) < 0.75
    things = tuple((kind, float(x)) for kind, x, there in zip(kinds, middles, shown, strict=True) if there)
    wall, floor = WALLS[rng.integers(len(WALLS))], FLOORS[rng.integers(len(FLOORS))]
    return Room(wall, floor, things, float(rng.uniform(0.3, 0.7)))


def paint_room(room: Room, width: int, height: int) -> Image.Image:
    """The empty room, RGB."""
    image = Image.new("RGB", (width, height), room.wall)
    draw = ImageDraw.Draw(image)
    horizon = HORIZON * height
    draw.rectangle((0, horizon, width, height), room.floor)
    for kind, middle in room.things:
        _paint_thing(draw, kind, middle * width, horizon)
    draw.rectangle((0, horizon - 0.012 * height, width, horizon), _FRAME)
    rug = ((room.rug - 0.3) * width, 0.55 * height, (room.rug + 0.3) * width, 0.93 * height)
    colours = (room.rug_colour, 1.0, 0.8) if room.rug_colour else (room.floor, 0.93, 0.85)
    draw.ellipse(rug, _darker(colours[0], colours[1]), _darker(colours[0], colours[2]), max(1, height // 120))
    for piece in room.furniture:
        _paint_furniture(draw, piece, width, height)
    return image


def furniture_size(size: tuple[int, int]) -> float:
    """Width and height of a piece of furniture, in pixels of a frame of this size."""
    return _FURNITURE * min(size)


def _paint_furniture(draw: ImageDraw.ImageDraw, piece: Furniture, width: int, height: int) -> None:
    side = furniture_size((width, height))
    x, y, line = piece.foot[0] * width, piece.foot[1] * height, max(1, round(side / 30))
    if piece.kind == "lamp":  # a wide shade on a short stand
        draw.rectangle((x - 0.05 * side, y - 0.4 * side, x + 0.05 * side, y), _WOOD)
        draw.ellipse((x - 0.25 * side, y - 0.1 * side, x + 0.25 * side, y), _WOOD)
        shade = [(-0.25, -1.0), (0.25, -1.0), (0.5, -0.35), (-0.5, -0.35)]
    else:  # a basket, narrower at the base, with a handle
        draw.arc((x - 0.3 * side, y - side, x + 0.3 * side, y - 0.3 * side), 180, 360, _WOOD, 3 * line)
        shade = [(-0.5, -0.65), (0.5, -0.65), (0.36, 0.0), (-0.36, 0.0)]
    draw.polygon([(x + across * side, y + up * side) for across, up in shade], piece.colour, _WOOD, line)


def _paint_thing(draw: ImageDraw.ImageDraw, kind: str, x: float, horizon: float) -> None:
    """Something on the wall, centred at x; the wall is `horizon` pixels high."""
    line = max(1, round(horizon / 30))
    if kind == "door":
        draw.rectangle((x - 0.28 * horizon, 0.12 * horizon, x + 0.28 * horizon, horizon), _WOOD, _FRAME, 2 * line)
    elif kind == "window":
        draw.rectangle((x - 0.45 * horizon, 0.15 * horizon, x + 0.45 * horizon, 0.72 * horizon), _GLASS, _FRAME, line)
        draw.line((x, 0.15 * horizon, x, 0.72 * horizon), _FRAME, line)
    else:
        draw.rectangle((x - 0.3 * horizon, 0.25 * horizon, x + 0.3 * horizon, 0.65 * horizon), _PAPER, _WOOD, line)


def _darker(colour: str, factor: float) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return int(red * factor), int(green * factor), int(blue * factor)
