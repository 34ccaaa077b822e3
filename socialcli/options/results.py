"""Options of commands that write a folder of results."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from socialcli.errors import TooManyFailuresError
from socialcli.plots.formats import FIGURE_FORMATS

if TYPE_CHECKING:
    from socialcli.results.manifest import Manifest

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


class ResultPath(click.Path):
    """A folder for results; refuses a path that is named like one of its tables."""

    def __init__(self, *tables: str) -> None:
        """`tables`: names of tables in the folder, for the message."""
        super().__init__(path_type=Path, file_okay=False)
        self._tables = tables

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises BadParameter if it ends like a table's name, unless a folder of this name exists."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if str(path).lower().endswith(_TABLE_ENDINGS) and not str(value).endswith(_SEPARATORS) and not path.is_dir():
            self.fail(
                f"{str(path)!r} names a folder, but ends like a table; the tables go into the folder "
                f"({', '.join(self._tables)}): leave the ending out, as in --output {_without_ending(path)}",
                param,
                ctx,
            )
        return path


_TABLE_ENDINGS = tuple(
    f"{kind}{packed}"
    for kind in (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".xlsx")
    for packed in ("", ".gz")
)
_SEPARATORS = ("/", os.sep)


def _without_ending(path: Path) -> Path:
    ending = max((one for one in _TABLE_ENDINGS if path.name.lower().endswith(one)), key=len)
    return path.with_name(path.name[: -len(ending)] or "results")


def output_option(*tables: str) -> Callable[[F], F]:
    """Give a command `output` (Path, required), the folder of its results. `tables`: names of some of its files."""
    return click.option(
        "-o",
        "--output",
        type=ResultPath(*tables),
        required=True,
        help="Output folder; created if missing.",
    )


def overwrite_option(replaced: str) -> Callable[[F], F]:
    """Give a command `overwrite` (bool): whether to replace what `replaced` names."""
    return click.option("--overwrite", is_flag=True, help=f"Replace {replaced}.")


def figure_format_option(function: F) -> F:
    """Give a command `figure_format`, the format of its figures."""
    return click.option(
        "--figure-format",
        type=click.Choice(FIGURE_FORMATS),
        default="png",
        show_default=True,
        help="Format of the figures: pixels (png), or lines and text that scale (svg, pdf).",
    )(function)


def _warn_of_seed(context: click.Context, parameter: click.Parameter, value: int | None) -> None:
    if value is not None:
        _log.warning("--seed no longer has an effect: intervals are computed without drawing; leave it out")


def former_seed_option(function: F) -> F:
    """Accept the `--seed` of earlier versions, which seeded intervals, so that nightly commands keep working."""
    return click.option("--seed", type=click.INT, hidden=True, expose_value=False, callback=_warn_of_seed)(function)


def retry_failed_option(kind: str) -> Callable[[F], F]:
    """Give a command `retry_failed` (bool): whether to ask again what failed in the `kind` of work in the folder."""
    return click.option("--retry-failed", is_flag=True, help=f"Ask again what failed in the {kind} in the folder.")


def json_option(function: F) -> F:
    """Give a command `as_json` (bool): whether to print one JSON object instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")(function)


def check_failures(manifest: Manifest, output: Path, found: str) -> None:
    """Raise TooManyFailuresError, with what was `found`, if more failed than the settings allow."""
    if manifest.exit_code:
        raise TooManyFailuresError(
            f"{found}, more than --max-failures {manifest.settings.checks.max_failures or 0} allows; "
            f"the results are in {output}"
        )


def check_failed_answers(manifest: Manifest, output: Path, file: str) -> None:
    """Raise TooManyFailuresError if more answers failed than the settings allow; `file` is the manifest's name."""
    counts, found = manifest.counts, []
    if counts.failed:
        found.append(f"{counts.failed} of {counts.rows} answers failed (see the column 'error' of predictions.parquet)")
    if counts.unreadable:
        found.append(f"{unreadable_rows(counts.unreadable)} (see 'problems' of {file})")
    check_failures(manifest, output, " and ".join(found))


def unreadable_rows(count: int) -> str:
    """A clause on rows of the episodes files."""
    return f"{count} {'row' if count == 1 else 'rows'} of the episodes file could not be read"
