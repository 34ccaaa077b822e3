"""`-v`, `-q` and `--log-format`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from socialcli import logs

F = TypeVar("F", bound=Callable[..., Any])


def logging_options(function: F) -> F:
    """Give a command `-v`, `-q` and `--log-format`; the function itself gets no argument of them."""
    shared: dict[str, Any] = {"is_eager": True, "expose_value": False, "callback": _use_logging}
    options = (
        click.option("-v", "--verbose", count=True, help="Log details too.", **shared),
        click.option("-q", "--quiet", count=True, help="Log only warnings; twice: only errors.", **shared),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="Log as plain text, or as one JSON object per line.",
            **shared,
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _use_logging(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if context.resilient_parsing:  # only completing a command line
        return
    chosen = context.meta.setdefault("socialcli.logging", {"verbose": 0, "quiet": 0, "log_format": "text"})
    chosen[parameter.name] = value
    logs.configure(chosen["verbose"] - chosen["quiet"], chosen["log_format"])
