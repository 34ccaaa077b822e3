"""The rooms of the sample clips: a wall, a floor and a few things, drawn once per clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from _people import SCALE, shade
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 360  # of every clip, pixels


@dataclass(frozen=True, slots=True)
class Thing:
    """A piece of furniture: what (a key of `THINGS`), its top left corner and size in frame pixels, its colour."""

    what: str
    x: int
    y: int
    width: int
    height: int
    colour: str


@dataclass(frozen=True, slots=True)
class Room:
    """The setting of a clip. `counter` is a table in front of everybody, from its y to the frame's lower edge."""

    wall: str
    floor: str
    horizon: int  # y where the floor begins, pixels
    things: tuple[Thing, ...]
    counter: tuple[int, str] | None = None


class _Brush:
    """Draws in frame pixels on a canvas `SCALE` times as large."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)

    def box(self, x: float, y: float, width: float, height: float, colour: str, edge: bool = True) -> None:
        corners = (x * SCALE, y * SCALE, (x + width) * SCALE - 1, (y + height) * SCALE - 1)
        self._draw.rectangle(corners, colour, shade(colour, 0.7) if edge else None, SCALE if edge else 0)

    def oval(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self._draw.ellipse((x * SCALE, y * SCALE, (x + width) * SCALE, (y + height) * SCALE), colour)

    def polygon(self, points: list[tuple[float, float]], colour: str) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], colour)

    def line(self, points: list[tuple[float, float]], width: float, colour: str) -> None:
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], colour, round(width * SCALE), "curve")


def _block(brush: _Brush, thing: Thing) -> None:
    brush.box(thing.x, thing.y, thing.width, thing.height, thing.colour)


def _window(brush: _Brush, thing: Thing) -> None:
    x, y, width, height = thing.x, thing.y, thing.width, thing.height
    brush.box(x - 5, y - 5, width + 10, height + 10, "#f4f1ea")
    brush.box(x, y, width, height, thing.colour)
    brush.box(x + width / 2 - 2, y, 4, height, "#f4f1ea", edge=False)
    brush.box(x, y + height / 2 - 2, width, 4, "#f4f1ea", edge=False)


def _door(brush: _Brush, thing: Thing) -> None:
    brush.box(thing.x - 5, thing.y - 5, thing.width + 10, thing.height + 5, "#e9e2d3")
    _block(brush, thing)
    brush.oval(thing.x + thing.width - 14, thing.y + thing.height / 2, 7, 7, "#d8b347")


def _picture(brush: _Brush, thing: Thing) -> None:
    x, y, width, height = thing.x, thing.y, thing.width, thing.height
    brush.box(x - 4, y - 4, width + 8, height + 8, "#6d4a2b")
    brush.box(x, y, width, height, "#f3ead2", edge=False)
    brush.polygon([(x, y + height), (x + width * 0.4, y + height * 0.35), (x + width, y + height)], thing.colour)
    brush.oval(x + width * 0.62, y + height * 0.15, height * 0.28, height * 0.28, "#e7b23c")


def _shelf(brush: _Brush, thing: Thing) -> None:
    books = ("#a8443c", "#3d6a94", "#c9a13b", "#4f7f52", "#7a5a8c", "#c97a45")
    _block(brush, thing)
    rows = max(1, thing.height // 42)
    for row in range(rows):
        bottom = thing.y + (row + 1) * thing.height / rows - 4
        for index in range((thing.width - 12) // 9):
            tall = 22 + (index * 7 + row * 5) % 11
            colour = books[(index * 5 + row * 2) % len(books)]
            brush.box(thing.x + 6 + index * 9, bottom - tall, 8, tall, colour, edge=False)
        brush.box(thing.x, bottom, thing.width, 4, "#5b4027", edge=False)


def _plant(brush: _Brush, thing: Thing) -> None:
    x, y, width, height = thing.x, thing.y, thing.width, thing.height
    for index in range(5):
        top = (x + width * index / 4, y + abs(index - 2) * height * 0.09)
        brush.line([(x + width / 2, y + height * 0.7), top], 4, thing.colour)
        brush.oval(top[0] - 9, top[1] - 6, 18, 26, thing.colour)
    pot = [(x + width * 0.22, y + height * 0.68), (x + width * 0.78, y + height * 0.68)]
    brush.polygon([*pot, (x + width * 0.68, y + height), (x + width * 0.32, y + height)], "#b5643c")


def _lamp(brush: _Brush, thing: Thing) -> None:
    x, y, width = thing.x, thing.y, thing.width
    brush.line([(x + width / 2, 0), (x + width / 2, y)], 2, "#555555")
    brush.polygon([(x + width * 0.3, y), (x + width * 0.7, y), (x + width, y + 26), (x, y + 26)], thing.colour)
    brush.oval(x + width * 0.38, y + 20, width * 0.24, 13, "#fff3c4")


def _clock(brush: _Brush, thing: Thing) -> None:
    x, y, size = thing.x, thing.y, thing.width
    brush.oval(x, y, size, size, thing.colour)
    brush.oval(x + 4, y + 4, size - 8, size - 8, "#fbfaf5")
    middle = (x + size / 2, y + size / 2)
    brush.line([(middle[0], y + size * 0.2), middle, (x + size * 0.72, y + size * 0.6)], 2, "#333333")


def _sofa(brush: _Brush, thing: Thing) -> None:
    x, y, width, height = thing.x, thing.y, thing.width, thing.height
    brush.box(x + 10, y, width - 20, height * 0.7, thing.colour)
    brush.box(x, y + height * 0.3, 26, height * 0.6, thing.colour)
    brush.box(x + width - 26, y + height * 0.3, 26, height * 0.6, thing.colour)
    brush.box(x + 20, y + height * 0.5, width - 40, height * 0.4, thing.colour)


def _board(brush: _Brush, thing: Thing) -> None:
    brush.box(thing.x - 5, thing.y - 5, thing.width + 10, thing.height + 10, "#a9743f")
    _block(brush, thing)
    for index in range(4):
        y = thing.y + 16 + index * (thing.height - 28) / 4
        length = thing.width * (0.8 - 0.13 * ((index * 3) % 4))
        brush.line([(thing.x + 14, y), (thing.x + 14 + length, y)], 2.5, "#e8efe6")


def _tree(brush: _Brush, thing: Thing) -> None:
    x, y, width, height = thing.x, thing.y, thing.width, thing.height
    brush.box(x + width * 0.42, y + height * 0.5, width * 0.16, height * 0.5, "#7b5433")
    for dx, dy in ((0.0, 0.22), (0.4, 0.2), (0.2, 0.0), (0.2, 0.3)):
        brush.oval(x + dx * width, y + dy * height, width * 0.6, height * 0.42, thing.colour)


def _disc(brush: _Brush, thing: Thing) -> None:
    brush.oval(thing.x, thing.y, thing.width, thing.height, thing.colour)


def _awning(brush: _Brush, thing: Thing) -> None:
    stripes = 12
    for index in range(stripes):
        left = thing.x + index * thing.width / stripes
        colour = thing.colour if index % 2 else "#f6f2e8"
        brush.box(left, thing.y, thing.width / stripes, thing.height, colour, edge=False)
        brush.oval(left, thing.y + thing.height - 9, thing.width / stripes, 18, colour)


def _stars(brush: _Brush, thing: Thing) -> None:
    for index in range(60):
        x = thing.x + (index * 97) % thing.width
        y = thing.y + (index * 61 + index * index * 7) % thing.height
        brush.oval(x, y, 1.5 + index % 3, 1.5 + index % 3, thing.colour)


def _gear(brush: _Brush, thing: Thing) -> None:
    """The workshop's robot: a body, a head with two eyes, and legs."""
    x, y, width, height = thing.x, thing.y, thing.width, thing.height
    brush.box(x + width * 0.2, y, width * 0.6, height * 0.3, thing.colour)
    brush.box(x, y + height * 0.34, width, height * 0.42, thing.colour)
    for side in (0.3, 0.58):
        brush.oval(x + width * side, y + height * 0.1, width * 0.13, width * 0.13, "#ffd84a")
        brush.box(x + width * (side - 0.08), y + height * 0.76, width * 0.25, height * 0.24, "#6a6f78")


