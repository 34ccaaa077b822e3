"""`socialcli sweep`: ask a model the same questions under many settings of the alignment, and find the best."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.alignment.heads.selectors import DEFAULT_SELECTOR
from socialcli.alignment.rules import DEFAULT_RULE
from socialcli.alignment.steering.modes import DEFAULT_MODE
from socialcli.errors import UsageError
from socialcli.options import completion
from socialcli.options.config import config_option
from socialcli.options.from_settings import MODE_NAME, RULE_NAME, SELECTOR_NAME, setting_options, settings_from
from socialcli.options.results import (
    check_failed_answers,
    figure_format_option,
    former_seed_option,
    json_option,
    output_option,
    overwrite_option,
    retry_failed_option,
)
from socialcli.options.verbosity import logging_options
from socialcli.settings.run import ASK_ALL, RunSettings, run_settings
from socialcli.verbs.sweep.settings import LACKING, NO_LIMIT

if TYPE_CHECKING:
    from socialcli.jobs.grid import Grid
    from socialcli.plots.formats import FigureFormat
    from socialcli.results.predictions import Prediction
    from socialcli.verbs.sweep.work import SweepRequest


def _listed(item: click.ParamType[Any]) -> Callable[..., tuple[Any, ...]]:
    """A callback for an option that repeats: "0,0.5" and "1" together are (0.0, 0.5, 1.0), each converted by `item`."""

    def split(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[Any, ...]:
        parts = [part.strip() for value in values for part in value.split(",")]
        if not all(parts):
            raise click.BadParameter(f"{','.join(values)!r} lacks a value next to a comma.", context, parameter)
        return tuple(item.convert(part, parameter, context) for part in parts)

    return split


class _LimitOrNone(click.ParamType[int | None]):
    """A number of heads, or the word for no limit."""

    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The number; None for no limit."""
        return None if value == NO_LIMIT else click.IntRange(min=1)(value, param, ctx)


