"""The settings of `socialcli train`: its own, and those of a run that asks the same questions the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from socialcli.errors import UsageError
from socialcli.settings.fields import Setting, check_settings, record_of, setting, settings_of
from socialcli.settings.run import ASK_ALL, RunSettings, run_keys, run_settings
from socialcli.verbs.train.learning.schedule import Shape

LACKING = frozenset(
    {"more_episodes", "adapter", "merge", "heads", "heads_rank", "heads_min_share", "max_heads", "heads_by"}
    | {"heads_seed", "steer", "balance", "regions", "region_share", "answer", "batch_size", "attn"}
    | {"limit", "split", "permute", "permute_seed", "check_invariance", "timeout_per_question"}
)
"""Settings of a run that a training does not have, by key."""

_ADAPTED: Mapping[str, Mapping[str, Any]] = {
    **ASK_ALL,
    "alignment": {"type": Literal["on", "off"], "help": "Train with multi-speaker attention alignment."},
}

_CONTENTS = frozenset({"episodes", "checkpoint", "revision"})  # compared by what is in the files, not by their names
_WARMED = ("published", "floored")  # the rules whose bias the floor of a warm-up can stand in for


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """The settings of a training. Raises UsageError for a value outside its range or choices.

    `ask` says which model is trained, and how the questions are put to it.
    """

    ask: RunSettings  # its alignment is "on" or "off"
    full: bool = field(
        default=False, metadata=setting(help="Train all weights, not LoRA layers in the text decoder alone.")
    )
    lora_rank: int = field(  # as published
        default=128, metadata=setting(least=1, help="Rank of the LoRA layers.")
    )
    lora_alpha: float | None = field(
        default=None,
        metadata=setting(
            above=0, otherwise="twice the rank", help="Scale the output of LoRA layers by this divided by the rank."
        ),
    )
    lora_dropout: float = field(default=0.0, metadata=setting(least=0, most=1, help="Dropout of the LoRA layers."))
    lora_targets: tuple[str, ...] = field(  # none: all of them
        default=(),
        metadata=setting(
            metavar="NAMES", help="Linear layers of the text decoder to add LoRA layers to, for example q_proj,v_proj."
        ),
    )
    learning_rate: float = field(  # as published
        default=1e-4, metadata=setting(above=0, aliases=("--lr",), help="Peak learning rate.")
    )
    batch_size: int = field(  # as published
        default=4, metadata=setting(least=1, help="Rows per optimizer step.")
    )
    accumulate: int = field(
        default=1, metadata=setting(least=1, help="Gradient-accumulation steps per update; saves memory.")
    )
    questions_per_clip: int | Literal["all"] = field(  # as published
        default=1,
        metadata=setting(
            least=1,
            metavar="N|all",
            help="Pack up to N questions about the same frames and transcript into one row.",
        ),
    )
    epochs: int = field(  # as published
        default=3, metadata=setting(least=1, help="Passes over all rows.")
    )
    max_steps: int | None = field(  # None: as many as the epochs have
        default=None, metadata=setting(least=1, metavar="N", help="Stop after N optimizer steps.")
    )
    warmup: float = field(
        default=0.03,
        metadata=setting(least=0, most=1, help="Share of the steps over which the learning rate rises to its peak."),
    )
    schedule: Shape = field(default="cosine", metadata=setting(help="How the learning rate falls after the warm-up."))
    weight_decay: float = field(
        default=0.0, metadata=setting(least=0, help="AdamW weight decay, applied to weight matrices only.")
    )
    max_gradient: float = field(default=1.0, metadata=setting(above=0, help="Clip gradients to this norm."))
    bias_warmup: int = field(  # a pretrained model needs none
        default=0,
        metadata=setting(
            least=0,
            metavar="STEPS",
            help="For an untrained model: steps over which the bias has a floor that falls to 0.",
        ),
    )
    bias_floor: float = field(
        default=4.0,
        metadata=setting(
            least=0, help="With --bias-warmup: count the largest score of a row as at least this in the first step."
        ),
    )
    gradient_checkpointing: bool = field(
        default=False, metadata=setting(help="Recompute layers in the backward pass; saves memory.")
    )
    train_split: str | None = field(  # None: all episodes but those of the validation split
        default="train", metadata=setting(metavar="NAME", help="Split to train on.")
    )
    validation_split: str | None = field(
        default=None,
        metadata=setting(
            metavar="NAME",
            otherwise="validation, val, valid or dev",
            help="Split on which to report accuracy after each epoch.",
        ),
    )
    save_steps: int = field(
        default=100, metadata=setting(least=1, metavar="STEPS", free=True, help="Steps between two checkpoints.")
    )
    keep_clips: float | None = field(
        default=None,
        metadata=setting(
            least=0,
            metavar="GIB",
            unit="GiB",
            free=True,
            otherwise="half of the free memory",
            help="Memory for prepared clips, so that they are not decoded again.",
        ),
    )
    seed: int = field(default=0, metadata=setting(least=0, help="Seed of row order, LoRA initialisation and dropout."))

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        check_settings(self)
        if self.accumulate > self.batch_size:
            raise UsageError(f"--accumulate {self.accumulate} is more than the {self.batch_size} rows of --batch-size")
        if self.ask.compute.dtype == "float16":
            raise UsageError("--dtype float16 cannot hold the gradients of a training; use bfloat16")
        method = self.ask.alignment
        if self.bias_warmup and method.bias not in _WARMED:
            raise UsageError(
                f"--bias-warmup is for a bias in proportion to scores, and --bias is {method.bias}; "
                f"use {' or '.join(_WARMED)}"
            )
        if self.bias_warmup and method.mode == "off":
            raise UsageError("--bias-warmup is for the bias of the alignment, and --alignment is off; leave one out")

    def as_record(self) -> dict[str, Any]:
        """The settings as JSON values, by key: the field `settings` of train.json."""
        asked = self.ask.as_record()
        return {key: asked[key] for key in run_keys(but=LACKING)} | record_of(self)

    @property
    def identity(self) -> dict[str, Any]:
        """The settings that decide the weights: training resumes only from a state with the same."""
        free = {one.key for one in train_settings() if one.about.free}
        return {key: value for key, value in self.as_record().items() if key not in free | _CONTENTS}


def train_settings() -> Iterator[Setting]:
    """The declared settings of a training: those that it has of a run, then its own."""
    yield from run_settings(but=LACKING, adapted=_ADAPTED)
    yield from settings_of(TrainSettings)
