"""What a steering mode does to a prompt: which of its tokens are biased towards which visual tokens, how strongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from socialcli.alignment.plan import AlignmentPlan, Indices

if TYPE_CHECKING:
    from socialcli.inference.clip import ClipQuestion

Tokens = tuple[int, ...]  # indices in the model's input sequence, ascending


@dataclass(frozen=True, slots=True)
class SteeredTokens:
    """Tokens of the prompt that are biased alike towards some visual tokens: W = `weight` * the rule's bias."""

    part: str  # of the prompt
    tokens: Tokens
    weight: float  # of either sign, not 0
    columns: Tokens


def steered_tokens(asked: ClipQuestion, plan: AlignmentPlan, labels: Mapping[str, str]) -> tuple[SteeredTokens, ...]:
    """The biases of a plan, part by part of the prompt; `labels` are the speakers' by id.

    A plan without a pair has none.
    """
    weights = np.where(plan.pairs, 1 if plan.weights is None else plan.weights, 0)
    rest = np.ones(plan.rows.size, dtype=np.bool_)
    found: list[SteeredTokens] = []
    for part, tokens in _parts(asked, labels):
        places = np.flatnonzero(rest & np.isin(plan.rows, tokens))
        rest[places] = False
        found += _biased_alike(part, plan, weights, places)
    return (*found, *_biased_alike("other tokens", plan, weights, np.flatnonzero(rest)))


def _parts(asked: ClipQuestion, labels: Mapping[str, str]) -> Iterator[tuple[str, Indices]]:
    """The parts of the prompt that a mode knows, each with its tokens."""
    prompt = asked.prompt
    for line, tokens in zip(prompt.utterances, asked.encoded.token_spans, strict=True):
        yield f"utterance {line.id}", tokens
    for mention, tokens in zip(prompt.mentions, asked.label_tokens, strict=True):
        yield f"{labels[mention.speaker]} in the {'options' if mention.in_options else 'question'}", tokens
    yield "last prompt token", np.array([asked.encoded.length - 1])


def _biased_alike(
    part: str, plan: AlignmentPlan, weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]], places: Indices
) -> Iterator[SteeredTokens]:
    """The tokens of a part by their weights: nearly always all of them have the same."""
    if not places.size:
        return
    distinct, which = np.unique(weights[places], axis=0, return_inverse=True)
    for number, of_columns in enumerate(distinct):
        tokens = _numbers(plan.rows[places[which.reshape(-1) == number]])
        for weight in sorted(set(of_columns.tolist()) - {0.0}, reverse=True):
            columns = _numbers(plan.columns[of_columns == weight])
            yield SteeredTokens(part, tokens, round(float(weight), 6), columns)


def _numbers(values: Sequence[int] | Indices) -> Tokens:
    return tuple(int(value) for value in values)
