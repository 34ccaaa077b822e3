"""The options that converters share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.questions import TASKS
from socialcli.converting.report import Report
from socialcli.episodes.formats.kinds import SUFFIXES
from socialcli.errors import NotFoundError, UsageError
from socialcli.options.config import config_option
from socialcli.options.verbosity import logging_options


class TaskNames(click.ParamType[tuple[str, ...]]):
    """Names of tasks that questions can be made of, separated by commas; `all` stands for all."""

    name = "tasks"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Convert "target,coref" to ("target", "coref")."""
        names = tuple(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))
        names = TASKS if names == ("all",) else names
        unknown = [name for name in names if name not in TASKS]
        if unknown or not names:
            self.fail(f"{value!r} is not a list of {', '.join(TASKS)}, nor all.", param, ctx)
        return names


def context_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options `context` and `online`: the utterances that an episode shows around a question's."""
    online = click.option(
        "--online", is_flag=True, help="Show nothing after the utterance, neither words nor pictures."
    )
    context = click.option(
        "--context",
        type=click.IntRange(0, 1000),
        default=5,
        show_default=True,
        metavar="N",
        help="Utterances before and after the one that a question is about.",
    )
    return context(online(function))


def conversion_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all converters share; the command receives them as `conversion`, a Conversion."""

    @wraps(function)
    def command(
        output: Path, media_root: Path | None, overwrite: bool, skip_bad: bool, as_json: bool, **own: Any
    ) -> Any:
        _check_output(output, overwrite)
        root = media_root or output.parent
        return function(conversion=Conversion(output, root, overwrite, as_json, Report(skip_bad)), **own)

    options = (
        config_option,
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            required=True,
            metavar="FILE",
            help="Episodes file to write: .parquet, .jsonl or .jsonl.gz.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace an existing episodes file."),
        click.option(
            "--media-root",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder that video paths are relative to, as in `socialcli run`.  [default: the folder of FILE]",
        ),
        click.option(
            "--skip-bad", is_flag=True, help="Skip and count whatever cannot be read; by default, stop there."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object."),
        logging_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _check_output(output: Path, overwrite: bool) -> None:
    """Raise UsageError or NotFoundError if the episodes could not be written, before reading anything."""
    if not output.name.lower().endswith(SUFFIXES):
        raise UsageError(f"{output}: name a file that ends in one of {', '.join(SUFFIXES)}")
    if not output.parent.is_dir():
        raise NotFoundError(f"{output.parent}: there is no such folder to write into")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} already exists; name another file, or replace it with --overwrite")
