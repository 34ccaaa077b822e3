"""`socialcli run`: ask a model the questions of an episodes file, and write predictions and accuracy."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from socialcli.options.common import FiniteRange, config_option, logging_options
from socialcli.options.model import alignment_options, compute_options, model_options, prompt_options
from socialcli.options.results import (
    answer_option,
    check_failed_answers,
    former_seed_option,
    json_option,
    limit_option,
    min_coverage_option,
    named_tasks,
    output_option,
    overwrite_option,
    path_texts,
    split_option,
    task_option,
)

if TYPE_CHECKING:
    from socialcli.jobs.request import RunRequest, RunResult
    from socialcli.results.manifest import Manifest
    from socialcli.settings.run import RunSettings
    from socialcli.stats.accuracy import AccuracyRow

_log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


def run_options(function: F) -> F:
    """Give a command what a run can be told of how to ask; `run_settings` makes settings of it."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS: Sequence[Callable[[Any], Any]] = (
    model_options,
    task_option("to ask the questions of"),
    click.option(
        "--alignment",
        type=click.Choice(["on", "off", "both"]),
        help="Multi-speaker attention alignment; both: ask every question without it and with it.  "
        "[default: on; off with --inputs L]",
    ),
    alignment_options,
    click.option(
        "--heads",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Align the heads that `socialcli measure` found active most often (its heads.parquet), whatever --lambda "
        "and --layers say.",
    ),
    click.option(
        "--heads-min-share",
        type=FiniteRange(min=0, max=1, min_open=True),
        default=0.5,
        show_default=True,
        help="With --heads: the share of prompts in which a head was active from which it takes part.",
    ),
    click.option(
        "--max-heads",
        type=click.IntRange(min=1),
        metavar="K",
        help="Align at most K heads per question: of those above --lambda, the K with the largest mean attention.  "
        "[default: no limit]",
    ),
    prompt_options,
    answer_option,
    compute_options,
    limit_option("Ask"),
    former_seed_option,
    split_option("Ask"),
    click.option(
        "--check-invariance",
        type=click.IntRange(min=0),
        default=0,
        metavar="K",
        help="Ask the first K questions again, one by one and with eager attention; run.json tells what changes.",
    ),
    click.option(
        "--timeout-per-question",
        type=FiniteRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Give up a question that takes longer; its row says so.  [default: no limit]",
    ),
    click.option(
        "--max-failures",
        metavar="N|P%",
        help="Stop with exit code 3 when more answers than N, or than this share of all, have failed.  [default: ask "
        "everything, and exit with 3 if any failed]",
    ),
    min_coverage_option,
    click.option("--retry-failed", is_flag=True, help="Ask again what failed in the run that the folder holds."),
)


@click.command("run", short_help="Ask a model the questions of EPISODES; write answers and accuracy.")
@click.argument("episodes", metavar="EPISODES...", type=click.Path(path_type=Path), nargs=-1, required=True)
@config_option
@output_option("predictions.parquet", "accuracy.parquet")
@overwrite_option("the results that the folder holds")
@run_options
@json_option
@logging_options
def command(output: Path, overwrite: bool, retry_failed: bool, as_json: bool, **options: Any) -> None:
    """Ask a model the questions of EPISODES (Parquet, JSONL or .jsonl.gz; one file or several without an id in common),
    and write predictions.parquet, accuracy.parquet and run.json.

    Answers are kept as they are made. The same command, given again, goes on where it was broken off, asks again what
    depends on a file that has changed, and does nothing where all is done.

    The last thing on standard output is a table of accuracy by task and condition.

    Exit codes: 0 done, 2 usage, 3 more failures than --max-failures, 4 EPISODES cannot be read or less is covered than
    --min-coverage asks for, 5 another run is at work in the folder, 130 interrupted, 143 terminated; all keep what was
    done.
    """
    from socialcli.episodes.coverage.messages import coverage_line
    from socialcli.jobs.finished import find_finished
    from socialcli.jobs.request import RunRequest
    from socialcli.plugins.registry import registry
    from socialcli.stats.summary import summary_json, summary_lines

    request = RunRequest(run_settings(options), output, overwrite, sys.argv, retry_failed)

    def tell(manifest: Manifest, accuracy: Sequence[AccuracyRow] = ()) -> None:
        click.echo(json.dumps(summary_json(accuracy, output, manifest), ensure_ascii=False))

    result = find_finished(request, registry()) or _run(request, tell if as_json else lambda _: None)
    if as_json:
        tell(result.manifest, result.accuracy)
    else:
        click.echo(summary_lines(result.accuracy))
        if result.manifest.coverage is not None:
            click.echo(coverage_line(result.manifest.coverage))
    check_failed_answers(result.manifest, output, "run.json")


def _run(request: RunRequest, broken_off: Callable[[Manifest], None]) -> RunResult:
    from socialcli.jobs.progress import shown
    from socialcli.plugins.registry import registry
    from socialcli.verbs.run.work import execute

    return execute(request, registry(), shown, broken_off)


def run_settings(options: dict[str, Any]) -> RunSettings:
    """The settings that `run_options`, but for `retry_failed`, and `episodes` come to. Raises UsageError."""
    from socialcli.options.resolve import resolve_alignment, resolve_inputs
    from socialcli.settings.run import RunSettings

    inputs, boxes_as = resolve_inputs(options["inputs"], options["boxes_as"])
    alignment = resolve_alignment(options["alignment"], inputs)
    for option in ("heads", "max_heads") if alignment == "off" else ():
        if options[option] is not None:
            _log.warning("--%s changes nothing with --alignment off", option.replace("_", "-"))
    episodes, *more = map(str, options["episodes"])
    paths = path_texts(options, "media_root", "heads", "adapter")
    files = {"episodes": episodes, "more_episodes": tuple(more)}
    resolved = {"inputs": inputs, "boxes_as": boxes_as, "alignment": alignment, "tasks": named_tasks(options["tasks"])}
    return RunSettings(**{**options, **paths, **files, **resolved})
