"""Whether and how words attend to their speakers: the settings of the method (docs/method.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from socialcli.alignment.layers import check_layers
from socialcli.alignment.rules import DEFAULT_RULE
from socialcli.errors import UsageError
from socialcli.settings.fields import check_settings, setting

Mode = Literal["on", "off", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentSettings:
    """The settings of the alignment. Raises UsageError for a value out of range or options that contradict."""

    mode: Mode = field(  # what socialcli is for
        default="on",
        metadata=setting(
            key="alignment",
            otherwise="on; off with --inputs L",
            help="Multi-speaker attention alignment; both: ask every question without and with it.",
        ),
    )
    alpha: float = field(  # as published; 0 changes nothing
        default=1.0, metadata=setting(least=0, help="Strength of the alignment's bias.")
    )
    lambda_: float = field(  # as published
        default=5e-5,
        metadata=setting(
            least=0, help="Activate a head when its mean attention from words to speaker regions exceeds this."
        ),
    )
    layers: str = field(  # the best published range is the middle third
        default="auto",
        metadata=setting(
            metavar="LAYERS",
            check=check_layers,
            pattern="^(auto|all|[0-9]+(-[0-9]+)?([,+][0-9]+(-[0-9]+)?)*)$",
            help="Decoder layers to align: auto (middle third), all, a range such as 10-19, or a list such as 3,7,11, "
            "counted from 0. Layers that cannot be aligned are left out.",
        ),
    )
    bias: str = field(  # the published equations to the letter
        default=DEFAULT_RULE,
        metadata=setting(
            metavar="RULE",
            names="rules",
            help="Bias rule: published, floored, centred, probability, constant, or a plug-in's.",
        ),
    )
    heads: str | None = field(  # None: heads are selected for every question
        default=None,
        metadata=setting(
            is_path=True,
            metavar="FILE",
            help="Align the heads that `socialcli measure` found active most often (its heads.parquet), regardless of "
            "--lambda and --layers.",
        ),
    )
    heads_min_share: float = field(  # the heads active in most of the prompts
        default=0.5,
        metadata=setting(above=0, most=1, help="With --heads: use heads active in at least this share of prompts."),
    )
    max_heads: int | None = field(
        default=None,
        metadata=setting(
            least=1,
            metavar="K",
            otherwise="no limit",
            help="Align at most K heads per question: of those above --lambda, the K with the largest mean attention.",
        ),
    )

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        check_settings(self)
        if self.max_heads is not None and self.heads is not None:
            raise UsageError("--max-heads limits the heads that --lambda finds, and --heads names them; leave one out")

    def conditions(self) -> tuple[bool, ...]:
        """The conditions each question is asked under: whether aligned, the unaligned one first."""
        return {"off": (False,), "on": (True,), "both": (False, True)}[self.mode]
