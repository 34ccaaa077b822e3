"""`socialcli train`: fine-tune a model on an episodes file, with the alignment in place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.errors import TooManyFailuresError
from socialcli.options.common import FiniteRange, config_option, logging_options
from socialcli.options.model import alignment_options, checkpoint_options, device_options, prompt_options
from socialcli.options.results import (
    figure_format_option,
    json_option,
    max_failures_option,
    min_coverage_option,
    named_tasks,
    output_option,
    overwrite_option,
    path_texts,
    task_option,
)

if TYPE_CHECKING:
    from socialcli.results.folder import FigureFormat
    from socialcli.verbs.train.settings import TrainSettings


def _together(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
    """A number of at least 1, or "all". Raises BadParameter for anything else."""
    if value == "all":
        return value
    number: int = click.IntRange(min=1)(value, parameter, context)
    return number


@click.command("train", short_help="Fine-tune a model on the answers in EPISODES.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@checkpoint_options
@task_option("to learn")
@output_option("log.parquet")
@overwrite_option("what the folder holds of another training, and begin anew")
@click.option("--full", is_flag=True, help="Train all weights; otherwise LoRA layers in the text decoder alone learn.")
@click.option(
    "--lora-rank", type=click.IntRange(min=1), default=128, show_default=True, help="Rank of the LoRA layers."
)
@click.option(
    "--lora-alpha",
    type=FiniteRange(min=0, min_open=True),
    help="What LoRA layers add is scaled by this over the rank.  [default: twice the rank]",
)
@click.option(
    "--lora-dropout",
    type=FiniteRange(min=0, max=1),
    default=0.0,
    show_default=True,
    help="Dropout of LoRA layers.",
)
@click.option(
    "--lora-targets",
    metavar="NAMES",
    default="all",
    show_default=True,
    help="The linear layers of the text decoder to put LoRA layers beside, as in q_proj,v_proj.",
)
@click.option(
    "--learning-rate",
    "--lr",
    type=FiniteRange(min=0, min_open=True),
    default=1e-4,
    show_default=True,
    help="At its highest.",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=4, show_default=True, help="Rows of an update.")
@click.option(
    "--accumulate",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Forwards into which an update is cut, to need less memory.",
)
@click.option(
    "--questions-per-clip",
    default="1",
    show_default=True,
    callback=_together,
    metavar="N|all",
    help="Questions with the same frames and transcript that share a row, and so the work that these are.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=3, show_default=True, help="Times to go through all.")
@click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Stop after so many updates.")
@click.option(
    "--warmup",
    type=FiniteRange(min=0, max=1),
    default=0.03,
    show_default=True,
    help="Share of the updates over which the learning rate grows.",
)
@click.option(
    "--schedule",
    type=click.Choice(["cosine", "linear", "constant"]),
    default="cosine",
    show_default=True,
    help="How the learning rate falls after that.",
)
@click.option("--weight-decay", type=FiniteRange(min=0), default=0.0, show_default=True, help="Of matrices.")
@click.option(
    "--max-gradient",
    type=FiniteRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="The norm to which a larger gradient is cut.",
)
@click.option(
    "--gradient-checkpointing", is_flag=True, help="Compute layers again in the backward pass, to need less memory."
)
@click.option(
    "--alignment",
    type=click.Choice(["on", "off"]),
    help="Train with the multi-speaker attention alignment in place.  [default: on; off with --inputs L]",
)
@alignment_options
@click.option(
    "--bias-warmup",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="STEPS",
    help="For a model without training: updates over which the bias has a floor that falls to 0.",
)
@click.option(
    "--bias-floor",
    type=FiniteRange(min=0),
    default=4.0,
    show_default=True,
    help="With --bias-warmup: what the largest score of a row counts as at least, at the beginning.",
)
@prompt_options
@device_options
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Threads that prepare the next rows while the model learns; 0: none.  [default: up to 4, one for every four "
    "cores]",
)
@click.option(
    "--keep-clips",
    type=FiniteRange(min=0),
    metavar="GIB",
    help="Memory for prepared clips, which are not decoded again.  [default: half of what is free]",
)
@click.option("--train-split", default="train", show_default=True, metavar="NAME", help="The split to learn from.")
@click.option(
    "--validation-split",
    metavar="NAME",
    help="The split on which to report accuracy after each epoch.  [default: validation, val, valid or dev]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of order, LoRA and dropout.")
@click.option(
    "--save-steps",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="STEPS",
    help="Updates between two states to go on from.",
)
@max_failures_option("questions", "be lost to the training")
@figure_format_option
@min_coverage_option
@json_option
@logging_options
def command(output: Path, overwrite: bool, figure_format: FigureFormat, as_json: bool, **options: Any) -> None:
    """Fine-tune a model on the labelled questions of EPISODES, with the alignment in place.

    OUTPUT gets the LoRA layers (adapter/, for `run --adapter`) or with --full all weights (checkpoint/, for `run
    --checkpoint`), log.parquet, loss.png and train.json. The same command again goes on where a training stopped, to
    the same weights; one that is finished is left as it is.

    Exit codes: 0 done, 2 usage, 3 more questions lost than --max-failures or a loss that is no number, 4 EPISODES
    cannot be read, has no answers or less is covered than --min-coverage asks for, 130 interrupted, 143 terminated;
    the last two keep what was done.
    """
    from socialcli.plugins.registry import registry
    from socialcli.verbs.train.files import accuracy_lines
    from socialcli.verbs.train.progress import trained
    from socialcli.verbs.train.work import TrainRequest, train

    request = TrainRequest(_settings(options), output, overwrite, sys.argv, figure_format)
    result = train(request, registry(), show=trained)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else accuracy_lines(result["accuracy"]))
    if result["exit_code"]:
        counts = result["counts"]
        raise TooManyFailuresError(
            f"{counts['lost']} of {counts['questions']} questions could not be learnt from, and the file has "
            f"{counts['unreadable']} problems (see 'problems' of train.json), more than --max-failures "
            f"{options['max_failures']} allows; the weights are in {output}"
        )


def _settings(options: dict[str, Any]) -> TrainSettings:
    """The settings that the options come to. Raises UsageError."""
    from socialcli.options.resolve import resolve_alignment, resolve_inputs
    from socialcli.settings.run import RunSettings
    from socialcli.verbs.train.settings import ASK_OPTIONS, TrainSettings

    inputs, boxes_as = resolve_inputs(options["inputs"], options["boxes_as"])
    alignment = resolve_alignment(options["alignment"], inputs)
    paths = path_texts(options, "episodes", "media_root")
    resolved = {"inputs": inputs, "boxes_as": boxes_as, "alignment": alignment, "tasks": named_tasks(options["tasks"])}
    asked = {name: value for name, value in options.items() if name in ASK_OPTIONS}
    own = {name: value for name, value in options.items() if name not in ASK_OPTIONS}
    targets = () if own["lora_targets"] == "all" else tuple(name.strip() for name in own["lora_targets"].split(","))
    ask = RunSettings(**{**asked, **paths, **resolved})
    return TrainSettings(**{**own, "ask": ask, "lora_targets": targets})
