"""Options of both MMSI converters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from socialcli.converting.unit_checks import box_unit_option
from socialcli.options.values import FiniteRange, Size

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ("STI", "PCR", "MPP")


def keypoint_options(function: F) -> F:
    """Add the options that turn keypoints into boxes: `size` (width, height), `box_unit`, `confidence`, `margin`."""
    options = (
        click.option(
            "--size",
            type=Size(),
            default="640x360",
            show_default=True,
            metavar="WxH",
            help="Size of the pictures that the keypoints refer to, and of missing videos.",
        ),
        box_unit_option,
        click.option(
            "--confidence",
            type=FiniteRange(0, 1, max_open=True),
            default=0.3,
            show_default=True,
            help="Use keypoints with a confidence above this.",
        ),
        click.option(
            "--margin",
            type=FiniteRange(0, 1),
            default=0.1,
            show_default=True,
            help="Margin on each side of the keypoints, as a share of the box's width and height.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
