"""What a training was asked to do: every setting with its default."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from socialcli.errors import UsageError
from socialcli.settings.run import RunSettings
from socialcli.verbs.train.learning.schedule import Shape

_AT_LEAST: dict[str, float] = {
    "lora_rank": 1,
    "lora_alpha": 0,
    "batch_size": 1,
    "accumulate": 1,
    "epochs": 1,
    "max_steps": 1,
    "learning_rate": 0,
    "weight_decay": 0,
    "max_gradient": 0,
    "bias_warmup": 0,
    "bias_floor": 0,
    "save_steps": 1,
    "keep_clips": 0,
    "seed": 0,
}
_SHARES = ("warmup", "lora_dropout")
_WARMED = ("published", "floored")  # the rules whose bias the floor of a warm-up can stand in for


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """The settings of `socialcli train`. Raises UsageError for a value outside its range or choices.

    `ask` says which model is trained, and how the questions are put to it: the settings of a run that asks the same.
    """

    ask: RunSettings  # its alignment is "on" or "off"
    full: bool = False  # all weights; else LoRA layers alone, as published
    lora_rank: int = 128  # as published
    lora_alpha: float | None = None  # None: twice the rank, as is usual
    lora_dropout: float = 0.0
    lora_targets: tuple[str, ...] = ()  # linear layers of the text decoder; none: all of them
    learning_rate: float = 1e-4  # as published
    batch_size: int = 4  # rows of an update, as published
    accumulate: int = 1  # forwards into which an update is cut: more of them need less memory, and change nothing
    questions_per_clip: int | Literal["all"] = 1  # that share a row: one, as published
    epochs: int = 3  # as published
    max_steps: int | None = None  # None: as many as the epochs have
    warmup: float = 0.03  # share of the steps over which the learning rate grows
    schedule: Shape = "cosine"  # of the learning rate after that
    weight_decay: float = 0.0
    max_gradient: float = 1.0  # the norm to which a larger gradient is cut; 0: never
    bias_warmup: int = 0  # steps over which the bias has a floor; a pretrained model needs none
    bias_floor: float = 4.0  # where that floor begins
    gradient_checkpointing: bool = False
    train_split: str | None = "train"  # None: all episodes but those of the validation split
    validation_split: str | None = None  # None: the split that is called so, if there is one
    save_steps: int = 100  # steps between two states to go on from
    keep_clips: float | None = None  # GiB of prepared clips in memory; None: half of what is free
    seed: int = 0  # of the order of rows, LoRA's first weights and dropout

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        for name, least in _AT_LEAST.items():
            _check(name, getattr(self, name), least, math.inf)
        for name in _SHARES:
            _check(name, getattr(self, name), 0, 1)
        if self.questions_per_clip != "all":
            _check("questions_per_clip", self.questions_per_clip, 1, math.inf)
        if self.schedule not in get_args(Shape):
            raise UsageError(f"--schedule {self.schedule!r} is not one of {', '.join(get_args(Shape))}")
        if self.accumulate > self.batch_size:
            raise UsageError(f"--accumulate {self.accumulate} is more than the {self.batch_size} rows of --batch-size")
        if self.ask.compute.dtype == "float16":
            raise UsageError("--dtype float16 cannot hold the gradients of a training; use bfloat16")
        if self.bias_warmup and self.ask.alignment.bias not in _WARMED:
            raise UsageError(
                f"--bias-warmup is for a bias in proportion to scores, and --bias is {self.ask.alignment.bias}; "
                f"use {' or '.join(_WARMED)}"
            )
        if self.bias_warmup and self.ask.alignment.mode == "off":
            raise UsageError("--bias-warmup is for the bias of the alignment, and --alignment is off; leave one out")

    def as_record(self) -> dict[str, Any]:
        """The settings as JSON values, under the names of the options."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "ask"}
        record = self.ask.as_record()
        asked = {name.rstrip("_"): record[name.rstrip("_")] for name in ASK_OPTIONS}
        return asked | own | {"lora_targets": list(self.lora_targets)}

    @property
    def identity(self) -> dict[str, Any]:
        """Those that decide which weights come out, so that a state of others cannot be gone on from."""
        return {name: value for name, value in self.as_record().items() if name not in _HARMLESS}


ASK_OPTIONS = (
    *("episodes", "model", "checkpoint", "revision", "allow_links", "tasks"),
    *("alignment", "alpha", "lambda_", "layers", "bias"),
    *("inputs", "boxes_as", "context", "frames", "frame_fit", "positions", "max_pixels", "box_gap", "media_root"),
    *("device", "dtype", "workers", "max_failures", "min_coverage"),
)
"""The settings of a run that a training has too."""

_HARMLESS = frozenset(
    {
        "episodes",
        "checkpoint",
        "revision",
        "allow_links",
        "media_root",
        "device",
        "workers",
        "max_failures",
        "min_coverage",
    }
    | {"save_steps", "keep_clips"}
)  # paths are told apart by what is in the files


def _check(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        limits = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise UsageError(f"--{name.replace('_', '-')} {value} is out of range: give a number of {limits}")
