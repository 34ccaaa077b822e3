"""`socialcli run`: ask a model the questions of an episodes file, and write predictions and accuracy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from socialcli.errors import TooManyFailuresError, UsageError
from socialcli.options import config_option, logging_options


@click.command("run", short_help="Ask a model the questions of EPISODES; write answers and accuracy.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@click.option("--model", required=True, metavar="NAME", help="The model, as `socialcli models` lists it.")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    required=True,
    metavar="TASK",
    help="A task, as `socialcli tasks` lists it, or all. May be repeated.",
)
@click.option("--checkpoint", metavar="DIR|ID", help="A folder, or a Hugging Face hub id.  [default: the model's own]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder for the results.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results that are in the folder.")
@click.option(
    "--alignment",
    type=click.Choice(["on", "off", "both"]),
    default="on",
    show_default=True,
    help="Multi-speaker attention alignment; both: every question without it and with it.",
)
@click.option("--alpha", type=float, default=1.0, show_default=True, help="Strength of the alignment's bias.")
@click.option(
    "--lambda",
    "lambda_",
    type=float,
    default=5e-5,
    show_default=True,
    help="A head is active from this mean attention of words to speakers' regions.",
)
@click.option(
    "--layers",
    default="auto",
    show_default=True,
    help="Decoder layers that take part: auto (the middle third), all, or 10-19.",
)
@click.option(
    "--bias",
    default="logit",
    show_default=True,
    metavar="RULE",
    help="How the bias is added: logit, probability, or a plug-in's.",
)
@click.option(
    "--inputs",
    type=click.Choice(["L", "VL", "VLB"]),
    help="Language, video, boxes in sight of the model.  [default: VL; VLB with --boxes-as]",
)
@click.option(
    "--boxes-as",
    type=click.Choice(["none", "text", "overlay"]),
    help="Show the boxes in the prompt or on the frames.  [default: none; text with --inputs VLB]",
)
@click.option(
    "--context",
    type=click.Choice(["full", "past"]),
    default="full",
    show_default=True,
    help="past: no word and no frame after the utterance in question.",
)
@click.option(
    "--frames", type=click.IntRange(min=1), default=8, show_default=True, help="Frames sampled from each clip."
)
@click.option(
    "--frame-fit",
    metavar="FIT",
    help="How frames are fitted to the model's input, where it has a choice (pad, crop, stretch).",
)
@click.option(
    "--box-gap",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Seconds to interpolate boxes over, or to take the nearest from.",
)
@click.option(
    "--answer",
    type=click.Choice(["score", "generate"]),
    default="score",
    show_default=True,
    help="Rank the candidates, or let the model write and parse it.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Questions on one clip in one forward.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="Number format of the model.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Ask only the first so many questions.")
@click.option("--split", help="Ask only the episodes of this split.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals in the accuracy table.")
@click.option(
    "--media-root", type=click.Path(path_type=Path), help="The folder of the videos.  [default: that of EPISODES]"
)
@click.option(
    "--max-failures",
    default="0",
    show_default=True,
    metavar="N|P%",
    help="Failed questions to put up with before the exit code is 3.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@logging_options
@click.pass_context
def command(context: click.Context, /, output: Path, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Ask a model the questions of EPISODES (Parquet, JSONL or .jsonl.gz), and write predictions.parquet,
    accuracy.parquet and run.json.

    The last thing on standard output is a table of accuracy by task and condition.
    """
    from socialcli.engines.progress import shown
    from socialcli.engines.run import RunRequest, execute
    from socialcli.plugins import registry
    from socialcli.runs.summary import summary_json, summary_lines

    request = RunRequest(_settings(context, options), output, overwrite, sys.argv)
    result = execute(request, registry(), watch=shown)
    if as_json:
        click.echo(json.dumps(summary_json(result.accuracy, output, result.manifest), ensure_ascii=False))
    else:
        click.echo(summary_lines(result.accuracy))
    counts = result.manifest.counts
    if result.manifest.exit_code:
        unreadable = f", and {counts.unreadable} rows of the file could not be read" if counts.unreadable else ""
        raise TooManyFailuresError(
            f"{counts.failed} of {counts.rows} answers failed{unreadable}; the column 'error' of {output}/predictions.parquet "
            "and 'problems' of run.json say why"
        )


def _settings(context: click.Context, options: dict[str, Any]) -> Any:
    from socialcli.engines.run import resolve_inputs
    from socialcli.runs.settings import RunSettings

    inputs, boxes_as = resolve_inputs(options["inputs"], options["boxes_as"])
    alignment = options["alignment"]
    if inputs == "L" and alignment != "off":
        if context.get_parameter_source("alignment") is not ParameterSource.DEFAULT:
            raise UsageError(f"--alignment {alignment} needs the video, and --inputs L leaves it out; use --inputs VL")
        alignment = "off"
    tasks = ("all",) if "all" in options["tasks"] else tuple(dict.fromkeys(options["tasks"]))
    paths = {name: str(options[name]) if options[name] is not None else None for name in ("episodes", "media_root")}
    changed = {"inputs": inputs, "boxes_as": boxes_as, "alignment": alignment, "tasks": tasks}
    return RunSettings(**{**options, **paths, **changed})
