"""`socialcli stress`: ask a model the same questions with errors in the annotation, and see when it stops helping."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.errors import UsageError
from socialcli.options.config import config_option
from socialcli.options.from_settings import setting_options, settings_from
from socialcli.options.results import (
    check_failed_answers,
    figure_format_option,
    json_option,
    output_option,
    overwrite_option,
    retry_failed_option,
)
from socialcli.options.verbosity import logging_options
from socialcli.settings.run import ASK_ALL, RunSettings, run_settings
from socialcli.verbs.stress.settings import LACKING

if TYPE_CHECKING:
    from socialcli.plots.formats import FigureFormat


@click.command("stress", short_help="Ask with errors in the annotation; find when alignment stops helping.")
@click.argument("episodes", metavar="EPISODES...", type=click.Path(path_type=Path), nargs=-1, required=True)
@config_option
@output_option("predictions.parquet", "accuracy.parquet", "stress.parquet")
@overwrite_option("the results in the folder")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="NAME[=L,L,...]",
    help="Kind of annotation error to test, at these levels: box-jitter, box-drift, dropped-boxes, swapped-tracks, "
    "one-box, side-by-side, time-shift, wrong-speakers, off-screen, missing-labels or no-boxes. May be repeated.  "
    "[default: all, at three levels each; level 0 always]",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed that the errors are drawn with."
)
@setting_options(run_settings(but={"episodes", "more_episodes", *LACKING}, adapted=ASK_ALL))
@retry_failed_option("stress test")
@figure_format_option
@json_option
@logging_options
def command(
    output: Path,
    overwrite: bool,
    retry_failed: bool,
    figure_format: FigureFormat,
    as_json: bool,
    kinds: Sequence[str],
    seed: int,
    **options: Any,
) -> None:
    """Ask a model the questions of EPISODES without the alignment, with it, and with it under errors in the annotation:
    kinds of errors in boxes, times and speakers, each at several levels. Writes predictions.parquet, accuracy.parquet,
    stress.parquet, stress.json, and a figure of accuracy against level for each kind.

    Errors change only what is aligned to what, never the prompt or the frames. They are drawn by --seed, and a
    higher level adds to the errors of a lower one.

    Answers are saved as they are made. The same command again resumes an interrupted stress test, and does nothing if
    all is done; with more kinds or levels, it asks only those.

    Standard output ends with accuracy by kind and level, and a sentence for each kind on the levels at which the
    alignment helps.

    Exit codes: 0 done, 2 usage, 3 more failures than --max-failures, 4 unreadable EPISODES or less coverage than
    --min-coverage, 5 another process is using the folder, 130 interrupted, 143 terminated. Answers so far are always
    kept.
    """
    from socialcli.jobs.progress import shown
    from socialcli.plugins.registry import registry
    from socialcli.verbs.stress.levels import tested_errors
    from socialcli.verbs.stress.summary import summary_json, summary_lines
    from socialcli.verbs.stress.work import StressRequest, stress

    request = StressRequest(
        _settings(options),
        output,
        overwrite,
        sys.argv,
        retry_failed,
        errors=tested_errors(kinds, seed),
        figure_format=figure_format,
    )
    result = stress(request, registry(), show=lambda rows, total: shown(rows, total, "stress"))
    if as_json:
        click.echo(json.dumps(summary_json(result.stress, result.rows, output), ensure_ascii=False))
    else:
        click.echo(summary_lines(result.stress, result.rows))
    check_failed_answers(result.stress.manifest, output, "stress.json")


def _settings(options: dict[str, Any]) -> RunSettings:
    """The settings that all conditions share. Raises UsageError."""
    first, *more = map(str, options["episodes"])
    settings = settings_from({**options, "episodes": first, "more_episodes": tuple(more)}, alignment="both")
    if settings.prompt.inputs == "L":
        raise UsageError("--inputs L leaves the video out, and there is nothing to align words to; use --inputs VL")
    return settings
