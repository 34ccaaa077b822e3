"""`socialcli run`: ask a model the questions of an episodes file, and write predictions and accuracy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.commands.shared import alignment_options, compute_options, model_options, prompt_options
from socialcli.errors import TooManyFailuresError
from socialcli.options import config_option, logging_options

if TYPE_CHECKING:
    from socialcli.engines.run import RunResult
    from socialcli.runs.settings import RunSettings


@click.command("run", short_help="Ask a model the questions of EPISODES; write answers and accuracy.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@model_options
@click.option(
    "--task",
    "tasks",
    multiple=True,
    required=True,
    metavar="TASK",
    help="The task to ask the questions of, or all; `socialcli tasks` lists them. May be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder for the results; made where it is not there.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results that the folder holds.")
@click.option(
    "--alignment",
    type=click.Choice(["on", "off", "both"]),
    help="Multi-speaker attention alignment; both: ask every question without it and with it.  "
    "[default: on; off with --inputs L]",
)
@alignment_options
@click.option(
    "--heads",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Align the heads that `socialcli measure` found active most often (its heads.parquet), whatever --lambda and "
    "--layers say.",
)
@click.option(
    "--heads-min-share",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=0.5,
    show_default=True,
    help="With --heads: the share of prompts in which a head was active from which it takes part.",
)
@prompt_options
@click.option(
    "--answer",
    type=click.Choice(["score", "generate"]),
    default="score",
    show_default=True,
    help="score: rank the candidates by probability; generate: let the model write, and parse it.",
)
@compute_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Ask only the first N questions.")
@click.option("--split", metavar="NAME", help="Ask only the questions of this split.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the bootstrap behind the intervals in the accuracy table.",
)
@click.option(
    "--check-invariance",
    type=click.IntRange(min=0),
    default=0,
    metavar="K",
    help="Ask the first K questions again, one by one and with eager attention; run.json tells what changes.",
)
@click.option(
    "--max-failures",
    default="0",
    show_default=True,
    metavar="N|P%",
    help="How many answers, or what share of them, may fail before the exit code is 3.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@logging_options
def command(output: Path, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Ask a model the questions of EPISODES (Parquet, JSONL or .jsonl.gz), and write predictions.parquet,
    accuracy.parquet and run.json.

    The last thing on standard output is a table of accuracy by task and condition.

    Exit codes: 0 done, 2 usage, 3 more failures than --max-failures, 4 EPISODES cannot be read, 130 interrupted, 143
    terminated; the last two keep what was done.
    """
    from socialcli.engines.progress import shown
    from socialcli.engines.run import RunRequest, execute
    from socialcli.plugins import registry
    from socialcli.runs.summary import summary_json, summary_lines

    request = RunRequest(_settings(options), output, overwrite, sys.argv)
    result = execute(request, registry(), watch=shown)
    if as_json:
        click.echo(json.dumps(summary_json(result.accuracy, output, result.manifest), ensure_ascii=False))
    else:
        click.echo(summary_lines(result.accuracy))
    _check_failures(result, output)


def _settings(options: dict[str, Any]) -> RunSettings:
    """The settings that the options come to. Raises UsageError."""
    from socialcli.engines.checking import ALL_TASKS
    from socialcli.engines.inputs import resolve_alignment, resolve_inputs
    from socialcli.runs.settings import RunSettings

    inputs, boxes_as = resolve_inputs(options["inputs"], options["boxes_as"])
    alignment = resolve_alignment(options["alignment"], inputs)
    tasks = ALL_TASKS if set(ALL_TASKS) & set(options["tasks"]) else tuple(dict.fromkeys(options["tasks"]))
    paths = {
        name: str(options[name]) if options[name] is not None else None for name in ("episodes", "media_root", "heads")
    }
    resolved = {"inputs": inputs, "boxes_as": boxes_as, "alignment": alignment, "tasks": tasks}
    return RunSettings(**{**options, **paths, **resolved})


def _check_failures(result: RunResult, output: Path) -> None:
    """Raise TooManyFailuresError where more failed than the run allows."""
    counts = result.manifest.counts
    if not result.manifest.exit_code:
        return
    found = []
    if counts.failed:
        found.append(f"{counts.failed} of {counts.rows} answers failed (see the column 'error' of predictions.parquet)")
    if counts.unreadable:
        rows = "1 row" if counts.unreadable == 1 else f"{counts.unreadable} rows"
        found.append(f"{rows} of the episodes file could not be read (see 'problems' of run.json)")
    raise TooManyFailuresError(
        f"{' and '.join(found)}, more than --max-failures {result.manifest.settings.max_failures} allows; "
        f"the results are in {output}"
    )
