"""Types of option values that click does not have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from socialcli.plugins.registry import Registry


class FiniteRange(click.FloatRange):
    """A range of numbers without "nan" and, whatever its bounds, without "inf"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert a text to a number in the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class RegisteredName(click.ParamType[str]):
    """The name of a thing that plug-ins provide. They are loaded when a value is converted, so that help is fast."""

    name = "name"

    def __init__(self, kind: Callable[[Registry], Mapping[str, Any]]) -> None:
        """`kind` returns the things of a registry, by name."""
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if it is provided."""
        from socialcli.plugins.registry import registry

        return click.Choice(tuple(self._kind(registry()))).convert(value, param, ctx)


class Size(click.ParamType[tuple[int, int]]):
    """Width and height in pixels."""

    name = "size"

    def __init__(self, least: int = 1, most: int = 99_999, even: bool = False) -> None:
        """Accept widths and heights from `least` to `most`, only even ones with `even`."""
        self._range = range(least, most + 1)
        self._even = even

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Convert "640x360" to (640, 360)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(value).strip())
        size = (int(found[1]), int(found[2])) if found else (-1, -1)
        if not all(side in self._range and not (self._even and side % 2) for side in size):
            numbers = "even numbers of pixels" if self._even else "pixels"
            of = f"from {self._range[0]} to {self._range[-1]}"
            self.fail(f"{value!r} is not WIDTHxHEIGHT in {numbers} {of}.", param, ctx)
        return size
