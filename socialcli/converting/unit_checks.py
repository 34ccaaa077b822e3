"""Check that the numbers of a source can be in the assumed unit: pixels, seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from socialcli.converting.report import SourceError
from socialcli.episodes.checking.box_units import BEYOND, Edges, look_like_shares

F = TypeVar("F", bound=Callable[..., Any])

SHARES = (1, 1)  # the size of the picture for boxes given as shares
_MOST = 1.1  # share of the video's length: the last line may end after the last picture
_LEAST = 0.2  # share of it that a source of the same video covers at least


def box_unit_option(function: F) -> F:
    """Add the option `box_unit`: "pixels" or "shares"."""
    option = click.option(
        "--box-unit",
        type=click.Choice(("pixels", "shares")),
        default="pixels",
        show_default=True,
        help="Unit of boxes: pixels, or shares of the picture's width and height, from 0 to 1.",
    )
    return option(function)


def source_size(box_unit: str, size: tuple[int, int]) -> tuple[int, int]:
    """The size (width, height) of the picture that the boxes refer to; for boxes in pixels, `size` itself."""
    return SHARES if box_unit == "shares" else size


def check_box_unit(path: Path, boxes: Iterable[Edges], source: tuple[int, int]) -> None:
    """Raise SourceError if the boxes of `path` cannot be pixels of a picture of size `source` (width, height)."""
    boxes = list(boxes)
    if source != SHARES and look_like_shares(boxes):
        message = (
            "all boxes lie within 1 x 1 pixel, so they look like shares of the picture; "
            "read them as shares with --box-unit shares, or write pixels"
        )
        raise SourceError(path, None, None, message)
    least = min((max(box) for box in boxes), default=0.0) if source == SHARES else 0.0
    if least > 1 + BEYOND:
        message = "every box extends beyond 1, so they look like pixels; omit --box-unit shares"
        raise SourceError(path, None, None, message)
    far = [] if source == SHARES else [box for box in boxes if _is_beyond(box, source)]
    if 2 * len(far) > len(boxes):
        width, height = max(box[2] for box in far), max(box[3] for box in far)
        message = (
            f"{len(far)} of {len(boxes)} boxes extend far beyond the picture of {source[0]} x {source[1]} pixels, up "
            f"to {width:g} and {height:g}, so they seem to belong to a larger picture; scale them to this one"
        )
        raise SourceError(path, None, None, message)


def _is_beyond(box: Edges, source: tuple[int, int]) -> bool:
    """Whether a box extends further to the right or below the picture than trackers' boxes do."""
    return box[2] > (1 + BEYOND) * source[0] or box[3] > (1 + BEYOND) * source[1]


def check_seconds(path: Path, what: str, times: Sequence[float], length: float, pictures: Callable[[], int]) -> None:
    """Raise SourceError if times of `path` cannot be seconds of a video of `length` seconds.

    They cannot if all lie after the video's end, or if more than half do and another unit would fit. Times of 0 are
    ignored. `what` names the items in the plural, such as "turns"; `pictures` counts the video's pictures if needed.
    """
    times = [time for time in times if time]
    late = sum(time > length for time in times)
    if 2 * late <= len(times):
        return
    unit = _unit(times, length, pictures)
    if unit is None and late < len(times):
        return
    last = f"{late} of {len(times)} {what} begin after the video's end at {length:g} s, the last at {max(times):g}"
    remedy = "name the file for this video, or write seconds from its beginning"
    if unit is not None:
        remedy = f"the times look like {unit}, or count from elsewhere: write seconds from the video's beginning"
    raise SourceError(path, None, None, f"{last}; {remedy}")


def _unit(times: Sequence[float], length: float, pictures: Callable[[], int]) -> str | None:
    """The unit that would fit times too large for seconds; None if no unit is likely."""
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
