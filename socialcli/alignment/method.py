"""(torch) The method on one page, in the order of docs/method.md: scores, attention, head test, gain, mixed rows.

Equations as numbered in docs/method.md: (1), step 1, and (2), step 2, are published (arXiv 2511.17952); (3) is the
exact cheap form of (2), an identity. All of it concerns the rows U and the columns V_all of one layer.

    S(u, v)  = q_u . k_v * scale                        A(u, v) = exp(S(u, v) - lse(u)) = softmax over all keys of S
    active   : mean over U, V_all of A(u, v) > lambda                                                               (1)
    A'       = softmax(S + W), W on the pairs M(u) alone, by a rule of `socialcli.alignment.bias`                   (2)
    out'(u)  = (out(u) + sum_{v in M(u)} E(u, v) value(v)) / (1 + sum_{v in M(u)} E(u, v)),  E = A * (exp(W) - 1)   (3)

Shapes: B prompts, H query heads, R rows, C columns, D entries of a head. Tensors are float32 or wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from socialcli.alignment.kernels import grouped_scores


def masked_scores(queries: Tensor, keys: Tensor, scale: float, hidden: Tensor | None) -> Tensor:
    """S(u, v), (B, H, R, C), of `queries` (B, H, R, D); `hidden` holds -inf where u does not see v, else 0."""
    scores = grouped_scores(queries, keys, scale)
    return scores if hidden is None else scores + hidden


def attention(scores: Tensor, lse: Tensor) -> Tensor:
    """A(u, v), (B, H, R, C), from S and the log-sum-exp of each whole row, (B, H, R)."""
    return (scores - lse.unsqueeze(-1)).exp_()


def mean_attention(attention: Tensor, count: Tensor) -> Tensor:
    """The left side of (1), (B, H): the mean over the `count` (B, 1) rows times columns of each prompt; padding is 0.

    NaN, which is above no threshold, for a prompt without rows or columns.
    """
    return attention.sum(dim=(-1, -2)) / count


def gain(bias: Tensor) -> Tensor:
    """g = exp(W) - 1, as a multiple of exp(max(0, W)): a large bias cannot overflow."""
    size = torch.expm1(-bias.abs())
    return torch.where(bias > 0, -size, size)


@dataclass(frozen=True, slots=True, eq=False)
class RowMix:
    """The weights of (3): out'(u) = kept(u) * out(u) + sum over v of added(u, v) * value(v)."""

    kept: Tensor  # (B, H, R, 1): 1 / (1 + sum E)
    added: Tensor  # (B, H, R, C): E / (1 + sum E); 0 beside the pairs, below 0 where W < 0
    cancelling: Tensor  # (B, H, R) bool: rows that lose over half of their mass, where (3) is inexact


def row_mix(scores: Tensor, lse: Tensor, bias: Tensor, pairs: Tensor) -> RowMix:
    """The weights of (3) for W = `bias` (B, H, R, 1 or C), which is 0 in rows without a pair, on `pairs` (broadcast).

    Numerator and denominator are scaled by exp(-c), c = max(0, max over M(u) of S - lse + W).
    """
    raised = (scores + (bias.clamp(min=0) - lse.unsqueeze(-1))).masked_fill_(~pairs, -torch.inf)
    shift = raised.amax(dim=-1, keepdim=True).clamp(min=0)  # c
    added, kept = (raised - shift).exp_() * gain(bias), (-shift).exp()  # exp(-c) * E, exp(-c) * 1
    total = added.sum(dim=-1, keepdim=True)
    mass = kept + total  # exp(-c) * (1 + sum E)
    lost = -(total if bias.shape[-1] == 1 else added.clamp(max=0).sum(dim=-1, keepdim=True))
    cancelling = lost > mass
    mass = torch.where(cancelling, 1.0, mass)  # could be 0; these rows are recomputed from all their keys
    return RowMix(kept / mass, added / mass, cancelling.squeeze(-1))


def mixed_rows(plain: Tensor, addition: Tensor, kept: Tensor, active: Tensor | None) -> Tensor:
    """(3) in the `active` heads (B, H; None: all): kept * plain + addition, both (B, H, R, any); elsewhere `plain`."""
    mixed = torch.addcmul(addition, kept, plain)
    return mixed if active is None else torch.where(active[..., None, None], mixed, plain)
