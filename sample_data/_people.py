"""The cartoon people of the sample clips, and how to draw them.

A person is drawn on a separate canvas, `SCALE` times as large as the frame and aligned to its pixels, then reduced. The
canvas's opacity gives the person's exact extents in the frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw

SCALE = 3  # drawn this many times larger than the frame, then reduced, for smooth edges
SOLID = 128  # least opacity (of 255) of a pixel that belongs to the person

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """A person's appearance. Colours are "#rrggbb"."""

    pronoun: str  # "she" or "he"
    skin: str
    hair: str
    style: str  # "short", "long", "bob", "bun", "curly", "pigtails" or "bald"
    shirt: str
    shirt_name: str  # the shirt's colour in words, for questions
    trousers: str
    extras: tuple[str, ...] = ()  # of "glasses", "beard", "cap", "stripes", "earrings"


@dataclass(frozen=True, slots=True)
class Pose:
    """A person's pose in one frame."""

    x: float  # middle of the feet, pixels of the frame
    feet: float  # y of the soles, pixels of the frame
    height: float  # from sole to crown, pixels
    turn: float = 0.0  # where the face points: -1 to the frame's left, 0 to the viewer, 1 to the right
    mouth: float = 0.0  # 0 closed, 1 wide open
    point: float = 0.0  # -1 the arm on the left points to the left, 1 the one on the right to the right, 0 neither
    gesture: float = 0.0  # 0 to 1: how far the lower arms are raised while speaking
    stride: float = 0.0  # -1 to 1: legs apart while walking
    blink: bool = False


PEOPLE: dict[str, Look] = {
    "Mara": Look("she", "#f0c8a0", "#6b3e1f", "long", "#d23b3b", "red", "#2f3e5c"),
    "Tom": Look("he", "#e8b98c", "#2b211c", "short", "#2f6fd0", "blue", "#4a4a52", ("beard",)),
    "Inés": Look("she", "#d9a477", "#3a2416", "curly", "#f2c230", "yellow", "#7a3b5e", ("earrings",)),
    "Zoë": Look("she", "#f5d3b3", "#e3bb52", "bob", "#3fa34d", "green", "#39506b"),
    "Björn": Look("he", "#f3cdb0", "#c98d3a", "short", "#ef7f1a", "orange", "#31572c", ("beard",)),
    "Priya": Look("she", "#b97a4c", "#1d1512", "bun", "#7d3fb0", "purple", "#2c2c34", ("earrings",)),
    "Kenji": Look("he", "#eec39a", "#17151a", "short", "#129a9a", "teal", "#5b4636", ("glasses",)),
    "Amara": Look("she", "#7c4a2d", "#1b110d", "curly", "#ee6fa5", "pink", "#3b3b6d", ("earrings",)),
    "Luca": Look("he", "#dfae82", "#4a2f1b", "short", "#f2f2ee", "white", "#24507a", ("stripes",)),
    "Nora": Look("she", "#f1cfb6", "#b9b9c0", "bun", "#a78bd6", "lavender", "#55555f", ("glasses",)),
    "Omar": Look("he", "#a86b42", "#241811", "bald", "#1f6b45", "dark green", "#c2a878", ("beard",)),
    "Lily": Look("she", "#f7d6bd", "#c5522a", "pigtails", "#74c3ee", "light blue", "#d05a7e"),
    "Sam": Look("he", "#e5b48a", "#5a4030", "short", "#8a9099", "grey", "#30343c", ("cap",)),
    "Hana": Look("she", "#f2cba4", "#201a1e", "bob", "#f0705c", "coral", "#384a3f"),
    "Viktor": Look("he", "#efc7a5", "#9a9a9a", "short", "#7a4b2a", "brown", "#3a3a42", ("glasses",)),
    "Chloé": Look("she", "#f6d5ba", "#d9a441", "long", "#c2227a", "magenta", "#45506e"),
}


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn person: `image` is RGBA in frame pixels, its top left corner at (`left`, `top`) of the frame."""

    image: Image.Image
    left: int
    top: int

    def extents(self, width: int, height: int) -> tuple[int, int, int, int] | None:

        solid = self.image.getchannel("A").point([255 if value >= SOLID else 0 for value in range(256)])
        inside = solid.crop((-self.left, -self.top, width - self.left, height - self.top))
        return inside.getbbox()


def draw_person(look: Look, pose: Pose) -> Sprite:
    """Draw a person; the canvas is large enough for any pose."""
    half = math.ceil(0.55 * pose.height)
    left, top = math.floor(pose.x) - half, math.floor(pose.feet - 1.15 * pose.height)
    size = (2 * half + 1, math.ceil(1.2 * pose.height))
    canvas = Image.new("RGBA", (size[0] * SCALE, size[1] * SCALE))
    pen = _Pen(ImageDraw.Draw(canvas), ((pose.x - left) * SCALE, (pose.feet - top) * SCALE), pose.height * SCALE)
    _hair_behind(pen, look, pose)
    _legs(pen, look, pose)
    _torso(pen, look)
    _arms(pen, look, pose)
    _head(pen, look, pose)
    return Sprite(canvas.reduce(SCALE), left, top)


def shade(colour: str, factor: float) -> tuple[int, int, int]:
    """A colour made darker (factor below 1) or lighter (above 1)."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return min(255, int(red * factor)), min(255, int(green * factor)), min(255, int(blue * factor))


