"""What the model is shown, and how it is to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from socialcli.settings.fields import check_settings, setting
from socialcli.tasks.names import BoxesAs, Context

Inputs = Literal["L", "VL", "VLB"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSettings:
    """The settings of the prompt. Raises UsageError for a value outside its range or choices."""

    inputs: Inputs = field(  # alignment takes the boxes without showing them to the model
        default="VL",
        metadata=setting(
            otherwise="VL; VLB with --boxes-as",
            help="Model inputs: L (text), VL (text + video), VLB (text + video + boxes).",
        ),
    )
    boxes_as: BoxesAs = field(  # alignment shows the model no box; the others are remedies to compare with
        default="none",
        metadata=setting(
            otherwise="none; text with --inputs VLB",
            help="Show the model the boxes as coordinates in the prompt (text) or drawn on the frames (overlay).",
        ),
    )
    context: Context = field(  # offline, the setting of most published figures; "past" is the online one
        default="full",
        metadata=setting(help="past: hide every word and frame after the end of the utterance in question."),
    )
    frames: int = field(  # as published
        default=8, metadata=setting(least=1, help="Frames sampled from each clip, evenly spaced.")
    )
    frame_fit: str | None = field(
        default=None,
        metadata=setting(
            metavar="FIT",
            otherwise="the model's first",
            help="How to fit a frame to the model's input, if the model offers a choice: pad, crop or stretch.",
        ),
    )
    positions: str | None = field(
        default=None,
        metadata=setting(
            metavar="RULE",
            otherwise="the model's first",
            help="How to number the positions of video tokens and the words after them, if the model offers a choice: "
            "trained (as its authors do) or library (as transformers 5 does).",
        ),
    )
    max_pixels: int | None = field(
        default=None,
        metadata=setting(
            least=1,
            metavar="N",
            otherwise="the model's own",
            help="Scale larger frames down to at most N pixels, for models that take frames of any size.",
        ),
    )
    box_gap: float = field(  # a longer gap may hide a cut
        default=1.0,
        metadata=setting(
            least=0,
            unit="seconds",
            help="Seconds: the longest gap between a speaker's boxes to interpolate over, and the farthest time from a "
            "single box.",
        ),
    )
    answer: str = field(  # "score" gives every question an answer
        default="score",
        metadata=setting(
            names="answer_modes",
            metavar="MODE",
            help="score: rank the candidates by probability; generate: let the model write, and parse its text; or a "
            "plug-in's mode.",
        ),
    )

    permute: int | None = field(
        default=None,
        metadata=setting(
            least=2,
            metavar="N",
            otherwise="the given order alone",
            help="Ask each question under N orders of its candidates, the given one first; see docs/permute.md.",
        ),
    )
    permute_seed: int = field(
        default=0, metadata=setting(least=0, help="With --permute: seed of the orders that are drawn.")
    )

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        check_settings(self)
