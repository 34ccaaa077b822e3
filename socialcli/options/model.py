"""Options that commands share which put questions to a model: which model, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from socialcli.alignment.rules import DEFAULT_RULE, current_name
from socialcli.options import completion
from socialcli.options.common import FiniteRange

F = TypeVar("F", bound=Callable[..., Any])


class _RuleName(click.ParamType[str]):
    """The name of a bias rule; a former name becomes the present one, with a warning."""

    name = "rule"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The present name. Whether there is such a rule is looked up later."""
        return current_name(value)


RULE_NAME = _RuleName()


def model_options(function: F) -> F:
    """Give a command the options that say which model.

    They arrive as those of `checkpoint_options`, `adapter` (Path | None) and `merge` (bool).
    """
    return _with((*_CHECKPOINT, *_LORA), function)


def checkpoint_options(function: F) -> F:
    """Give a command `model` (required), `checkpoint` and `revision` (str | None), and `allow_links` (bool) alone."""
    return _with(_CHECKPOINT, function)


def prompt_options(function: F) -> F:
    """Give a command the options that decide what the model is shown.

    They arrive as `inputs` and `boxes_as` (None where left out: see `resolve_inputs`), `context`, `frames`,
    `frame_fit` and `positions` (str | None), `max_pixels` (int | None), `box_gap` (seconds) and `media_root`
    (Path | None).
    """
    return _with(_PROMPT, function)


def alignment_options(function: F) -> F:
    """Give a command the strength of the alignment: `alpha`, `lambda_`, `layers` and `bias` (a rule's name)."""
    return _with(_ALIGNMENT, function)


def compute_options(function: F) -> F:
    """Give a command what decides speed and memory: `batch_size`, `workers`, `device`, `dtype` and `attn`."""
    return _with(_COMPUTE, function)


def device_options(function: F) -> F:
    """Give a command where and how the model computes: `device` and `dtype`."""
    return _with(_DEVICE, function)


def _batch_size(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
    """A number of at least 1, or "auto". Raises BadParameter for anything else."""
    if value == "auto":
        return value
    size: int = click.IntRange(min=1)(value, parameter, context)
    return size


def _with(options: Sequence[Callable[[F], F]], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


_CHECKPOINT: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--model",
        required=True,
        metavar="NAME",
        shell_complete=completion.models,
        help="The model; `socialcli models` lists them.",
    ),
    click.option(
        "--checkpoint",
        metavar="DIR|ID",
        help="The weights: a folder, or an id on the Hugging Face hub.  [default: the model's own]",
    ),
    click.option(
        "--revision",
        metavar="REV",
        help="Branch, tag or commit of a checkpoint on the hub.  [default: its main branch]",
    ),
    click.option(
        "--allow-links",
        is_flag=True,
        help="Follow symbolic links out of the checkpoint's folder, as to weights shared on another disk.",
    ),
)

_LORA: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--adapter",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="A LoRA adapter to put on top of the weights: a folder as peft saves it.",
    ),
    click.option(
        "--merge",
        is_flag=True,
        help="Add --adapter into the weights, in the format of --dtype, instead of keeping it beside them in float32.",
    ),
)

_PROMPT: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--inputs",
        type=click.Choice(["L", "VL", "VLB"]),
        help="What the model gets: language; video, too; and boxes, too.  [default: VL; VLB with --boxes-as]",
    ),
    click.option(
        "--boxes-as",
        type=click.Choice(["none", "text", "overlay"]),
        help="Show the model the boxes: as coordinates in the prompt, or drawn on the frames.  "
        "[default: none; text with --inputs VLB]",
    ),
    click.option(
        "--context",
        type=click.Choice(["full", "past"]),
        default="full",
        show_default=True,
        help="past: show no word and no frame from after the end of the utterance in question.",
    ),
    click.option(
        "--frames",
        type=click.IntRange(min=1),
        default=8,
        show_default=True,
        help="Frames of each clip, at equal distances in time.",
    ),
    click.option(
        "--frame-fit",
        metavar="FIT",
        help="How a frame is fitted to the model's input, where the model leaves the choice: pad, crop or stretch.  "
        "[default: the model's first]",
    ),
    click.option(
        "--positions",
        metavar="RULE",
        help="How the tokens of a video and the words behind it are numbered, where the model leaves the choice: "
        "trained (as the model's authors do) or library (as transformers 5 does).  [default: the model's first]",
    ),
    click.option(
        "--max-pixels",
        type=click.IntRange(min=1),
        metavar="N",
        help="Scale larger frames down to at most N pixels, where the model takes frames of any size.  "
        "[default: the model's own]",
    ),
    click.option(
        "--box-gap",
        type=FiniteRange(min=0),
        default=1.0,
        show_default=True,
        help="Seconds between two boxes of a speaker over which to interpolate, or to the nearest box.",
    ),
    click.option(
        "--media-root",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The folder that video paths start from, and may not leave.  [default: the folder of EPISODES]",
    ),
)

_ALIGNMENT: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--alpha",
        type=FiniteRange(min=0),
        default=1.0,
        show_default=True,
        help="Strength of the alignment's bias.",
    ),
    click.option(
        "--lambda",
        "lambda_",
        type=FiniteRange(min=0),
        default=5e-5,
        show_default=True,
        help="The mean attention of the words to the speakers' regions from which a head takes part.",
    ),
    click.option(
        "--layers",
        default="auto",
        show_default=True,
        metavar="LAYERS",
        help="The decoder layers that take part: auto (the middle third), all, or as in 10-19, the first being 0.",
    ),
    click.option(
        "--bias",
        type=RULE_NAME,
        default=DEFAULT_RULE,
        show_default=True,
        metavar="RULE",
        shell_complete=completion.rules,
        help="Bias rule: published, floored, centred, probability, constant, or a plug-in's.",
    ),
)

_DEVICE: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="DEVICE",
        help="Where the model runs: cpu, cuda, cuda:1; auto: cuda where there is one.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
        default="auto",
        show_default=True,
        help="The model's number format; auto: bfloat16 on cuda, float32 on a cpu.",
    ),
)

_COMPUTE: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--batch-size",
        callback=_batch_size,
        default="auto",
        show_default=True,
        metavar="N|auto",
        help="Questions that go through the model together; auto: as many as fit. Changes speed and memory, not the "
        "results.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=0),
        metavar="N",
        help="Threads that read the next clips while the model works; 0: none.  [default: up to 4, one for "
        "every four cores]",
    ),
    *_DEVICE,
    click.option(
        "--attn",
        type=click.Choice(["auto", "flash", "efficient", "math", "eager"]),
        default="auto",
        show_default=True,
        help="The kernel of the text decoder's attention; auto: PyTorch chooses among its fused ones.",
    ),
)
