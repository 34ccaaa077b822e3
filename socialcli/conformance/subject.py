"""(torch) The adapter that is checked, with the prompts and the forward passes that several checks use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.plan import AlignmentPlan
from socialcli.conformance.scene import TASKS, noise_episode, noise_frames
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.conditions import continue_under
from socialcli.inference.session import ClipSession
from socialcli.models.contract import Adapter, LoadOptions

FRAMES = 2  # of most checks: enough for a visual prefix, and quick
MOST_ROUNDS = 64  # of the transcript, to get behind a sliding window


class Subject:
    """An adapter in memory, and how it was loaded, so that it can be loaded again."""

    def __init__(self, adapter: Adapter, options: LoadOptions) -> None:
        """Take a loaded adapter; its model should be float32, or the tolerances are too small."""
        self.adapter = adapter
        self.options = options

    @cached_property
    def clip(self) -> ClipSession:
        """A short clip. Its prompts are longer than the sliding window, if the decoder has one."""
        rounds, window = 1, self.sliding_window
        while True:
            clip = self.open(FRAMES, rounds)
            shortest = min(len(one.encoded.ids) - one.encoded.prefix for one in ask_all(clip))
            if window is None or shortest > window or rounds >= MOST_ROUNDS:
                return clip
            rounds *= 2

    @cached_property
    def asked(self) -> list[ClipQuestion]:
        """The questions on `clip`, one of each task; their prompts have different lengths."""
        return ask_all(self.clip)

    def open(self, frames: int, rounds: int = 1) -> ClipSession:
        """A clip of noise in the model; its people say their lines `rounds` times."""
        noise = noise_frames(count=frames)
        return ClipSession(self.adapter, noise_episode(noise, rounds), AskOptions(media_root=Path()), noise)

    @property
    def sliding_window(self) -> int | None:
        """The keys that a layer with a sliding window sees; None: the decoder has no such layer."""
        config = self.adapter.model.config.get_text_config()
        window: int | None = getattr(config, "sliding_window", None)
        kinds = getattr(config, "layer_types", None) or ()
        return window if window is not None and "sliding_attention" in kinds else None

    def logits(self, asked: Sequence[ClipQuestion], alignment: Alignment | None = None) -> Tensor:
        """The next token's logits as a run computes them, behind the shared visual prefix: (B, vocabulary)."""
        return self.logits_under(asked, [alignment])[0]

    def logits_under(self, asked: Sequence[ClipQuestion], conditions: Sequence[Alignment | None]) -> list[Tensor]:
        """The same under several conditions, which share what is equal under them."""
        found: dict[tuple[int, int], Tensor] = {}
        for one in continue_under(self.adapter, asked, conditions):
            for prompt, logits in zip(one.prompts, one.state.logits, strict=True):
                found |= {(index, prompt): logits for index in one.conditions}
        return [torch.stack([found[index, prompt] for prompt in range(len(asked))]) for index in range(len(conditions))]

    @torch.inference_mode()
    def whole_logits(self, asked: Sequence[ClipQuestion], alignment: Alignment | None = None) -> Tensor:
        """The same from one forward pass over whole prompts, padded on the left, with nothing shared."""
        with nullcontext() if alignment is None else aligned(self.adapter, padded_plans(asked), alignment):
            output = self.adapter.model(**self.whole_inputs(asked), logits_to_keep=1)
        logits: Tensor = output.logits
        return logits[:, -1].float()

    def whole_inputs(self, asked: Sequence[ClipQuestion]) -> dict[str, Any]:
        """The inputs of one forward pass over whole prompts of questions on one clip."""
        return self.adapter.forward_inputs([one.encoded for one in asked], asked[0].clip.clip)


def ask_all(clip: ClipSession) -> list[ClipQuestion]:
    """Prepare the questions of a clip of noise."""
    return [clip.ask(question, TASKS[question.task]) for question in clip.episode.questions]


def padded_plans(asked: Sequence[ClipQuestion]) -> list[AlignmentPlan]:
    """The plans of prompts that are padded on the left to the longest."""
    longest = max(one.encoded.length for one in asked)
    return [one.plan.shifted(longest - one.encoded.length) for one in asked if one.plan is not None]


def largest_difference(one: Tensor, other: Tensor) -> float:
    """The largest difference of two tensors of logits, over the largest logit if that is above 1.

    A float32 has seven digits: the larger the logits, the larger their rounding errors.
    """
    scale = max(1.0, float(other.abs().max()))
    return float((one - other).abs().max()) / scale
