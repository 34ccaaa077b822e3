"""What a run was asked to do: every setting with its default, and what it means once the model is known."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from socialcli.alignment.layers import check_layers
from socialcli.alignment.rules import DEFAULT_RULE
from socialcli.episodes.coverage.record import parse_min_coverage
from socialcli.errors import UsageError
from socialcli.tasks import base
from socialcli.tasks.prompt import BoxesAs, Context

Alignment = Literal["on", "off", "both"]
Inputs = Literal["L", "VL", "VLB"]
AnswerMode = Literal["score", "generate"]
AttentionKernel = Literal["auto", "flash", "efficient", "math", "eager"]

ALL_TASKS = (base.ALL_TASKS,)

_CHOICES: dict[str, tuple[str, ...]] = {
    "alignment": get_args(Alignment),
    "inputs": get_args(Inputs),
    "boxes_as": get_args(BoxesAs),
    "context": get_args(Context),
    "answer": get_args(AnswerMode),
    "attn": get_args(AttentionKernel),
}
_AT_LEAST = {
    "alpha": 0,
    "lambda_": 0,
    "box_gap": 0,
    "frames": 1,
    "max_pixels": 1,
    "workers": 0,
    "limit": 0,
    "check_invariance": 0,
    "max_heads": 1,
}
_FAILURE_LIMIT = re.compile(r"([0-9]+)|([0-9]+(?:\.[0-9]+)?)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The settings of `socialcli run`. Raises UsageError for a value outside its range or choices."""

    episodes: str  # the episodes file: Parquet, JSONL or .jsonl.gz
    model: str  # the name of a model, as `socialcli models` lists it
    tasks: tuple[str, ...]  # at least one, as `socialcli tasks` lists them, or ALL_TASKS
    more_episodes: tuple[str, ...] = ()  # files to ask behind it; no two have an id in common
    checkpoint: str | None = None  # None: the hub id that the model's adapter names
    revision: str | None = None  # of a checkpoint on the hub; None: its main branch
    allow_links: bool = False  # a link in a checkpoint from elsewhere could open any file
    adapter: str | None = None  # the folder of a LoRA adapter; None: the checkpoint alone
    merge: bool = False  # unmerged, the adapter's numbers stay in float32
    alignment: Alignment = "on"  # what socialcli is for; "both" asks every question without and with it
    alpha: float = 1.0  # the published strength of the bias; 0 changes nothing
    lambda_: float = 5e-5  # the published share of attention from which a head is active
    layers: str = "auto"  # the middle third, the best published range; or "all", or "10-19" (first and last)
    heads: str | None = None  # a heads.parquet: its heads, whatever the input; None: chosen for every question
    heads_min_share: float = 0.5  # of the prompts that the file was made from: the heads active in most of them
    max_heads: int | None = None  # active per question, those that attend most; None: as many as pass lambda
    bias: str = DEFAULT_RULE  # the published equations to the letter
    inputs: Inputs = "VL"  # language and video; alignment takes the boxes without showing them to the model
    boxes_as: BoxesAs = "none"  # alignment shows the model no box; the others are remedies to compare with
    context: Context = "full"  # offline, the setting of most published figures; "past" is the online one
    frames: int = 8  # as published; sampled uniformly over the clip
    frame_fit: str | None = None  # None: the first way that the model's adapter declares
    positions: str | None = None  # None: the first rule that the model's adapter declares
    max_pixels: int | None = None  # of a frame; None: the cap that the model's adapter declares
    box_gap: float = 1.0  # seconds to interpolate over, or to the nearest box: a longer gap may hide a cut
    answer: AnswerMode = "score"  # ranks the candidates, so every question has an answer; or "generate"
    batch_size: int | Literal["auto"] = "auto"  # questions in one forward; changes speed and memory, not the answers
    workers: int | None = None  # threads that read clips while the model works; None: one for every four cores
    device: str = "auto"  # a GPU where there is one
    dtype: str = "auto"  # bfloat16 on a GPU, float32 on a CPU
    attn: AttentionKernel = "auto"  # PyTorch's choice; another one to compare with, or where that one fails
    limit: int | None = None  # None: all; else the first so many questions of each task
    split: str | None = None  # None: all; else the episodes of this split
    media_root: str | None = None  # None: the folder of the episodes file
    check_invariance: int = 0  # questions to ask again in other ways; a few show a set-up that cannot be trusted
    min_coverage: str | None = None  # "50%": with less of the utterances near a box of their speaker, do not begin
    max_failures: str | None = None  # "5" or "2%": stop when more fail; None: ask all, and speak up if any failed
    timeout_per_question: float | None = None  # seconds; None: as long as it takes

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        for name, least in _AT_LEAST.items():
            _check_number(name, getattr(self, name), least)
        if self.batch_size != "auto":
            _check_number("batch_size", self.batch_size, 1)
        if not self.tasks:
            raise UsageError("no task is named: add --task NAME, or --task all")
        check_layers(self.layers)
        if self.max_heads is not None and self.heads is not None:
            raise UsageError("--max-heads limits the heads that --lambda finds, and --heads names them; leave one out")
        FailureLimit.parse(self.max_failures)
        if self.min_coverage is not None:
            parse_min_coverage(self.min_coverage)
        if self.timeout_per_question is not None and not self.timeout_per_question > 0:
            raise UsageError(
                f"--timeout-per-question {self.timeout_per_question} is out of range: give seconds above 0"
            )

    @property
    def episode_files(self) -> tuple[Path, ...]:
        """The episodes files, in the order in which they are asked."""
        return tuple(map(Path, (self.episodes, *self.more_episodes)))

    @property
    def splits(self) -> tuple[str] | None:
        """The split whose episodes are asked; None: all are."""
        return None if self.split is None else (self.split,)

    def media_root_of(self, folder: Path) -> Path:
        """Where the videos of an episodes file in `folder` are named from."""
        return Path(self.media_root) if self.media_root is not None else folder

    def conditions(self) -> tuple[bool, ...]:
        """The conditions each question is asked under: whether aligned, the unaligned one first."""
        return {"off": (False,), "on": (True,), "both": (False, True)}[self.alignment]

    def as_record(self) -> dict[str, Any]:
        """The settings as JSON values, under the names of the options (`lambda`, not `lambda_`)."""
        record = {field.name.rstrip("_"): getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**record, "tasks": list(self.tasks), "more_episodes": list(self.more_episodes)}


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many failed rows a run may end with and still be done: `allowed`, or that share of all."""

    allowed: Fraction  # rows, or a share between 0 and 1
    is_share: bool

    @classmethod
    def parse(cls, text: str | None) -> FailureLimit:
        """Read "5" (rows) or "2.5%" (of all rows); None allows no failure. Raises UsageError for anything else."""
        if text is None:
            return cls(Fraction(0), is_share=False)
        match = _FAILURE_LIMIT.fullmatch(text)
        if match is None:
            raise UsageError(f"--max-failures {text!r} is no limit: write a number of rows (5) or a share of them (2%)")
        count, percent = match.groups()
        if count is not None:
            return cls(Fraction(count), is_share=False)
        if Fraction(percent) > 100:
            raise UsageError(f"--max-failures {text!r} is more than all of the rows: write 0% to 100%")
        return cls(Fraction(percent) / 100, is_share=True)

    def exceeded(self, failed: int, total: int) -> bool:
        """Whether `failed` of `total` rows are more than the limit allows."""
        return failed > (self.allowed * total if self.is_share else self.allowed)


def _option(name: str) -> str:
    return "--" + name.rstrip("_").replace("_", "-")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{_option(name)} {value!r} is not one of {', '.join(choices)}")


def _check_number(name: str, value: float | None, least: int) -> None:
    if value is not None and not (value >= least and math.isfinite(value)):
        raise UsageError(f"{_option(name)} {value} is out of range: give a number of at least {least}")
