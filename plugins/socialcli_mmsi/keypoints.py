"""MMSI's keypoints as boxes: one `.npy` file per game, five steps per second, 17 x (x, y, confidence) per person.

A step is a list of people, each `{"idx": number of the player, "keypoints": 51 numbers}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from socialcli.converting.boxes import clip_box
from socialcli.converting.report import Report, SourceError
from socialcli.converting.unit_checks import check_box_unit
from socialcli.episodes.checking.box_units import Edges
from socialcli.episodes.records import Box
from socialcli.files import read_bytes

from .arrays import items_of, numbers_of, read_objects

STEPS = 5  # per second
_POINTS = 17
FEWEST = 3  # confident points of a box: two may span no more than a line
NOBODY = "people at a step who are not players"
UNSURE = f"players at a step with fewer than {FEWEST} confident points"


@dataclass(frozen=True, slots=True)
class BoxRule:
    """How to turn keypoints into boxes."""

    source: tuple[int, int]  # width and height of the pictures that the keypoints refer to
    confidence: float  # points above it are used
    margin: float  # added on each side of a box, as a share of its width and height


class Keypoints:
    """The boxes of a game's players, computed on use."""

    def __init__(self, path: Path, players: int, size: tuple[int, int], box_rule: BoxRule, report: Report) -> None:
        """Read a file. Boxes are in pixels of pictures of `size` (width, height).

        Numbers from `players` up are not players. Raises NotFoundError and SourceError.
        """
        self._path = path
        self._players = players
        self._size = size
        self._box_rule = box_rule
        self._report = report
        self._computed: dict[int, tuple[Box, ...]] = {}
        try:
            steps = read_objects(read_bytes(path))
        except ValueError as error:
            message = f"is not a file of keypoints that can be read safely ({error}); download it again"
            raise SourceError(path, None, None, message) from error
        self._steps = [tuple(self._people(people, f"[{step}]")) for step, people in enumerate(steps)]
        check_box_unit(path, self._extents_found(), box_rule.source)

    def cover(self, start: float) -> bool:
        """Whether there is a step at or after `start` seconds of the game."""
        return start * STEPS < len(self._steps)

    def between(self, start: float, end: float) -> Iterator[Box]:
        """The boxes from `start` to `end` seconds of the game, both inclusive. Raises SourceError."""
        first = max(0, int(np.ceil(start * STEPS - 1e-6)))
        for step in range(first, min(len(self._steps), int(end * STEPS + 1e-6) + 1)):
            if step not in self._computed:
                self._computed[step] = tuple(self._boxes(step))
            yield from self._computed[step]

    def _boxes(self, step: int) -> Iterator[Box]:
        """The boxes of a step; if a player appears twice, the last counts, as in the release's loader."""
        found: dict[int, npt.NDArray[np.float64]] = {}
        for number, points in self._steps[step]:
            if 0 <= number < self._players:
                found[number] = points
            else:
                self._report.count(NOBODY)
                self._report.boxes_read += number >= 0  # negative numbers mark people who cannot be told apart
        for number in sorted(found):
            box = self._box(f"Player{number}", step / STEPS, found[number])
            if box is not None:
                yield box

    def _people(self, step: object, name: str) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
        """The number and the (17, 3) points of everybody at a step; errors call the step `name`."""
        people = [] if step is None else items_of(step)
        if people is None:
            self._report.skip_or_raise(
                SourceError(self._path, None, name, "is not a list of people; download the file again")
            )
        for place, person in enumerate(people or ()):
            with self._report.skipping_bad():
                yield self._person(person, f"{name}[{place}]")

    def _person(self, person: object, where: str) -> tuple[int, npt.NDArray[np.float64]]:
        if not isinstance(person, dict) or not {"idx", "keypoints"} <= person.keys():
            raise SourceError(self._path, None, where, "has no idx and keypoints; name the release's file")
        try:
            number, points = int(person["idx"]), numbers_of(person["keypoints"])
            if number != float(person["idx"]):
                raise ValueError(f"idx is {person['idx']}")
        except (TypeError, ValueError, OverflowError) as error:
            message = f"does not hold numbers ({error}); download the file again"
            raise SourceError(self._path, None, where, message) from error
        if len(points) < 3 * _POINTS:
            message = f"does not have {_POINTS} x (x, y, confidence); download the file again"
            raise SourceError(self._path, None, where, message)
        return number, points[: 3 * _POINTS].reshape(_POINTS, 3)

    def _extents_found(self) -> Iterator[Edges]:
        """The extent of everybody's confident points, in the file's own unit."""
        for step in self._steps:
            for _, points in step:
                sure = self._sure(points)
                if len(sure) >= FEWEST:
                    (x0, y0), (x1, y1) = sure.min(axis=0).tolist(), sure.max(axis=0).tolist()
                    yield x0, y0, x1, y1

    def _sure(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """x and y of the confident points."""
        confident = (points[:, 2] > self._box_rule.confidence) & np.isfinite(points).all(axis=1)
        return points[confident, :2]

    def _box(self, speaker: str, time: float, points: npt.NDArray[np.float64]) -> Box | None:
        """The extent of the confident points; None if there are too few, or none in the picture."""
        sure = self._sure(points) * np.divide(self._size, self._box_rule.source)
        if len(sure) < FEWEST:
            self._report.count(UNSURE)
            self._report.boxes_read += 1
            return None
        low, high = sure.min(axis=0), sure.max(axis=0)
        room = (high - low) * self._box_rule.margin
        (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
        return clip_box(speaker, time, (x0, y0, x1, y1), self._size, self._report)
