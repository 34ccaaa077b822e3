"""(torch) A clip's visual prefix in the model: computed once, then continued by every question on the clip.

The visual tokens stand before the words, so their keys and values depend neither on the question nor on the bias. The
cache of the prefix is never changed: every continuation works on a shallow copy.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import DynamicCache

from socialcli.adapters.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.errors import PromptError


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """The first tokens of every prompt on a clip, and the keys and values that the model made of them."""

    clip: EncodedClip | None  # None: prompts without video, which share nothing
    ids: npt.NDArray[np.int64]  # (P,)
    cache: DynamicCache | None

    @property
    def length(self) -> int:
        """P, the number of tokens."""
        return int(self.ids.size)


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """The state of a batch of prompts after their last token."""

    logits: Tensor  # (B, vocabulary) for the next token, float32
    cache: DynamicCache
    mask: Tensor  # (B, K), 1 where a key is real
    positions: Tensor  # (..., B, 1) of each prompt's last token


@torch.inference_mode()
def compute_prefix(adapter: Adapter, clip: EncodedClip | None, prompt: EncodedPrompt) -> Prefix:
    """Run the tokens up to the last visual one, which `prompt` has in common with every prompt on the clip."""
    ids = prompt.ids[: prompt.prefix]
    if clip is None or ids.size == 0:
        return Prefix(clip, ids, None)
    output = adapter.model(
        input_ids=torch.from_numpy(ids).to(adapter.device).unsqueeze(0),
        position_ids=adapter.positions(prompt, clip)[..., : ids.size],
        past_key_values=_empty_cache(adapter),
        use_cache=True,
        logits_to_keep=1,
        **clip.inputs,
    )
    return Prefix(clip, ids, output.past_key_values)


@torch.inference_mode()
def continue_prefix(adapter: Adapter, prefix: Prefix, prompts: Sequence[EncodedPrompt]) -> Continuation:
    """Run the rest of `prompts` in one batch, padded on the right, with the model's attention as it stands now.

    Token i of a prompt is key i of the sequence, so the indices of an alignment plan hold as they are. Raises
    PromptError for a prompt that does not begin with the prefix.
    """
    for prompt in prompts:
        if not np.array_equal(prompt.ids[: prefix.length], prefix.ids):
            raise PromptError("the prompt does not begin with the clip's visual prefix")
    rests = [prompt.ids[prefix.length :] for prompt in prompts]
    ids, mask = (torch.from_numpy(array).to(adapter.device) for array in _filled(rests))
    mask = torch.nn.functional.pad(mask, (prefix.length, 0), value=1)
    positions = _filled_positions([adapter.positions(p, prefix.clip) for p in prompts], prefix.length)
    last = torch.tensor([rest.size - 1 for rest in rests], device=adapter.device)
    kept, slot = torch.unique(last, return_inverse=True)
    output = adapter.model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=_copied(adapter, prefix, len(prompts)),
        use_cache=True,
        logits_to_keep=kept,
    )
    batch = torch.arange(len(prompts), device=adapter.device)
    return Continuation(
        logits=output.logits[batch, slot].float(),
        cache=output.past_key_values,
        mask=mask,
        positions=positions.gather(-1, last.unsqueeze(-1).expand(*positions.shape[:-1], 1)),
    )


@torch.inference_mode()
def next_logits(adapter: Adapter, state: Continuation, tokens: Tensor, step: int) -> Continuation:
    """Append `tokens` (B,), the `step`-th after the prompt counted from 1, to a batch."""
    mask = torch.nn.functional.pad(state.mask, (0, 1), value=1)
    output = adapter.model(
        input_ids=tokens.unsqueeze(-1),
        attention_mask=mask,
        position_ids=state.positions + step,
        past_key_values=state.cache,
        use_cache=True,
    )
    return Continuation(output.logits[:, -1].float(), output.past_key_values, mask, state.positions)


def _empty_cache(adapter: Adapter) -> DynamicCache:
    return DynamicCache(config=adapter.model.config)


def _copied(adapter: Adapter, prefix: Prefix, batch: int) -> DynamicCache:
    """A cache that may grow, for `batch` prompts; the prefix's own tensors stay as they are."""
    if prefix.cache is None:
        return _empty_cache(adapter)
    copied = copy.copy(prefix.cache)
    copied.layers = [copy.copy(layer) for layer in prefix.cache.layers]
    if batch > 1:
        copied.batch_repeat_interleave(batch)
    return copied


def _filled(rests: Sequence[npt.NDArray[np.int64]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    longest = max(rest.size for rest in rests)
    ids = np.zeros((len(rests), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, real, rest in zip(ids, mask, rests, strict=True):
        row[: rest.size], real[: rest.size] = rest, 1
    return ids, mask


def _filled_positions(whole: Sequence[Tensor], start: int) -> Tensor:
    """The positions behind the prefix, (..., B, S). What fills a short row up is masked: any number does."""
    longest = max(positions.shape[-1] for positions in whole) - start
    rests = [positions[..., start:] for positions in whole]
    return torch.cat([torch.nn.functional.pad(rest, (0, longest - rest.shape[-1])) for rest in rests], dim=-2)
