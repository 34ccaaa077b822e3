"""The keypoints of MMSI as boxes: a `.npy` file a game, five steps a second, 17 x (x, y, confidence) of every person.

A step is a list of people, each `{"idx": number of the player, "keypoints": 51 numbers}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from socialcli.converting.boxes import clipped
from socialcli.converting.report import Report, SourceError
from socialcli.converting.units import check_box_unit
from socialcli.episodes.checking.box_units import Edges
from socialcli.episodes.records import Box
from socialcli.files import read_bytes

from .arrays import items_of, numbers_of, read_objects

STEPS = 5  # a second
_POINTS = 17
FEWEST = 3  # confident points: two of them make no more than a line
NOBODY = "people at a step who are no player"
UNSURE = f"players at a step with fewer than {FEWEST} confident points"


@dataclass(frozen=True, slots=True)
class Extents:
    """How keypoints become boxes."""

    source: tuple[int, int]  # width and height of the pictures that the keypoints were found in
    confidence: float  # a point counts above it
    margin: float  # what a box has beyond its points on each side, of its width and height


class Keypoints:
    """The boxes of a game's players, made when they are asked for."""

    def __init__(self, path: Path, players: int, size: tuple[int, int], extents: Extents, report: Report) -> None:
        """Read a file. Boxes are in pixels of pictures of `size` (width, height).

        Whoever's number is not below `players` is no player. Raises NotThereError and SourceError.
        """
        self._path = path
        self._players = players
        self._size = size
        self._extents = extents
        self._report = report
        self._made: dict[int, tuple[Box, ...]] = {}
        try:
            steps = read_objects(read_bytes(path))
        except ValueError as error:
            message = f"is no file of keypoints that can be read safely ({error}); fetch it again"
            raise SourceError(path, None, None, message) from error
        self._steps = [tuple(self._people(people, f"[{step}]")) for step, people in enumerate(steps)]
        check_box_unit(path, self._extents_found(), extents.source)

    def reach(self, start: float) -> bool:
        """Whether there is a step at `start` seconds of the game, or after it."""
        return start * STEPS < len(self._steps)

    def between(self, start: float, end: float) -> Iterator[Box]:
        """The boxes from `start` to `end` seconds of the game, both included. Raises SourceError."""
        first = max(0, int(np.ceil(start * STEPS - 1e-6)))
        for step in range(first, min(len(self._steps), int(end * STEPS + 1e-6) + 1)):
            if step not in self._made:
                self._made[step] = tuple(self._boxes(step))
            yield from self._made[step]

    def _boxes(self, step: int) -> Iterator[Box]:
        """The boxes of a step; of a player who is there twice the last counts, as the release's loader has it."""
        found: dict[int, npt.NDArray[np.float64]] = {}
        for number, points in self._steps[step]:
            if 0 <= number < self._players:
                found[number] = points
            else:
                self._report.count(NOBODY)
                self._report.boxes_met += number >= 0  # a number below marks people whom nothing tells apart
        for number in sorted(found):
            box = self._box(f"Player{number}", step / STEPS, found[number])
            if box is not None:
                yield box

    def _people(self, step: object, name: str) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
        """The number and the (17, 3) points of everybody at a step, which `name` says in errors."""
        people = [] if step is None else items_of(step)
        if people is None:
            self._report.bad(SourceError(self._path, None, name, "is not a list of people; fetch the file again"))
        for place, person in enumerate(people or ()):
            with self._report.sparing():
                yield self._person(person, f"{name}[{place}]")

    def _person(self, person: object, where: str) -> tuple[int, npt.NDArray[np.float64]]:
        if not isinstance(person, dict) or not {"idx", "keypoints"} <= person.keys():
            raise SourceError(self._path, None, where, "has no idx and keypoints; give the release's file")
        try:
            number, points = int(person["idx"]), numbers_of(person["keypoints"])
            if number != float(person["idx"]):
                raise ValueError(f"idx is {person['idx']}")
        except (TypeError, ValueError, OverflowError) as error:
            message = f"does not hold numbers ({error}); fetch the file again"
            raise SourceError(self._path, None, where, message) from error
        if len(points) < 3 * _POINTS:
            message = f"has not {_POINTS} x (x, y, confidence); fetch the file again"
            raise SourceError(self._path, None, where, message)
        return number, points[: 3 * _POINTS].reshape(_POINTS, 3)

    def _extents_found(self) -> Iterator[Edges]:
        """What everybody's confident points reach, as it stands in the file."""
        for step in self._steps:
            for _, points in step:
                sure = self._sure(points)
                if len(sure) >= FEWEST:
                    (x0, y0), (x1, y1) = sure.min(axis=0).tolist(), sure.max(axis=0).tolist()
                    yield x0, y0, x1, y1

    def _sure(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """x and y of the confident points."""
        confident = (points[:, 2] > self._extents.confidence) & np.isfinite(points).all(axis=1)
        return points[confident, :2]

    def _box(self, speaker: str, time: float, points: npt.NDArray[np.float64]) -> Box | None:
        """The extent of the confident points; None where there are too few, or none in the picture."""
        sure = self._sure(points) * np.divide(self._size, self._extents.source)
        if len(sure) < FEWEST:
            self._report.count(UNSURE)
            self._report.boxes_met += 1
            return None
        low, high = sure.min(axis=0), sure.max(axis=0)
        room = (high - low) * self._extents.margin
        (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
        return clipped(speaker, time, (x0, y0, x1, y1), self._size, self._report)
