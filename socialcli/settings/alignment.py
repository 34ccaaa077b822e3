"""Whether and how words attend to their speakers: the settings of the method (docs/method.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from socialcli.alignment.heads.selectors import DEFAULT_SELECTOR, FIXED_SELECTOR
from socialcli.alignment.layers import check_layers
from socialcli.alignment.regions.sources import DEFAULT_SHARE, DEFAULT_SOURCE, Source
from socialcli.alignment.rules import DEFAULT_RULE
from socialcli.alignment.steering.modes import DEFAULT_MODE
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
    steer: str = field(  # the method's direction
        default=DEFAULT_MODE,
        metadata=setting(
            metavar="MODE",
            names="steering_modes",
            help="What is biased towards what: speaker (words to their speaker), both-ways (also to whom they may "
            "mean), gaze (the last prompt token to the person in question), gaze-decoding, or a plug-in's.",
        ),
    )
    balance: float = field(
        default=0.5,
        metadata=setting(
            least=0,
            most=1,
            help="With --steer both-ways: weight of the people who could be meant; 1 minus it is that of the speaker.",
        ),
    )
    regions: Source = field(  # as published
        default=DEFAULT_SOURCE,
        metadata=setting(
            help="Where each speaker is: boxes (the speaker's annotated ones), model (where the speaker's words "
            "look in the active heads; needs no boxes), people (everybody's boxes, whoever speaks), none (nothing is "
            "aligned).",
        ),
    )
    region_share: float = field(  # no share does better than another on the sample world: docs/regions.md
        default=DEFAULT_SHARE,
        metadata=setting(
            above=0,
            most=1,
            help="With --regions model: share of a frame's attention that a speaker's region holds.",
        ),
    )
    heads_by: str = field(  # the method's head selection
        default=DEFAULT_SELECTOR,
        metadata=setting(
            metavar="SELECTOR",
            names="head_selectors",
            help="Head selector: dynamic (mean attention above --lambda), top (the --max-heads largest), fixed "
            "(default with --heads), random (--max-heads of them), all, or a plug-in's.",
        ),
    )
    heads: str | None = field(  # None: heads are selected for every question
        default=None,
        metadata=setting(
            is_path=True,
            metavar="FILE",
            help="Align the heads that `socialcli measure` ranked (its heads.parquet), regardless of --lambda and "
            "--layers.",
        ),
    )
    heads_rank: Literal["share", "gaze"] = field(
        default="share",
        metadata=setting(
            help="With --heads: rank heads by the share of prompts in which they were active, or by their gaze score; "
            "--max-heads takes the first K.",
        ),
    )
    heads_min_share: float = field(  # the heads active in most of the prompts
        default=0.5,
        metadata=setting(above=0, most=1, help="With --heads: use heads active in at least this share of prompts."),
    )
    heads_seed: int = field(
        default=0, metadata=setting(least=0, help="With --heads-by random: seed of the choice of heads.")
    )
    max_heads: int | None = field(
        default=None,
        metadata=setting(
            least=1,
            metavar="K",
            otherwise="no limit",
            help="Align at most K heads per question: of those that --heads-by selects, the K with the largest mean "
            "attention; with top and random, K heads.",
        ),
    )

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        check_settings(self)
        if self.heads is not None and self.heads_by == DEFAULT_SELECTOR:
            object.__setattr__(self, "heads_by", FIXED_SELECTOR)  # the only way to set a field of a frozen dataclass
        if self.heads_rank == "gaze" and self.heads is None:
            raise UsageError("--heads-rank gaze ranks the heads of a heads.parquet: add --heads FILE")
        if self.heads_rank == "gaze" and self.max_heads is None:
            raise UsageError("--heads-rank gaze needs the number of heads: add --max-heads K")

    def conditions(self) -> tuple[bool, ...]:
        """The conditions each question is asked under: whether aligned, the unaligned one first."""
        return {"off": (False,), "on": (True,), "both": (False, True)}[self.mode]
