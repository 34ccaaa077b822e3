"""Options of both converters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from socialcli.options import FiniteRange

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ("STI", "PCR", "MPP")


class _Size(click.ParamType[tuple[int, int]]):
    """Width and height in pixels."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Convert "640x360" to (640, 360)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not WIDTHxHEIGHT in pixels.", param, ctx)
        return int(found[1]), int(found[2])


def keypoint_options(function: F) -> F:
    """Give a command how keypoints become boxes: `size` (width, height), `confidence` and `margin`."""
    options = (
        click.option(
            "--size",
            type=_Size(),
            default="640x360",
            show_default=True,
            metavar="WxH",
            help="The pictures that the keypoints were found in, and of videos that are not there.",
        ),
        click.option(
            "--confidence",
            type=FiniteRange(0, 1, max_open=True),
            default=0.3,
            show_default=True,
            help="A keypoint counts above it.",
        ),
        click.option(
            "--margin",
            type=FiniteRange(0, 1),
            default=0.1,
            show_default=True,
            help="What a box has beyond the keypoints on each side, of its width and height.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
