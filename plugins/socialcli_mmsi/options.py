"""Options of both converters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from socialcli.converting.units import box_unit_option
from socialcli.options.values import FiniteRange, Size

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ("STI", "PCR", "MPP")


def keypoint_options(function: F) -> F:
    """Give a command how keypoints become boxes: `size` (width, height), `box_unit`, `confidence` and `margin`."""
    options = (
        click.option(
            "--size",
            type=Size(),
            default="640x360",
            show_default=True,
            metavar="WxH",
            help="The pictures that the keypoints were found in, and of videos that are not there.",
        ),
        box_unit_option,
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
