"""Draw people as cartoons: large heads, coloured shirts, and a white glove on the pointing hand.

Proportions are shares of a person's height, exaggerated so that shirt and gesture show in a frame of 112 pixels.
"""

from __future__ import annotations

from PIL import ImageDraw

from socialcli.synth.appearance import SHIRTS, Look
from socialcli.synth.film.faces import Mouth, draw_face
from socialcli.synth.pen import Pen
from socialcli.synth.poses import HEAD, REACH, SHOULDER, Point, Pose

_GLOVE, _SHOES, _EYES = "#ffffff", "#26262b", "#1a1a1d"
_HAT = "#2a2140"
_TURN = (0.075, 0.045)  # how far the face moves across the head when it turns fully sideways, or up and down


def draw_person(
    draw: ImageDraw.ImageDraw, look: Look, pose: Pose, scale: int, mouth: Mouth | None = None
) -> tuple[float, float, float, float]:
    """Draw a person, enlarged `scale` times; with `mouth`, with the detailed face of `film.faces`.

    Returns the bounding box of the person (x0, y0, x1, y1) in pixels of the pose.
    """
    pen = Pen(draw, (pose.foot[0] * scale, pose.foot[1] * scale), pose.height * scale)
    x, y = pose.direction
    toward = (x, -y)  # the pen's y axis points up
    _hair_behind(pen, look)
    _legs(pen, look)
    _torso(pen, look)
    _hanging_arm(pen, look, -pose.side)
    if mouth is None:
        _head(pen, look, toward)
    else:
        draw_face(pen, look, toward, mouth)
    if look.hat:
        _hat(pen)
    _pointing_arm(pen, look, pose.side, toward)
    x0, y0, x1, y1 = (edge / scale for edge in pen.bounds)
    return x0, y0, x1, y1


def _hair_behind(pen: Pen, look: Look) -> None:
    if look.style == "long":
        pen.oval(0.0, 0.76, 0.19, 0.22, look.hair)
    elif look.style == "curly":
        pen.oval(0.0, 0.84, 0.215, 0.20, look.hair)
    elif look.style == "bun":
        pen.oval(0.0, 1.0, 0.075, 0.065, look.hair)
    elif look.style == "tufts":
        for side in (-1, 1):
            pen.oval(side * 0.17, 0.90, 0.075, 0.075, look.hair)


def _legs(pen: Pen, look: Look) -> None:
    for side in (-1, 1):
        pen.limb((side * 0.075, 0.32), (side * 0.08, 0.06), 0.11, look.trousers)
        pen.oval(side * 0.095, 0.03, 0.075, 0.035, _SHOES, outline=False)


def _torso(pen: Pen, look: Look) -> None:
    right = [(0.09, 0.665), (0.17, 0.64), (0.185, 0.58), (0.175, 0.30)]
    pen.polygon([*right, *[(-x, y) for x, y in reversed(right)]], SHIRTS[look.shirt])


def _hanging_arm(pen: Pen, look: Look, side: int) -> None:
    hand = (side * 0.225, 0.33)
    pen.oval(*hand, 0.04, 0.04, look.skin)
    pen.limb((side * SHOULDER[0], SHOULDER[1]), (side * 0.215, 0.38), 0.085, SHIRTS[look.shirt])


def _head(pen: Pen, look: Look, toward: Point) -> None:
    y, rx, ry = HEAD
    pen.oval(0.0, y, rx, ry, look.skin)
    aside, up = _TURN[0] * toward[0], _TURN[1] * toward[1]
    for side in (-1, 1):
        pen.oval(aside + side * 0.05, y - 0.01 + up, 0.024, 0.032, _EYES, outline=False)
    pen.oval(1.3 * aside, y - 0.085 + up, 0.035, 0.014, "#8c2f39", outline=False)
    pen.dome(-0.35 * aside, y + 0.03, rx * 1.06, ry * 0.92, (192, 348), look.hair)


def _hat(pen: Pen) -> None:
    """A top hat, above all hair."""
    pen.polygon([(-0.13, 0.95), (-0.15, 1.19), (0.15, 1.19), (0.13, 0.95)], _HAT)
    pen.polygon([(-0.13, 0.97), (-0.135, 1.03), (0.135, 1.03), (0.13, 0.97)], _GLOVE)
    pen.oval(0.0, 0.95, 0.25, 0.045, _HAT)


def _pointing_arm(pen: Pen, look: Look, side: int, toward: Point) -> None:
    """A sleeve and a gloved hand with a finger, drawn over the rest of the person."""
    shoulder = (side * SHOULDER[0], SHOULDER[1])

    def along(reach: float) -> Point:
        return shoulder[0] + reach * toward[0], shoulder[1] + reach * toward[1]

    pen.limb(along(REACH), along(REACH + 0.11), 0.05, _GLOVE)
    pen.limb(shoulder, along(REACH - 0.05), 0.095, SHIRTS[look.shirt])
    pen.oval(*along(REACH), 0.072, 0.072, _GLOVE)
