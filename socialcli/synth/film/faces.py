"""Draw a face that a detector trained on photographs finds, with a mouth that opens.

Places are those of `figures`: shares of a person's height, y up from the soles.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import ImageColor

from socialcli.synth.appearance import Look
from socialcli.synth.pen import Pen
from socialcli.synth.poses import HEAD, Point

_TURN = (0.045, 0.02)  # how far the features move across the head when it turns fully sideways, or up and down
_NARROW = 0.3  # share of its width that the half of a face on the far side loses
_EYE = (0.052, 0.004)  # from the middle of the face: aside, up
_MOUTH = -0.088  # of its middle: up from the centre of the head
_MOUTH_WIDTH = 0.044  # half of it, at rest
_OPEN = 0.029  # half the height of a mouth that is fully open
_SMILE = 0.022  # how much half of a full smile adds to the width

_SHADES = 14  # ovals that shade the skin

_WHITE, _IRIS, _PUPIL, _GLINT = "#f4f2ee", "#4a3524", "#0d0b0b", "#ffffff"
_THROAT, _TEETH, _LIPS = "#3a1014", "#f1ece3", (176, 66, 70)


@dataclass(frozen=True, slots=True)
class Mouth:
    """A mouth: `opening` from 0, shut, to 1; `smile` from 0 to 1."""

    opening: float = 0.0
    smile: float = 0.0


def draw_face(pen: Pen, look: Look, toward: Point, mouth: Mouth) -> None:
    """Draw the head in front of the hair behind it, turned towards a direction (a unit vector, y up)."""
    y, rx, ry = HEAD
    aside, up = _TURN[0] * toward[0], _TURN[1] * toward[1]
    for side in (-1, 1):  # ears
        pen.oval(side * rx - 0.3 * aside, y - 0.015, 0.022, 0.035, _shade(look.skin, 0.8), outline=False)
    _skin(pen, look, aside)
    face = _Face(pen, look, toward[0], (aside, y + up))
    face.eyes()
    face.nose()
    face.mouth(mouth)
    pen.dome(-0.35 * aside, y + 0.03, rx * 1.06, ry * 0.92, (196, 344), look.hair)


def _skin(pen: Pen, look: Look, aside: float) -> None:
    """The head, lit from the front: nested ovals, brighter towards the middle of the face."""
    y, rx, ry = HEAD
    pen.oval(0.0, y, rx, ry, _shade(look.skin, 0.7))
    for step in range(1, _SHADES + 1):
        share = 1 - 0.56 * step / _SHADES
        pen.oval(
            aside * step / _SHADES,
            y - 0.032 * step / _SHADES,
            rx * share,
            ry * share,
            _shade(look.skin, 0.74 + 0.32 * step / _SHADES),
            False,
        )


class _Face:
    """Features around the middle of a face; those on the far side are narrower."""

    def __init__(self, pen: Pen, look: Look, turn: float, middle: Point) -> None:
        self._pen, self._look, self._turn, self._middle = pen, look, turn, middle

    def eyes(self) -> None:
        """Sockets, whites, irises that look the way the head turns, lids and brows."""
        for side in (-1, 1):
            wide = self._wide(side)
            x, y = side * _EYE[0] * wide, _EYE[1]
            self._oval(x, y + 0.004, 0.036 * wide, 0.026, _shade(self._look.skin, 0.8))
            self._oval(x, y, 0.026 * wide, 0.0165, _shade(self._look.skin, 0.42))
            self._oval(x, y - 0.002, 0.023 * wide, 0.0125, _WHITE)
            gaze = x + 0.006 * self._turn
            self._oval(gaze, y - 0.001, 0.0115 * wide, 0.0125, _IRIS)
            self._oval(gaze, y - 0.001, 0.006 * wide, 0.0065, _PUPIL)
            self._oval(gaze + 0.004, y + 0.004, 0.0025, 0.0025, _GLINT)
            self._brow(side, x, y + 0.036, wide)

    def nose(self) -> None:
        """A bridge with a shadow on the far side, and nostrils."""
        skin, shift = self._look.skin, 0.012 * self._turn
        self._oval(shift, -0.038, 0.021, 0.016, _shade(skin, 0.78))
        self._oval(shift * 0.8, -0.012, 0.010, 0.032, _shade(skin, 1.12))
        self._oval(shift, -0.033, 0.017, 0.013, _shade(skin, 1.08))
        for side in (-1, 1):
            self._oval(shift + side * 0.0095, -0.043, 0.0055, 0.0035, _shade(skin, 0.4))

    def mouth(self, mouth: Mouth) -> None:
        """Lips; between them, the wider they open the more, a dark throat and the upper teeth."""
        wide = (_MOUTH_WIDTH + _SMILE * mouth.smile) * (1 - 0.25 * mouth.opening) * self._wide(0)
        gap = _OPEN * mouth.opening
        middle, lips = _MOUTH - 0.25 * gap, _mixed(self._look.skin, _LIPS)
        self._oval(
            0.0, middle - gap - 0.022 * (1 - mouth.opening), wide * 0.7, 0.010, _shade(self._look.skin, 0.84)
        )  # below the lip
        self._oval(0.0, middle, wide, 0.0125 + gap, lips)
        self._oval(0.0, middle, wide * 0.86, 0.0022 + gap, _THROAT)
        if mouth.opening > 0.3:
            self._oval(0.0, middle + 0.66 * gap, wide * 0.6, 0.22 * gap, _TEETH)
        if mouth.smile > 0:
            for side in (-1, 1):
                self._oval(side * wide, middle + 0.006 * mouth.smile, 0.007, 0.007, _shade(self._look.skin, 0.6))

    def _brow(self, side: int, x: float, y: float, wide: float) -> None:
        inner, outer = x - side * 0.026 * wide, x + side * 0.030 * wide
        points = [(inner, y - 0.006), (x, y + 0.007), (outer, y - 0.004), (x, y - 0.003)]
        self._pen.polygon([self._at(*point) for point in points], _shade(self._look.hair, 0.6), outline=False)

    def _wide(self, side: int) -> float:
        """The relative width on one side of the face (-1 left, 1 right), or of its middle (0)."""
        far = max(0.0, side * self._turn) if side else abs(self._turn) / 2
        return 1 - _NARROW * far

    def _oval(self, x: float, y: float, rx: float, ry: float, colour: str) -> None:
        self._pen.oval(*self._at(x, y), rx, ry, colour, outline=False)

    def _at(self, x: float, y: float) -> Point:
        return self._middle[0] + x, self._middle[1] + y


def _shade(colour: str, factor: float) -> str:
    """A colour, darker below 1 and brighter above."""
    red, green, blue = (min(255, round(part * factor)) for part in ImageColor.getrgb(colour)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def _mixed(skin: str, lips: tuple[int, int, int]) -> str:
    """The colour of lips of somebody with this skin."""
    red, green, blue = (
        round(0.35 * one + 0.65 * other) for one, other in zip(ImageColor.getrgb(skin)[:3], lips, strict=True)
    )
    return f"#{red:02x}{green:02x}{blue:02x}"
