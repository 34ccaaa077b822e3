"""The keypoints of MMSI as boxes: a `.npy` file a game, five steps a second, 17 x (x, y, confidence) of every person.

A step is a list of people, each `{"idx": number of the player, "keypoints": 51 numbers}`. Such a file is a pickle,
which could run code; it is read by an unpickler that makes arrays and nothing else.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from socialcli.converting.boxes import clipped
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_bytes
from socialcli.episodes.records import Box

STEPS = 5  # a second
_POINTS = 17
FEWEST = 3  # confident points: two of them make no more than a line
_HARMLESS = {
    (module, name)
    for package in ("numpy.core", "numpy._core")
    for module, name in ((f"{package}.multiarray", "_reconstruct"), (f"{package}.multiarray", "scalar"))
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.dtypes", "Float64DType"), ("_codecs", "encode")}


@dataclass(frozen=True, slots=True)
class Extents:
    """How keypoints become boxes in pictures of `size` (width, height)."""

    size: tuple[int, int]
    source: tuple[int, int]  # width and height of the pictures that the keypoints were found in
    confidence: float  # a point counts above it
    margin: float  # what a box has beyond its points on each side, of its width and height

    def box(self, speaker: str, time: float, points: npt.NDArray[np.float64], report: Report) -> Box | None:
        """The extent of the confident ones of (17, 3) points; None where there are too few, or none in the picture."""
        sure = points[(points[:, 2] > self.confidence) & np.isfinite(points).all(axis=1), :2]
        if len(sure) < FEWEST:
            report.count(f"players at a step with fewer than {FEWEST} confident points")
            return None
        sure = sure * np.divide(self.size, self.source)
        low, high = sure.min(axis=0), sure.max(axis=0)
        room = (high - low) * self.margin
        (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
        return clipped(speaker, time, (x0, y0, x1, y1), self.size, report)


def read_boxes(path: Path, players: int, extents: Extents, report: Report) -> list[tuple[Box, ...]]:
    """The boxes of the players at each step of a game.

    Whoever's number is not below `players` is no player; of a player who is there twice at a step the last counts, both
    as the release's loader has it. Raises NotThereError and SourceError.
    """
    return [tuple(_boxes(people, step, path, players, extents, report)) for step, people in enumerate(_steps(path))]


def _boxes(people: object, step: int, path: Path, players: int, extents: Extents, report: Report) -> Iterator[Box]:
    found: dict[int, npt.NDArray[np.float64]] = {}
    for number, points in _players(people, path, step):
        if number < players:
            found[number] = points
        else:
            report.count("people at a step who are no player")
    for number in sorted(found):
        box = extents.box(f"Player{number}", step / STEPS, found[number], report)
        if box is not None:
            yield box


def _players(people: object, path: Path, step: int) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """The number and the (17, 3) points of everybody at a step."""
    if people is None:
        return
    if not isinstance(people, list | tuple | np.ndarray):
        raise SourceError(path, None, f"[{step}]", f"is of type {type(people).__name__}, not a list of people")
    for place, person in enumerate(people):
        where = f"[{step}][{place}]"
        if not isinstance(person, dict) or not {"idx", "keypoints"} <= person.keys():
            raise SourceError(path, None, where, "has no idx and keypoints; give the keypoints as they were released")
        try:
            number, points = int(person["idx"]), np.asarray(person["keypoints"], dtype=np.float64).reshape(-1)
        except (TypeError, ValueError) as error:
            raise SourceError(path, None, where, f"does not hold numbers ({error}); fetch the file again") from error
        if number < 0 or len(points) < 3 * _POINTS:
            raise SourceError(path, None, where, f"is not {_POINTS} x (x, y, confidence) of a player; fetch it again")
        yield number, points[: 3 * _POINTS].reshape(_POINTS, 3)


def _steps(path: Path) -> Sequence[Any]:
    """The steps in a file of keypoints, an array of lists."""
    try:
        array = _load(io.BytesIO(read_bytes(path)))
    except (pickle.UnpicklingError, ValueError, EOFError, AttributeError, ImportError, IndexError, TypeError) as error:
        message = f"is no file of keypoints that can be read safely ({error}); fetch it again"
        raise SourceError(path, None, None, message) from error
    if not isinstance(array, np.ndarray) or array.ndim != 1:
        raise SourceError(path, None, None, "is not a row of steps; give the keypoints as they were released")
    return list(array)


def _load(file: BinaryIO) -> Any:
    major, _ = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    _, _, dtype = header(file)
    if dtype != np.dtype(object):
        raise ValueError("it holds numbers without the players' own")
    return _ArraysOnly(file, encoding="latin1").load()


class _ArraysOnly(pickle.Unpickler):
    """An unpickler of arrays, numbers, text, lists and dicts."""

    def find_class(self, module: str, name: str) -> Any:
        """The function or class of that name, where it can do no more than make an array."""
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)
