"""(torch) From the state behind a prompt to the candidates' scores, or to generated text."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from socialcli.errors import ModelError
from socialcli.inference.prefix import MAX_NEW_TOKENS, Continuation, next_logits
from socialcli.models.contract import Adapter


def letter_ids(adapter: Adapter, letters: str) -> tuple[int, ...]:
    """The token with which the model answers each letter, right after the prompt.

    Raises ModelError unless each letter has a single token of its own there.
    """
    spoken = [adapter.continuation_ids(adapter.letter_prefix + letter) for letter in letters]
    if len({ids[:-1] for ids in spoken}) > 1 or len({ids[-1] for ids in spoken}) < len(letters) or len(spoken[0]) > 1:
        raise ModelError("the model's tokenizer has no single token for each of the candidates' letters")
    return tuple(ids[-1] for ids in spoken)


def candidate_scores(adapter: Adapter, logits: Tensor, letters: str) -> tuple[float, ...]:
    """The log-probability of each letter as the next token, normalised over the letters; `logits` is (vocabulary,).

    Raises ModelError if the model's output is not a number.
    """
    chosen = logits[list(letter_ids(adapter, letters))]
    scores = torch.log_softmax(chosen.double(), dim=-1)
    if not bool(torch.isfinite(scores).all()):
        raise _not_numbers()
    return tuple(scores.tolist())


def generate_greedily(adapter: Adapter, state: Continuation, limit: int = MAX_NEW_TOKENS) -> list[str | ModelError]:
    """The text of `greedy_ids` for every prompt of the batch."""
    found = greedy_ids(adapter, state, limit)
    return [one if isinstance(one, ModelError) else adapter.decode(one) for one in found]


def greedy_ids(adapter: Adapter, state: Continuation, limit: int = MAX_NEW_TOKENS) -> list[Sequence[int] | ModelError]:
    """The most likely continuation of every prompt of the batch, up to its end (without it) or `limit` tokens.

    A prompt for which the model's output is not a number gets a ModelError instead. Not transformers' `generate`,
    which cannot continue a batch of unequal prompts behind one shared prefix.
    """
    ends = torch.tensor(sorted(adapter.end_ids), device=state.logits.device)
    chosen: list[Tensor] = []
    broken = torch.zeros(state.logits.shape[0], dtype=torch.bool, device=state.logits.device)
    ended = broken.clone()
    for step in range(1, limit + 1):
        broken |= ~torch.isfinite(state.logits).all(dim=-1) & ~ended
        tokens = state.logits.argmax(dim=-1)
        chosen.append(tokens)
        ended |= torch.isin(tokens, ends) | broken
        if bool(ended.all()) or step == limit:
            break
        state = next_logits(adapter, state, tokens, step)
    return [
        _not_numbers() if failed else until_end(row, adapter.end_ids)
        for row, failed in zip(torch.stack(chosen, dim=1).tolist(), broken.tolist(), strict=True)
    ]


def until_end(ids: Sequence[int], ends: frozenset[int]) -> Sequence[int]:
    """The ids before the first of `ends`."""
    end = next((index for index, token in enumerate(ids) if token in ends), len(ids))
    return ids[:end]


def _not_numbers() -> ModelError:
    return ModelError("the model's scores are not numbers; try --dtype float32")