THINGS: dict[str, Callable[[_Brush, Thing], None]] = {
    "awning": _awning,
    "block": _block,
    "board": _board,
    "clock": _clock,
    "disc": _disc,
    "door": _door,
    "lamp": _lamp,
    "picture": _picture,
    "plant": _plant,
    "robot": _gear,
    "shelf": _shelf,
    "sofa": _sofa,
    "stars": _stars,
    "tree": _tree,
    "window": _window,
}


def draw_room(room: Room) -> Image.Image:
    """The room without people: RGB, `WIDTH` x `HEIGHT`."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), room.wall)
    brush = _Brush(image)
    brush.box(-2, room.horizon, WIDTH + 4, HEIGHT - room.horizon + 2, room.floor)
    for thing in room.things:
        THINGS[thing.what](brush, thing)
    return image.reduce(SCALE)


def draw_counter(room: Room) -> Image.Image | None:
    """The counter in front of everybody: an RGB strip as wide as the frame, or None."""
    if room.counter is None:
        return None
    top, colour = room.counter
    image = Image.new("RGB", (WIDTH * SCALE, (HEIGHT - top) * SCALE), colour)
    brush = _Brush(image)
    brush.box(-2, 0, WIDTH + 4, 9, "#f0e6d6")
    for x in range(0, WIDTH, 160):
        brush.box(x + 12, 20, 136, HEIGHT, colour)
    return image.reduce(SCALE)


ROOMS: dict[str, Room] = {
    "kitchen": Room(
        "#f6e7c8",
        "#c9a27a",
        262,
        (
            Thing("block", 0, 40, 210, 62, "#8fb3a6"),
            Thing("window", 262, 34, 116, 92, "#bfe2f5"),
            Thing("block", 430, 40, 100, 62, "#8fb3a6"),
            Thing("block", 548, 62, 84, 222, "#e6ebee"),
            Thing("block", 0, 176, 540, 100, "#7fa598"),
            Thing("block", 0, 168, 540, 10, "#d8d3c8"),
        ),
    ),
    "office": Room(
        "#dfe6ec",
        "#8d99a6",
        258,
        (
            Thing("window", 40, 30, 150, 110, "#a9d3ee"),
            Thing("board", 250, 36, 180, 92, "#f7f9fa"),
            Thing("shelf", 480, 60, 130, 168, "#8a6a48"),
            Thing("clock", 444, 28, 34, 34, "#35506b"),
            Thing("plant", 204, 150, 44, 110, "#4d8f4f"),
        ),
        (312, "#b08a60"),
    ),
    "park": Room(
        "#bfe3f7",
        "#86c06b",
        206,
        (
            Thing("disc", 540, 22, 52, 52, "#ffdf6b"),
            Thing("disc", 60, 40, 90, 26, "#ffffff"),
            Thing("disc", 110, 30, 80, 28, "#ffffff"),
            Thing("disc", -60, 168, 320, 90, "#79b560"),
            Thing("disc", 330, 172, 420, 84, "#72ad5b"),
            Thing("tree", 250, 50, 130, 200, "#4e9a4b"),
            Thing("tree", 460, 96, 80, 130, "#5aa552"),
        ),
    ),
    "classroom": Room(
        "#f3edd8",
        "#b9946a",
        266,
        (
            Thing("board", 170, 34, 300, 110, "#2f5d4a"),
            Thing("window", 24, 40, 90, 100, "#bfe2f5"),
            Thing("shelf", 530, 90, 96, 168, "#8a6a48"),
            Thing("clock", 540, 30, 40, 40, "#8c3b32"),
        ),
    ),
    "cafe": Room(
        "#e8cdb5",
        "#8c5f43",
        264,
        (
            Thing("window", 30, 44, 170, 120, "#cfeaf2"),
            Thing("picture", 270, 50, 84, 64, "#5b8c7d"),
            Thing("shelf", 420, 56, 180, 84, "#6f4c33"),
            Thing("lamp", 226, 34, 46, 26, "#c4473a"),
            Thing("lamp", 372, 34, 46, 26, "#c4473a"),
        ),
        (306, "#7d5236"),
    ),
    "hall": Room(
        "#d9e4da",
        "#a98f76",
        270,
        (
            Thing("door", 26, 74, 96, 200, "#8f5f3c"),
            Thing("picture", 190, 62, 90, 64, "#5577a5"),
            Thing("block", 330, 196, 120, 78, "#a9754a"),
            Thing("window", 340, 44, 100, 84, "#bfe2f5"),
            Thing("plant", 540, 140, 60, 136, "#3f8b52"),
        ),
    ),
    "living room": Room(
        "#f1dcd2",
        "#a87d5c",
        258,
        (
            Thing("sofa", 190, 170, 250, 108, "#5f7fa8"),
            Thing("picture", 262, 44, 104, 74, "#8a5a8c"),
            Thing("window", 60, 40, 100, 110, "#a7d5ee"),
            Thing("door", 530, 72, 90, 192, "#9b6a44"),
            Thing("lamp", 428, 30, 56, 26, "#e0a93f"),
        ),
    ),
    "studio": Room(
        "#4a4560",
        "#6d5a50",
        268,
        (
            Thing("block", 30, 176, 80, 100, "#1f1f25"),
            Thing("disc", 44, 190, 52, 52, "#4d4d57"),
            Thing("block", 540, 176, 80, 100, "#1f1f25"),
            Thing("disc", 554, 190, 52, 52, "#4d4d57"),
            Thing("board", 210, 42, 220, 84, "#23212f"),
            Thing("lamp", 140, 26, 44, 26, "#f2b632"),
            Thing("lamp", 456, 26, 44, 26, "#f2b632"),
        ),
    ),
    "library": Room(
        "#e5d6bb",
        "#8a5c3a",
        272,
        (
            Thing("shelf", 16, 30, 180, 236, "#744f30"),
            Thing("shelf", 216, 30, 110, 236, "#744f30"),
            Thing("window", 366, 36, 84, 120, "#c7e6f2"),
            Thing("shelf", 486, 30, 140, 236, "#744f30"),
        ),
    ),
    "station": Room(
        "#cdd7de",
        "#9a9fa4",
        264,
        (
            Thing("block", 0, 120, 640, 120, "#3d6f9c"),
            Thing("block", 0, 150, 640, 46, "#d9ecf5"),
            Thing("block", 150, 120, 60, 128, "#345f86"),
            Thing("block", 430, 120, 60, 128, "#345f86"),
            Thing("board", 230, 22, 180, 56, "#23303b"),
            Thing("clock", 560, 28, 48, 48, "#23303b"),
        ),
    ),
    "gallery": Room(
        "#f7f5f0",
        "#c9b79c",
        270,
        (
            Thing("picture", 40, 50, 120, 90, "#b5473c"),
            Thing("picture", 250, 40, 140, 104, "#3767b5"),
            Thing("picture", 480, 50, 120, 90, "#3f8f6a"),
            Thing("block", 196, 206, 30, 66, "#dcd6ca"),
            Thing("block", 414, 206, 30, 66, "#dcd6ca"),
        ),
    ),
    "workshop": Room(
        "#d8d2c4",
        "#7f7a72",
        266,
        (
            Thing("window", 44, 40, 110, 90, "#bcdff0"),
            Thing("board", 410, 40, 190, 80, "#9b7a52"),
            Thing("block", 190, 224, 200, 46, "#8f6b45"),
            Thing("robot", 262, 124, 66, 100, "#aab3bd"),
        ),
    ),
    "rooftop": Room(
        "#1c2647",
        "#4a4d63",
        258,
        (
            Thing("stars", 0, 0, 640, 180, "#f6f0cf"),
            Thing("disc", 520, 28, 62, 62, "#f4e9bd"),
            Thing("block", 20, 150, 90, 112, "#2b3355"),
            Thing("block", 130, 116, 70, 146, "#323b61"),
            Thing("block", 420, 134, 110, 128, "#2b3355"),
            Thing("block", 0, 226, 640, 36, "#5d5f75"),
        ),
    ),
    "market": Room(
        "#bfe0ee",
        "#b7a68c",
        254,
        (
            Thing("block", 60, 96, 12, 170, "#8a6a48"),
            Thing("block", 568, 96, 12, 170, "#8a6a48"),
            Thing("awning", 40, 40, 560, 56, "#d0503f"),
            Thing("block", 90, 176, 460, 90, "#a9794c"),
            *(Thing("disc", 104 + 44 * index, 152, 34, 34, "#7c4a86") for index in range(5)),
            *(Thing("disc", 330 + 44 * index, 152, 34, 34, "#e29b33") for index in range(5)),
        ),
    ),
}
