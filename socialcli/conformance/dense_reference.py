"""(torch) Aligned attention written from the method's formulas, every score in memory: the reference of `dense`.

It shares the plan's indices with the product, and none of its attention: no fused kernel, no correction of rows, no
cache. The layer of a module is the module's own `layer_idx`, not its place in the adapter's list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.hooks import decoder_attention
from socialcli.alignment.plan import AlignmentPlan
from socialcli.models.contract import Adapter

REFERENCE = "socialcli_dense_reference"


@dataclass(frozen=True, slots=True, eq=False)
class DenseAlignment:
    """The method of arXiv 2511.17952 for one prompt, as an attention function of transformers."""

    plan: AlignmentPlan
    layers: Collection[int]  # that take part
    threshold: float  # lambda
    alpha: float
    floored: bool  # W = max(0, alpha * max S) in place of the published W = alpha * max S

    def attend(
        self,
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        """Attention of (1, heads, Q, width) in float64, head by head, as (1, Q, heads, width)."""
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        groups = query.shape[1] // key.shape[1]
        mask = _additive(attention_mask, module, query.shape[2], key.shape[2])
        aligned = module.layer_idx in self.layers
        heads = []
        for head in range(query.shape[1]):
            keys, values = key[0, head // groups].double(), value[0, head // groups].double()
            scores = query[0, head].double() @ keys.T * scale
            masked = scores + mask[0, head if mask.shape[1] > 1 else 0]
            heads.append((self._attention(masked) if aligned else _softmax(masked)) @ values)
        return torch.stack(heads, dim=1).unsqueeze(0).to(query.dtype), None

    def _attention(self, scores: Tensor) -> Tensor:
        """The attention (Q, K) of one head of an aligned layer, whose `scores` are -inf where a key is hidden."""
        plain = _softmax(scores)
        device = scores.device
        rows, columns, pairs = (
            torch.from_numpy(part).to(device) for part in (self.plan.rows, self.plan.columns, self.plan.pairs)
        )
        if not rows.numel() or not columns.numel() or not plain[rows][:, columns].mean() > self.threshold:
            return plain  # step 1: the head is not active
        visual = scores[rows][:, columns]
        largest = visual.amax(dim=1, keepdim=True)
        bias = self.alpha * (largest.clamp(min=0) if self.floored else largest)
        raised = scores.clone()
        raised[rows[:, None], columns] = torch.where(pairs & visual.isfinite(), visual + bias, visual)
        return _softmax(raised)


@contextmanager
def dense_alignment(adapter: Adapter, alignment: DenseAlignment) -> Iterator[None]:
    """Give the text decoder the dense attention of one prompt while the block runs."""
    AttentionInterface.register(REFERENCE, alignment.attend)
    AttentionMaskInterface.register(REFERENCE, sdpa_mask)
    with decoder_attention(adapter, REFERENCE):
        yield


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(dim=-1).nan_to_num(0)  # a row that sees no key attends to none


def _additive(mask: Tensor | None, module: Any, queries: int, keys: int) -> Tensor:
    """The mask as a term of the scores, (1, 1 or heads, Q, K) in float64."""
    if mask is None:
        causal = queries == keys and getattr(module, "is_causal", True)
        visible = torch.ones(1, 1, queries, keys, dtype=torch.bool, device=next(module.parameters()).device)
        mask = visible.tril() if causal else visible
    if mask.dtype == torch.bool:
        return torch.zeros(mask.shape, dtype=torch.float64, device=mask.device).masked_fill(~mask, -torch.inf)
    return mask.double().masked_fill(mask <= torch.finfo(mask.dtype).min / 2, -torch.inf)  # hidden, in every notation
