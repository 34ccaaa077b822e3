"""Only the forward passes of a clip's questions, on prepared tensors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from _device import wait_for
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence
from torch.utils.flop_counter import FlopCounterMode
from transformers import DynamicCache

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.plan import AlignmentPlan
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.session import ClipSession
from socialcli.models.transformers_internals import forward_with_cache


@dataclass(frozen=True, slots=True, eq=False)
class Passes:
    """The inputs of one clip's forward passes: the frames with the visual prefix, then the words of all questions."""

    prefix: dict[str, Any]
    words: dict[str, Any]
    last: Tensor  # (questions,) the index of each question's last token
    plans: Sequence[AlignmentPlan]
    letters: Sequence[Sequence[int]]  # per question, the token of each candidate's letter
    tokens: int  # of the prefix and all words


def prepare(adapter: Any, clip: ClipSession, asked: Sequence[ClipQuestion]) -> Passes:
    """Create the inputs of a clip's forward passes. The words are padded on the right."""
    assert clip.clip is not None  # the benchmarks' clips all have a video
    prompts = [question.encoded for question in asked]
    start = prompts[0].prefix
    ids = [torch.from_numpy(prompt.ids).to(adapter.device) for prompt in prompts]
    positions = [adapter.positions(prompt, clip.clip) for prompt in prompts]
    longest = max(one.numel() for one in ids)
    words = pad_sequence([one[start:] for one in ids], batch_first=True)
    real = pad_sequence([torch.ones_like(one) for one in ids], batch_first=True)
    places = torch.cat([pad(one[..., start:], (0, longest - one.shape[-1])) for one in positions], dim=-2)
    return Passes(
        {"input_ids": ids[0][:start].unsqueeze(0), "position_ids": positions[0][..., :start], **clip.clip.inputs},
        {"input_ids": words, "attention_mask": real, "position_ids": places},
        torch.tensor([one.numel() - start - 1 for one in ids], device=adapter.device),
        [question.plan for question in asked if question.plan is not None],
        [letter_ids(adapter, question) for question in asked],
        start + sum(one.numel() - start for one in ids),
    )


@torch.inference_mode()
def run_passes(adapter: Any, passes: Passes, alignment: Alignment | None) -> list[int]:
    """Run a clip's forward passes; returns the choice for each question."""
    cache = DynamicCache(config=adapter.model.config)
    forward_with_cache(adapter.model, cache, **passes.prefix, logits_to_keep=1)
    cache.batch_repeat_interleave(len(passes.letters))
    kept, slot = torch.unique(passes.last, return_inverse=True)
    with nullcontext() if alignment is None else aligned(adapter, passes.plans, alignment):
        logits = forward_with_cache(adapter.model, cache, **passes.words, logits_to_keep=kept).logits
    batch = torch.arange(len(passes.letters), device=adapter.device)
    return [int(row[list(ids)].argmax()) for row, ids in zip(logits[batch, slot], passes.letters, strict=True)]


def letter_ids(adapter: Any, question: ClipQuestion) -> list[int]:
    """The token by which the model says the letter of each candidate."""
    return [adapter.continuation_ids(adapter.letter_prefix + letter)[-1] for letter in question.prompt.letters]


def operations(adapter: Any, passes: Passes) -> int:
    """The floating point operations of a clip's matrix products, without those of attention itself."""
    with FlopCounterMode(display=False) as counter:
        run_passes(adapter, passes, None)
    return sum(count for name, count in counter.get_flop_counts()["Global"].items() if "attention" not in str(name))


def product_speed(device: str, dtype: torch.dtype) -> float:
    """The operations per second of a large matrix product: an upper bound for the passes."""
    size = 8192 if device == "cuda" else 2048
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    seconds = []
    for _ in range(10):
        wait_for(device)
        started = time.perf_counter()
        left @ right
        wait_for(device)
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / median(seconds)