@click.command("sweep", short_help="Ask under many settings of the alignment; find the best.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@output_option("predictions.parquet", "accuracy.parquet")
@overwrite_option("the results of a sweep or run in the folder")
@click.option(
    "--alpha",
    callback=_listed(click.FLOAT),
    multiple=True,
    default=["0.5,1,2"],
    show_default=True,
    metavar="A,A,...",
    help="Strengths of the alignment's bias to try; 0 is the plain model.",
)
@click.option(
    "--lambda",
    "lambda_",
    callback=_listed(click.FLOAT),
    multiple=True,
    default=["5e-5"],
    show_default=True,
    metavar="L,L,...",
    help="Thresholds to try: a head is active when its mean attention from words to speaker regions exceeds it.",
)
@click.option(
    "--layers",
    callback=_listed(click.STRING),
    multiple=True,
    default=["auto"],
    show_default=True,
    metavar="LAYERS,...",
    help="Decoder layers to try: auto (middle third), all, a range such as 10-19, or 3+7+11, counted from 0.",
)
@click.option(
    "--bias",
    callback=_listed(RULE_NAME),
    multiple=True,
    default=[DEFAULT_RULE],
    show_default=True,
    metavar="RULE,...",
    shell_complete=completion.rules,
    help="Bias rules to try: published, floored, centred, probability, constant, or a plug-in's.",
)
@click.option(
    "--heads-by",
    callback=_listed(SELECTOR_NAME),
    multiple=True,
    default=[DEFAULT_SELECTOR],
    show_default=True,
    metavar="SELECTOR,...",
    shell_complete=completion.head_selectors,
    help="Head selectors to try: dynamic (mean attention above --lambda), top (the --max-heads largest), random "
    "(--max-heads of them), all, or a plug-in's.",
)
@click.option(
    "--max-heads",
    callback=_listed(_LimitOrNone()),
    multiple=True,
    default=[NO_LIMIT],
    show_default=True,
    metavar="K,K,...",
    help="Limits to try on the number of heads per question; none sets no limit, and is skipped for top and random.",
)
@click.option(
    "--steer",
    callback=_listed(MODE_NAME),
    multiple=True,
    default=[DEFAULT_MODE],
    show_default=True,
    metavar="MODE,...",
    shell_complete=completion.steering_modes,
    help="Steering modes to try: speaker, both-ways, gaze, gaze-decoding, or a plug-in's.",
)
@click.option(
    "--balance",
    callback=_listed(click.FLOAT),
    multiple=True,
    default=["0.5"],
    show_default=True,
    metavar="B,B,...",
    help="Weights to try of the people who could be meant, 0 to 1; for --steer both-ways.",
)
@click.option(
    "--validation-split",
    metavar="NAME",
    help="Choose the best setting on this split.  [default: validation, val, valid or dev]",
)
@click.option(
    "--test-split",
    multiple=True,
    metavar="NAME",
    help="Report the chosen setting on this split only. May be repeated.  [default: all others]",
)
@click.option(
    "--seeds",
    callback=_listed(click.INT),
    multiple=True,
    metavar="N,N,...",
    help="Sweep a checkpoint of each seed, and show the spread; {seed} in --checkpoint or --adapter is the number.",
)
@setting_options(run_settings(but={"episodes", *LACKING}, adapted=ASK_ALL))
@former_seed_option
@retry_failed_option("sweep")
@figure_format_option
@json_option
@logging_options
def command(
    output: Path,
    overwrite: bool,
    retry_failed: bool,
    figure_format: FigureFormat,
    as_json: bool,
    seeds: tuple[int, ...],
    **options: Any,
) -> None:
    """Ask a model the questions of EPISODES without the alignment, and with it under every combination of the values of
    --alpha, --lambda, --layers, --bias, --heads-by, --max-heads, --steer and --balance, given as comma-separated lists.
    Combinations that differ in a value without effect are asked once. Writes predictions.parquet, accuracy.parquet,
    sweep.json, and a figure of accuracy against each option with several values.

    Answers are saved as they are made. The same command again resumes an interrupted sweep, and does nothing if all is
    done; with more values, it asks only under the new settings.

    Standard output ends with accuracy by setting in the validation split, and the accuracy of the best setting there in
    the other splits, beside the plain model. The choice does not use these. With --seeds, each seed's sweep is in
    seed-N, and standard output ends with the mean, standard deviation and range over the seeds, as in seeds.parquet.

    Exit codes: 0 done, 2 usage, 3 more failures than --max-failures, 4 unreadable EPISODES or less coverage than
    --min-coverage, 5 another process is using the folder, 130 interrupted, 143 terminated. Answers so far are always
    kept.
    """
    from socialcli.plugins.registry import registry
    from socialcli.verbs.sweep.work import SweepRequest, sweep

    grid, validation, test = _grid(options), options.pop("validation_split"), options.pop("test_split")
    request = SweepRequest(
        _settings(options),
        output,
        overwrite,
        sys.argv,
        retry_failed,
        grid=grid,
        validation=validation,
        test=test,
        figure_format=figure_format,
    )
    if seeds:
        _sweep_seeds(request, seeds, as_json)
        return
    from socialcli.verbs.sweep.summary import summary_json, summary_lines

    result = sweep(request, registry(), show=_shown)
    if as_json:
        click.echo(json.dumps(summary_json(result.sweep, result.table, output), ensure_ascii=False))
    else:
        click.echo(summary_lines(result.sweep, result.table))
    check_failed_answers(result.sweep.manifest, output, "sweep.json")


def _sweep_seeds(request: SweepRequest, seeds: Sequence[int], as_json: bool) -> None:
    from socialcli.plugins.registry import registry
    from socialcli.verbs.sweep.seeds.summary import summary_json, summary_lines
    from socialcli.verbs.sweep.seeds.work import seed_folder, sweep_seeds

    result = sweep_seeds(request, seeds, registry(), show=_shown)
    if as_json:
        click.echo(json.dumps(summary_json(result, request.output), ensure_ascii=False))
    else:
        click.echo(summary_lines(result))
    for seed, found in result.sweeps.items():
        check_failed_answers(found.sweep.manifest, seed_folder(request.output, seed), "sweep.json")


def _shown(rows: Iterable[Prediction], total: int) -> Iterator[Prediction]:
    from socialcli.jobs.progress import shown

    return shown(rows, total, "sweep")


def _grid(options: dict[str, Any]) -> Grid:
    """Take the options with lists out of `options`."""
    from socialcli.jobs.grid import Grid
    from socialcli.plugins.registry import registry

    names = ("alpha", "lambda_", "layers", "bias", "max_heads", "balance")
    return Grid(
        **{name: options.pop(name) for name in names},
        heads_by=tuple(registry().head_selector(name).item for name in options.pop("heads_by")),
        steer=tuple(registry().steering_mode(name).item for name in options.pop("steer")),
    )


def _settings(options: dict[str, Any]) -> RunSettings:
    """The settings that all conditions share. Raises UsageError."""
    settings = settings_from(options, alignment="both")
    if settings.prompt.inputs == "L":
        raise UsageError("--inputs L leaves the video out, and there is nothing to align words to; use --inputs VL")
    return settings