class _Pen:
    """Draws in a person's own coordinates: x from the middle to the right, y from the soles up; height is 1."""

    def __init__(self, draw: ImageDraw.ImageDraw, origin: Point, height: float) -> None:
        self._draw, self._origin, self._height = draw, origin, height
        self._edge = max(2, round(0.008 * height))

    def _at(self, x: float, y: float) -> Point:
        return self._origin[0] + x * self._height, self._origin[1] - y * self._height

    def oval(self, x: float, y: float, rx: float, ry: float, colour: str, outline: bool = True) -> None:
        box = (self._at(x - rx, y + ry), self._at(x + rx, y - ry))
        self._draw.ellipse(box, colour, shade(colour, 0.6) if outline else None, self._edge if outline else 0)

    def polygon(self, points: list[Point], colour: str) -> None:
        corners = [self._at(*point) for point in points]
        self._draw.polygon(corners, colour)
        self._draw.line([*corners, corners[0]], shade(colour, 0.6), self._edge, joint="curve")

    def limb(self, points: list[Point], width: float, colour: str) -> None:
        for extra, fill in ((self._edge, shade(colour, 0.6)), (-self._edge, ImageColor.getrgb(colour))):
            thick = round(width * self._height) + extra
            corners = [self._at(*point) for point in points]
            self._draw.line(corners, fill, thick, joint="curve")
            for x, y in (corners[0], corners[-1]):
                self._draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill)

    def line(self, points: list[Point], width: float, colour: str) -> None:
        self._draw.line([self._at(*point) for point in points], colour, max(2, round(width * self._height)), "curve")

    def arc(self, x: float, y: float, rx: float, ry: float, degrees: tuple[int, int], colour: str) -> None:
        """Part of an ellipse's outline; 0 degrees is to the right, 90 downwards."""
        box = (*self._at(x - rx, y + ry), *self._at(x + rx, y - ry))
        self._draw.arc(box, *degrees, fill=colour, width=self._edge)

    def dome(self, x: float, y: float, rx: float, ry: float, degrees: tuple[int, int], colour: str) -> None:
        """A filled part of an ellipse, cut off straight."""
        box = (*self._at(x - rx, y + ry), *self._at(x + rx, y - ry))
        self._draw.chord(box, *degrees, fill=colour, outline=shade(colour, 0.6), width=self._edge)


HEAD_Y, HEAD_RX, HEAD_RY = 0.845, 0.098, 0.118


def _hair_behind(pen: _Pen, look: Look, pose: Pose) -> None:
    shift = -0.02 * pose.turn
    if look.style == "long":
        pen.oval(shift, 0.80, 0.128, 0.19, look.hair)
    elif look.style == "bob":
        pen.oval(shift, 0.83, 0.130, 0.135, look.hair)
    elif look.style == "curly":
        for step in range(9):
            angle = math.radians(-40 + 260 * step / 8)
            pen.oval(shift + 0.10 * math.cos(angle), 0.865 + 0.095 * math.sin(angle), 0.052, 0.052, look.hair)
    elif look.style == "bun":
        pen.oval(shift, 0.985, 0.05, 0.045, look.hair)
    elif look.style == "pigtails":
        for side in (-1, 1):
            pen.oval(shift + side * 0.135, 0.80, 0.035, 0.07, look.hair)


def _legs(pen: _Pen, look: Look, pose: Pose) -> None:
    for side in (-1, 1):
        foot = side * 0.055 + 0.09 * pose.stride * side
        lift = 0.02 * max(0.0, pose.stride * side)
        pen.limb([(side * 0.05, 0.40), (foot, 0.045 + lift)], 0.085, look.trousers)
        pen.oval(foot + 0.015 * side, 0.028 + lift, 0.058, 0.028, "#33302e")


