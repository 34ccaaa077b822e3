"""Whether the numbers of a source can be in the unit that they are taken for: pixels, seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from socialcli.converting.report import SourceError
from socialcli.episodes.checking.box_units import BEYOND, Edges, look_like_shares

F = TypeVar("F", bound=Callable[..., Any])

SHARES = (1, 1)  # a picture of this size has shares of itself for pixels
_MOST = 1.1  # of the video's length: the last line may end behind the last picture
_LEAST = 0.2  # of it: a source that belongs to a video covers some of it


def box_unit_option(function: F) -> F:
    """Give a converter's command `box_unit`: "pixels" or "shares"."""
    option = click.option(
        "--box-unit",
        type=click.Choice(("pixels", "shares")),
        default="pixels",
        show_default=True,
        help="What boxes are measured in: pixels, or shares of the picture's width and height, from 0 to 1.",
    )
    return option(function)


def source_size(box_unit: str, size: tuple[int, int]) -> tuple[int, int]:
    """The size (width, height) of the picture that boxes were drawn on, which is `size` for boxes in pixels."""
    return SHARES if box_unit == "shares" else size


def check_box_unit(path: Path, boxes: Iterable[Edges], source: tuple[int, int]) -> None:
    """Raise SourceError where all boxes of `path` are in another unit than pixels of a picture of `source` pixels."""
    boxes = list(boxes)
    if source != SHARES and look_like_shares(boxes):
        message = (
            "all its boxes lie within 1 x 1 pixel, so that they look like shares of the picture; "
            "take them so with --box-unit shares, or write pixels"
        )
        raise SourceError(path, None, None, message)
    least = min((max(box) for box in boxes), default=0.0) if source == SHARES else 0.0
    if least > 1 + BEYOND:
        message = "every box reaches beyond 1, so that they look like pixels; leave out --box-unit shares"
        raise SourceError(path, None, None, message)
    far = [] if source == SHARES else [box for box in boxes if _is_beyond(box, source)]
    if 2 * len(far) > len(boxes):
        width, height = max(box[2] for box in far), max(box[3] for box in far)
        message = (
            f"{len(far)} of {len(boxes)} boxes reach far beyond the picture of {source[0]} x {source[1]} pixels, up to "
            f"{width:g} and {height:g}, so that they look like those of a larger one; scale them to this one"
        )
        raise SourceError(path, None, None, message)


def _is_beyond(box: Edges, source: tuple[int, int]) -> bool:
    """Whether a box ends further to the right or below than trackers let boxes reach beyond the picture."""
    return box[2] > (1 + BEYOND) * source[0] or box[3] > (1 + BEYOND) * source[1]


def check_seconds(path: Path, what: str, times: Sequence[float], length: float, pictures: Callable[[], int]) -> None:
    """Raise SourceError where times of `path` cannot be seconds of a video of `length` seconds.

    They cannot where all lie after the video's end, nor where more than half do and would fit in another unit. Times
    that are 0 say nothing. `what` has them, in the plural: "turns". `pictures` counts those of the video, when asked.
    """
    times = [time for time in times if time]
    late = sum(time > length for time in times)
    if 2 * late <= len(times):
        return
    unit = _unit(times, length, pictures)
    if unit is None and late < len(times):
        return
    last = f"{late} of {len(times)} {what} begin after the video's end at {length:g} s, the last at {max(times):g}"
    remedy = "give the file of this video, or write seconds from its beginning"
    if unit is not None:
        remedy = f"the times look like {unit}, or count from elsewhere: write seconds from the video's beginning"
    raise SourceError(path, None, None, f"{last}; {remedy}")


def _unit(times: Sequence[float], length: float, pictures: Callable[[], int]) -> str | None:
    """The unit in which times that are too large for seconds would fit a video; None where none is likely."""
    whole = all(time == int(time) for time in times)
    if not whole and min(times) <= length:
        return None
    last = max(times)
    units: dict[str, Callable[[], float]] = {
        "milliseconds": lambda: 1000 * length,
        "microseconds": lambda: 1e6 * length,
    }
    if whole:
        units = {"numbers of frames": pictures, **units, "hundredths of a second": lambda: 100 * length}
    return next((name for name, end in units.items() if _LEAST <= last / (end() or 1) <= _MOST), None)
