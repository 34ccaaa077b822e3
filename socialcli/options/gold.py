"""`--answers`, for commands that read predictions: gold answers from another episodes file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from socialcli.stats.gold import GoldLabels

F = TypeVar("F", bound=Callable[..., Any])


def answers_option(function: F) -> F:
    """Give a command `answers` (Path | None), for `read_labels`."""
    return click.option(
        "--answers",
        type=click.Path(path_type=Path),
        metavar="EPISODES",
        help="Take gold answers from this episodes file, by question id, instead of from the predictions.",
    )(function)


def read_labels(path: Path | None) -> GoldLabels | None:
    """The labels of the file that `--answers` names. Raises NotFoundError and InvalidInputError."""
    if path is None:
        return None
    from socialcli.plugins.registry import registry
    from socialcli.stats.gold import GoldLabels

    return GoldLabels.read(path, {name: task.item for name, task in registry().tasks().items()})