def _torso(pen: _Pen, look: Look) -> None:
    pen.limb([(0.0, 0.70), (0.0, 0.75)], 0.07, look.skin)
    right = [(0.05, 0.715), (0.125, 0.685), (0.14, 0.64), (0.115, 0.50), (0.115, 0.385)]
    outline = [*right, *[(-x, y) for x, y in reversed(right)]]
    pen.polygon(outline, look.shirt)
    if "stripes" in look.extras:
        for y in (0.44, 0.50, 0.56, 0.62):
            pen.line([(-0.108, y), (0.108, y)], 0.016, "#34558b")
    pen.dome(0.0, 0.715, 0.05, 0.035, (0, 180), look.skin)


def _arms(pen: _Pen, look: Look, pose: Pose) -> None:
    for side in (-1, 1):
        raised = max(0.0, pose.point * side)
        upper = math.radians(12 + 58 * raised)
        fore = math.radians(4 + 90 * raised - (1 - raised) * 70 * pose.gesture)
        shoulder = (side * 0.128, 0.655)
        elbow = (shoulder[0] + side * 0.14 * math.sin(upper), shoulder[1] - 0.14 * math.cos(upper))
        hand = (elbow[0] + side * 0.13 * math.sin(fore), elbow[1] - 0.13 * math.cos(fore))
        pen.limb([elbow, hand], 0.05, look.skin)
        pen.limb([shoulder, elbow], 0.068, look.shirt)
        if raised > 0.5:
            pen.limb([hand, (hand[0] + side * 0.045, hand[1] + 0.006)], 0.018, look.skin)
        pen.oval(*hand, 0.032, 0.032, look.skin)


def _head(pen: _Pen, look: Look, pose: Pose) -> None:
    for side in (-1, 1):
        if pose.turn * side < 0.6:
            pen.oval(side * HEAD_RX * 0.97 - 0.02 * pose.turn, 0.84, 0.022, 0.03, look.skin)
            if "earrings" in look.extras:
                pen.oval(side * HEAD_RX * 1.02 - 0.02 * pose.turn, 0.80, 0.011, 0.011, "#e8c33c")
    pen.oval(0.0, HEAD_Y, HEAD_RX, HEAD_RY, look.skin)
    if "beard" in look.extras:
        pen.dome(0.012 * pose.turn, HEAD_Y - 0.012, HEAD_RX * 0.97, HEAD_RY * 0.93, (8, 172), look.hair)
        pen.oval(0.045 * pose.turn, HEAD_Y - 0.02, HEAD_RX * 0.62, 0.045, look.skin, outline=False)
    _face(pen, look, pose)
    _hair_before(pen, look, pose)


def _face(pen: _Pen, look: Look, pose: Pose) -> None:
    middle = 0.034 * pose.turn
    for side in (-1, 1):
        x = middle + side * 0.038 * (1 - 0.25 * abs(pose.turn))
        if pose.blink:
            pen.line([(x - 0.015, 0.855), (x + 0.015, 0.855)], 0.007, "#2a2020")
        else:
            pen.oval(x, 0.857, 0.018, 0.022, "#ffffff", outline=False)
            pen.oval(x + 0.008 * pose.turn, 0.855, 0.010, 0.014, "#2a2020", outline=False)
        pen.line([(x - 0.02, 0.893), (x + 0.02, 0.893)], 0.009, look.hair)
        if "glasses" in look.extras:
            pen.arc(x, 0.857, 0.031, 0.031, (0, 360), "#22242a")
    nose = 0.052 * pose.turn
    pen.arc(nose, 0.828, 0.012, 0.012, (20, 160), "#7a4a34")
    if pose.mouth > 0.12:
        pen.oval(middle, 0.787, 0.030, 0.007 + 0.024 * pose.mouth, "#7d1f2a")
        pen.oval(middle, 0.779, 0.017, 0.008 * pose.mouth, "#e8788a", outline=False)
    else:
        pen.arc(middle, 0.797, 0.032, 0.018, (20, 160), "#8c2f39")


def _hair_before(pen: _Pen, look: Look, pose: Pose) -> None:
    if look.style == "bald":
        return
    shift = -0.012 * pose.turn
    if look.style == "short":
        pen.dome(shift, HEAD_Y + 0.012, HEAD_RX * 1.06, HEAD_RY * 1.02, (186, 338), look.hair)
    else:
        pen.dome(shift, HEAD_Y + 0.005, HEAD_RX * 1.12, HEAD_RY * 1.08, (215, 352), look.hair)
    if "cap" in look.extras:
        pen.dome(0.0, HEAD_Y + 0.03, HEAD_RX * 1.12, HEAD_RY * 0.98, (185, 355), "#b5302f")
        brim = 0.045 * pose.turn
        pen.limb([(brim - 0.085, 0.908), (brim + 0.085, 0.908)], 0.022, "#8f2423")
