"""LoRA adapters of the tiny sample checkpoints, made and saved by peft as a user's training would."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from socialcli.api import ask, load_model, open_clip
from socialcli.inference.session import ClipSession

from ..conftest import SAMPLE, sample_episodes

TARGETS = ("q_proj", "v_proj", "down_proj")

Scores = list[tuple[float, ...]]


def checkpoint(family: str) -> Path:
    """The folder of a family's sample checkpoint."""
    return SAMPLE / "checkpoints" / family


def save_adapter(family: str, folder: Path, seed: int = 1, **settings: Any) -> Path:
    """Save an adapter with random weights, B too, so that it changes answers; `settings` are those of LoraConfig."""
    model = load_model(family, checkpoint(family)).model
    config = LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": list(TARGETS), **settings})
    with warnings.catch_warnings(action="ignore"):  # of transformers about itself
        wrapped = get_peft_model(model, config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in wrapped.parameters():
            if weight.requires_grad:
                weight.add_(torch.empty_like(weight).normal_(0, 0.2, generator=generator))
    with warnings.catch_warnings(action="ignore"):  # that it saves what it must
        wrapped.save_pretrained(folder)
    return folder


@cache
def adapter(family: str, seed: int = 1) -> Path:
    """An adapter of the family's sample checkpoint, saved once."""
    return save_adapter(family, Path(_folder().name) / f"{family}-{seed}", seed)


@cache
def _folder() -> TemporaryDirectory[str]:
    """Of the adapters that tests share, until the process ends."""
    return TemporaryDirectory(prefix="socialcli-lora-")


def first_clip(model: Any) -> ClipSession:
    """The first sample clip in a model."""
    return open_clip(model, sample_episodes()[0], SAMPLE, frames=2)


def scores(model: Any, alignment: Any = None) -> Scores:
    """The scores of all questions of the first sample clip."""
    clip = first_clip(model)
    answers = clip.score([ask(clip, question) for question in clip.episode.questions], alignment)
    return [tuple(answer.scores or ()) for answer in answers]


def largest_difference(one: Scores, other: Scores) -> float:
    """Of any candidate's log-probability."""
    return max(abs(a - b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True))
