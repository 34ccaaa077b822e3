"""(torch) A clip's visual prefix in the model: computed once, then continued by every question on the clip.

The visual tokens come before the words, so their keys and values depend neither on the question nor on the bias. The
cache of a prefix never changes: continuations work on copies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import DynamicCache

from socialcli.errors import PromptError
from socialcli.inference.cache import joined_cache
from socialcli.models.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.models.prompts import pad_tokens
from socialcli.models.transformers_internals import forward_with_cache, kept_logits

MAX_NEW_TOKENS = 16  # of an answer: a letter, or a short label


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """The first tokens of every prompt on a clip, and their keys and values."""

    clip: EncodedClip | None  # None: prompts without video, which share no prefix
    ids: npt.NDArray[np.int64]  # (P,)
    cache: DynamicCache | None

    @property
    def length(self) -> int:
        """P, the number of tokens."""
        return int(self.ids.size)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Tokens of a batch of prompts that run through the model at once, behind those in a cache.

    Short prompts are padded on the right. Token i of a prompt is key i of the sequence, so an alignment plan's indices
    need no shift.
    """

    ids: Tensor  # (B, S)
    mask: Tensor  # (B, K), 1 where a key is real
    positions: Tensor  # (..., B, S)
    last: Tensor  # (B,) index of each prompt's last token among the S
    token_inputs: Mapping[str, Tensor]  # (B, S, ...) each: see `Adapter.token_inputs`

    def repeated(self, copies: int) -> Step:
        """The batch that many times over."""
        if copies == 1:
            return self
        return Step(
            ids=self.ids.repeat(copies, 1),
            mask=self.mask.repeat(copies, 1),
            positions=self.positions.repeat(*(1 for _ in self.positions.shape[:-2]), copies, 1),
            last=self.last.repeat(copies),
            token_inputs={name: torch.cat([value] * copies) for name, value in self.token_inputs.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """The state of a batch of prompts after a step."""

    logits: Tensor  # (B, vocabulary) for the next token, float32
    cache: DynamicCache
    mask: Tensor  # (B, K), 1 where a key is real
    positions: Tensor  # (..., B, 1) of each prompt's last token
    token_inputs: Mapping[str, Tensor]  # (B, 1, ...) each, of each prompt's last token

    def of_prompts(self, prompts: slice) -> Continuation:
        """The state of some of the prompts; its cache is still that of all, and cannot be continued."""
        return replace(
            self,
            logits=self.logits[prompts],
            mask=self.mask[prompts],
            positions=self.positions[..., prompts, :],
            token_inputs={name: value[prompts] for name, value in self.token_inputs.items()},
        )


@torch.inference_mode()
def compute_prefix(adapter: Adapter, clip: EncodedClip | None, prompt: EncodedPrompt) -> Prefix:
    """Run the tokens of `prompt` up to the last visual one, which every prompt on the clip shares."""
    ids = prompt.ids[: prompt.prefix]
    if clip is None or ids.size == 0:
        return Prefix(clip, ids, None)
    cache = empty_cache(adapter)
    forward_with_cache(
        adapter.model,
        cache,
        input_ids=torch.from_numpy(ids).to(adapter.device).unsqueeze(0),
        position_ids=adapter.positions(prompt, clip)[..., : ids.size],
        logits_to_keep=1,
        **{name: value[:, : ids.size] for name, value in adapter.token_inputs(prompt, clip).items()},
        **clip.inputs,
    )
    return Prefix(clip, ids, cache)


def continued_cache(adapter: Adapter, prefixes: Sequence[Prefix], room: int) -> DynamicCache:
    """A cache with the prefix of each prompt of a batch, all equally long, and room for `room` more tokens."""
    distinct = prefixes[:1] if len(set(prefixes)) == 1 else prefixes
    caches = [prefix.cache for prefix in distinct if prefix.cache is not None]
    return joined_cache(caches, len(prefixes), room, adapter.cross_layers) if caches else empty_cache(adapter)


@torch.inference_mode()
def step_of(
    adapter: Adapter, prefixes: Sequence[Prefix], prompts: Sequence[EncodedPrompt], start: int, end: int | None = None
) -> Step:
    """The tokens [start, end) of `prompts`. Raises PromptError for a prompt that does not begin with its prefix."""
    for prefix, prompt in zip(prefixes, prompts, strict=True):
        if not np.array_equal(prompt.ids[: prefix.length], prefix.ids):
            raise PromptError("the prompt does not begin with the clip's visual prefix")
    parts = [prompt.ids[start:end] for prompt in prompts]
    ids, mask = (torch.from_numpy(array).to(adapter.device) for array in _padded(parts))
    pairs = [(prompt, prefix.clip) for prompt, prefix in zip(prompts, prefixes, strict=True)]
    positions = [adapter.positions(*pair)[..., start:end] for pair in pairs]
    of_tokens = [adapter.token_inputs(*pair) for pair in pairs]
    longest = ids.shape[1]
    return Step(
        ids=ids,
        mask=torch.nn.functional.pad(mask, (start, 0), value=1),
        positions=pad_tokens(positions, longest, dim=-1, left=False),  # those of padding are masked: any number will do
        last=torch.tensor([part.size - 1 for part in parts], device=adapter.device),
        token_inputs={
            name: pad_tokens([made[name][:, start:end] for made in of_tokens], longest, dim=1, left=False)
            for name in of_tokens[0]
        },
    )


def room_for(step: Step) -> int:
    """The number of tokens that a cache needs room for: those of the step, and an answer."""
    return int(step.ids.shape[1]) + MAX_NEW_TOKENS


@torch.inference_mode()
def run_step(adapter: Adapter, step: Step, cache: DynamicCache) -> Continuation:
    """Run a step behind `cache`, which grows, with the attention that the model has now."""
    kept, slot = torch.unique(step.last, return_inverse=True)
    output = forward_with_cache(
        adapter.model,
        cache,
        input_ids=step.ids,
        attention_mask=step.mask,
        position_ids=step.positions,
        logits_to_keep=kept,
        **step.token_inputs,
    )
    batch = torch.arange(step.ids.shape[0], device=adapter.device)
    return Continuation(
        logits=kept_logits(output.logits, kept)[batch, slot].float(),
        cache=cache,
        mask=step.mask,
        positions=step.positions.gather(-1, step.last.unsqueeze(-1).expand(*step.positions.shape[:-1], 1)),
        token_inputs={name: value[batch, step.last].unsqueeze(1) for name, value in step.token_inputs.items()},
    )


@torch.inference_mode()
def next_logits(adapter: Adapter, state: Continuation, tokens: Tensor, step: int) -> Continuation:
    """Append `tokens` (B,), the `step`-th after the prompt counted from 1, to a batch."""
    mask = torch.nn.functional.pad(state.mask, (0, 1), value=1)
    output = forward_with_cache(
        adapter.model,
        state.cache,
        input_ids=tokens.unsqueeze(-1),
        attention_mask=mask,
        position_ids=state.positions + step,
        **state.token_inputs,
    )
    return replace(state, logits=output.logits[:, -1].float(), mask=mask)


def empty_cache(adapter: Adapter) -> DynamicCache:
    """A cache without entries."""
    return DynamicCache(config=adapter.model.config)


def _padded(parts: Sequence[npt.NDArray[np.int64]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    longest = max(part.size for part in parts)
    ids = np.zeros((len(parts), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, real, part in zip(ids, mask, parts, strict=True):
        row[: part.size], real[: part.size] = part, 1
    return ids, mask
