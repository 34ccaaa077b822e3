"""`socialcli measure`: how much a model's words attend to their speakers, before and after the alignment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.errors import UsageError
from socialcli.options.config import config_option
from socialcli.options.from_settings import setting_options, settings_from
from socialcli.options.results import (
    check_failures,
    figure_format_option,
    json_option,
    output_option,
    overwrite_option,
    retry_failed_option,
    unreadable_rows,
)
from socialcli.options.verbosity import logging_options
from socialcli.settings.run import ASK_ALL, RunSettings, run_settings
from socialcli.verbs.measure.settings import LACKING

if TYPE_CHECKING:
    from socialcli.plots.formats import FigureFormat
    from socialcli.verbs.measure.files import Measurement


@click.command("measure", short_help="Measure what the alignment does to a model's attention.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@output_option("attention.parquet", "heads.parquet")
@overwrite_option("the results of a measurement in the folder")
@setting_options(run_settings(but={"episodes", *LACKING}, adapted=ASK_ALL))
@retry_failed_option("measurement")
@figure_format_option
@json_option
@logging_options
def command(
    output: Path, overwrite: bool, retry_failed: bool, figure_format: FigureFormat, as_json: bool, **options: Any
) -> None:
    """Measure how much the words of each speaker attend to the tokens that show the speaker, in every layer and head,
    before and after the alignment's bias. Writes attention.parquet, heads.parquet, measure.json, heatmap.png and
    shift.png.

    Measurements are saved episode by episode. The same command again resumes an interrupted measurement, and does
    nothing if all is done.

    Standard output ends with a table of AttnMax and AttnMean. With --alpha 0 no bias is added, and the figures are
    those of the model's own attention.

    Exit codes: 0 done, 2 usage, 3 more failures than --max-failures, 4 unreadable EPISODES or less coverage than
    --min-coverage, 5 another process is using the folder, 130 interrupted, 143 terminated. Measurements so far are
    always kept.
    """
    from socialcli.jobs.progress import counted
    from socialcli.plugins.registry import registry
    from socialcli.verbs.measure.summary import summary_lines
    from socialcli.verbs.measure.work import MeasureRequest, measure

    request = MeasureRequest(_settings(options), output, overwrite, sys.argv, retry_failed, figure_format=figure_format)
    result = measure(request, registry(), show=lambda episodes: counted(episodes, "measure", "episodes"))
    if as_json:
        click.echo(json.dumps(_summary(result, output), ensure_ascii=False))
    else:
        counts = result.counts
        click.echo(summary_lines(result.summary, counts.episodes_measured, counts.questions_measured))
    _check_failures(result, output)


def _settings(options: dict[str, Any]) -> RunSettings:
    """The settings that the options give: those of an aligned run. Raises UsageError."""
    settings = settings_from(options)
    if settings.prompt.inputs == "L":
        raise UsageError("--inputs L leaves the video out, and there is no attention to it to measure; use --inputs VL")
    return settings


def _summary(result: Measurement, output: Path) -> dict[str, Any]:
    record = result.as_record()
    shown = ("outcome", "exit_code", "seconds", "counts", "warnings", "decoder", "summary", "top_heads")
    return {"output": str(output), **{name: record[name] for name in shown}}


def _check_failures(result: Measurement, output: Path) -> None:
    """Raise TooManyFailuresError if more failed than the settings allow."""
    counts, found = result.counts, []
    if counts.questions_failed:
        found.append(f"{counts.questions_failed} of {counts.questions} questions could not be measured")
    if counts.unreadable:
        found.append(unreadable_rows(counts.unreadable))
    check_failures(result.manifest, output, f"{' and '.join(found)} (see 'problems' of measure.json)")
