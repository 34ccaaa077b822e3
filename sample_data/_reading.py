"""Teach a decoder to read: to find a fact about a speaker in a text, and the letter of the matching option.

A published model's decoder has read a great deal of text before it sees a picture. One that has read nothing does not
learn within hours to look up a speaker, then a fact about the speaker, then the matching option. So it first reads
documents (`_documents.py`), with a loss at every answer. The fact about a speaker who is an option must be found in the
first few layers; the others choose among the options.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from _decoders import OPEN, keeping_open
from _documents import COLOURS, SIMPLE, Library
from _shapes import Checkpoint
from torch import Tensor
from torch.nn.functional import cross_entropy

GivenFacts = Sequence[int | None]
WORDS: GivenFacts = (0,)  # what a document gives, chosen at random: shirt colours as words; or ...
HINTS: GivenFacts = (*(None,) * 12, *(0,) * 4, 1, 2, 3, 4)  # all facts as hints, or one of them as words
MOST_HINTS: GivenFacts = (None, None, None, 0)
_EARLY = {"recall": 3, "fact": 4}  # the number of layers within which such questions must be answered
_BATCH = 24


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids (documents, L); row, place, token and kind of each answer; row, place and tokens of each hint."""

    ids: Tensor
    rows: Tensor
    places: Tensor
    tokens: Tensor
    kinds: list[str]
    hints: list[tuple[int, int, tuple[int, ...]]]


def learn(
    checkpoint: Checkpoint,
    library: Library,
    kinds: Sequence[str],
    steps: int,
    rate: float,
    given: GivenFacts = WORDS,
    simple: int = 0,
    whole: float = 0.0,
) -> None:
    """Learn from documents with the facts of `given` and questions of these kinds.

    The first `simple` updates ask only simple questions. `whole` is the share of documents with a whole transcript.
    """
    decoder, head = checkpoint.model.model.language_model, checkpoint.model.lm_head
    learnt = [*decoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(learnt, lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    hint_hook = _HintHook(decoder)
    hook = decoder.layers[0].self_attn.register_forward_hook(hint_hook)
    keep_open = keeping_open(checkpoint) if None in given else lambda: None
    right: dict[str, list[bool]] = {}
    begin = time.monotonic()
    for step in range(1, steps + 1):
        batch = _batch(library, SIMPLE if step <= simple else kinds, given, whole)
        hint_hook.hints = batch.hints
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, step / 100) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))
        logits = head(_states(decoder, batch))
        loss = cross_entropy(logits, batch.tokens)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        keep_open()
        for kind, hit in zip(batch.kinds, (logits.argmax(dim=-1) == batch.tokens).tolist(), strict=True):
            right.setdefault(kind, []).append(hit)
        if step % 50 == 0:
            shares = ", ".join(f"{kind} {sum(hits) / len(hits):.3f}" for kind, hits in sorted(right.items()))
            print(
                f"reading {step}: loss {loss.item():.3f}, {shares}, {time.monotonic() - begin:.0f} s", file=sys.stderr
            )
            right.clear()
    hook.remove()


def _batch(library: Library, kinds: Sequence[str], given: GivenFacts, whole: float) -> Batch:
    documents = []
    for _ in range(_BATCH):
        fact = library.rng.choice(given)
        asked = kinds
        if fact is not None and kinds != SIMPLE:  # words alone tell less than hints
            asked = COLOURS if fact == 0 else SIMPLE
        documents.append(library.write(asked, fact, library.rng.random() < whole))
    length = max(len(one.ids) for one in documents)
    answers = [(row, answer) for row, one in enumerate(documents) for answer in one.answers]
    return Batch(
        torch.tensor([one.ids + [library.end] * (length - len(one.ids)) for one in documents]),
        torch.tensor([row for row, _ in answers]),
        torch.tensor([answer.place for _, answer in answers]),
        torch.tensor([answer.token for _, answer in answers]),
        [answer.kind for _, answer in answers],
        [(row, *hint) for row, one in enumerate(documents) for hint in one.hints],
    )


def _states(decoder: Any, batch: Batch) -> Tensor:
    """The decoder's state at each answer, (answers, width); for simple questions, that of an early layer."""
    states = decoder(input_ids=batch.ids, use_cache=False, output_hidden_states=True).hidden_states
    found = states[-1][batch.rows, batch.places]
    for kind, layers in _EARLY.items():
        early = torch.tensor([one == kind for one in batch.kinds])
        found[early] = decoder.norm(states[layers][batch.rows[early], batch.places[early]])
    return found


class _HintHook:
    """A hook that adds the open heads' output as if a share of their attention were on the hints."""

    def __init__(self, decoder: Any) -> None:
        self.hints: Sequence[tuple[int, int, tuple[int, ...]]] = ()
        self._decoder = decoder

    def __call__(self, attention: Any, _: Any, output: Any) -> Any:
        if not self.hints:
            return output
        rows, places, tokens = (torch.tensor(part) for part in zip(*self.hints, strict=True))
        seen = self._decoder.embed_tokens(tokens).sum(dim=1)  # like a visual token that holds all of it
        values = attention.v_proj(self._decoder.layers[0].input_layernorm(seen))
        values = values.view(len(seen), self._decoder.config.num_attention_heads, -1)
        shares = torch.zeros(len(seen), values.shape[1], 1)
        shares[:, -OPEN:] = 0.3 + 0.7 * torch.rand(len(seen), 1, 1)
        given = attention.o_proj((values * shares).flatten(1))
        return (output[0].index_put((rows, places), given, accumulate=True), *output[1:])
