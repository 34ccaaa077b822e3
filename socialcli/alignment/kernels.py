"""(torch) Fused attention that also returns each row's log-sum-exp (lse), where the kernel computes it.

The output is, bit for bit, that of `torch.nn.functional.scaled_dot_product_attention`. On a CPU and on CUDA, where no
gradient is needed, PyTorch reports which of the allowed kernels it would choose, and that kernel is called directly,
because it returns its log-sum-exp too:

    on a CPU   flash
    on CUDA    flash (half precision, no mask), efficient, cuDNN

In every other case (the math kernel, Apple's MPS, tensors that need gradients) the function itself is called, and
`row_lse` computes the log-sum-exp of the few rows that need it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend
from torch.nn.functional import scaled_dot_product_attention

_FLASH, _EFFICIENT, _CUDNN = (
    backend.value
    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION)
)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, eager: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Attention of `query` (B, Hq, Q, D) over `key` and `value` (B, Hkv, K, D), Hq a multiple of Hkv.

    `mask` broadcasts to (B, Hq, Q, K), boolean or as `additive` returns it; None is plain causal attention, with Q = K
    or with a single, last query. Returns the output (B, Hq, Q, D) and the log-sum-exp of the scaled scores (B, Hq, Q),
    None where the kernel does not return it. `eager`, which takes a boolean mask, uses no fused kernel and holds every
    score in memory: a reference.
    """
    if eager:
        return _attend_eagerly(query, key, value, mask, scale)
    if mask is not None and mask.dtype == torch.bool:
        mask = additive(mask, query.dtype)
    fused = None
    if query.device.type == "cpu" and not _needs_gradient(query, key, value):
        fused = _attend_on_cpu(query, key, value, mask, scale)
    elif query.device.type == "cuda" and not _needs_gradient(query, key, value):
        fused = _attend_on_cuda(query, key, value, mask, scale)
    return fused or (_attend_portably(query, key, value, mask, scale), None)


def _attend_eagerly(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float
) -> tuple[Tensor, Tensor]:
    scores = grouped_scores(query, key, scale)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    if _is_causal(query, mask):
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    # A row that sees nothing is padding: 0, as in the fused kernels.
    weights = scores.softmax(dim=-1).nan_to_num(0)
    return grouped_sum(weights.to(value.dtype), value), scores.logsumexp(dim=-1)


def additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A boolean mask as a term of the scores: 0 where it is true, else -inf.

    Its rows begin at multiples of 16 entries, which the efficient kernel requires.
    """
    width = mask.shape[-1]
    padded = torch.zeros(*mask.shape[:-1], -(-width // 16) * 16, dtype=dtype, device=mask.device)
    return padded[..., :width].masked_fill_(~mask, -math.inf)


def as_boolean(mask: Tensor | None) -> Tensor | None:
    """A mask as a boolean one: cross-attention brings terms of the scores, 0 where a query sees a key."""
    return mask if mask is None or mask.dtype == torch.bool else mask == 0


def row_lse(queries: Tensor, rows: Tensor, key: Tensor, mask: Tensor | None, scale: float, cached: int = 0) -> Tensor:
    """The log-sum-exp of the scaled scores of a few rows, (B, Hq, R), on any device and with gradients.

    `queries` (B, Hq, R, D) are the rows' queries and `rows` (B, R) their indices among the queries, which `cached` keys
    precede; `key` is (B, Hkv, K, D); `mask` as in `attend`. Memory grows with R * K, never with K * K.
    """
    scores = grouped_scores(queries, key, scale)
    if mask is None:
        hidden = torch.arange(key.shape[2], device=key.device) > rows[:, None, :, None] + cached
    else:
        hidden = ~visible_keys(mask, rows)
    return scores.masked_fill(hidden, -math.inf).logsumexp(dim=-1)


def visible_keys(mask: Tensor, rows: Tensor) -> Tensor:
    """Which keys the queries `rows` (B, R) may see, (B, 1 or Hq, R, K) bool; `mask` as in `attend`."""
    whole = mask.expand(rows.shape[0], *mask.shape[1:])
    index = rows[:, None, :, None].expand(-1, whole.shape[1], -1, whole.shape[3])
    return whole.gather(2, index)


def visible(mask: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Which keys `columns` (B, C) the queries `rows` (B, R) may see, (B, 1 or Hq, R, C); `mask` as in `attend`."""
    whole = mask.expand(rows.shape[0], *mask.shape[1:])
    prompt = torch.arange(rows.shape[0], device=rows.device)[:, None, None]
    return whole[prompt, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def grouped_scores(queries: Tensor, keys: Tensor, scale: float) -> Tensor:
    """S = q.k * scale, (B, Hq, R, C), of `queries` (B, Hq, R, D) and `keys` (B, Hkv, C, D), without repeating keys."""
    batch, heads, rows, width = queries.shape
    by_group = queries.reshape(batch, keys.shape[1], -1, width) * scale
    return (by_group @ keys.transpose(-1, -2)).view(batch, heads, rows, -1)


def grouped_sum(weights: Tensor, values: Tensor) -> Tensor:
    """The weighted sums (B, Hq, R, D) of `values` (B, Hkv, C, D) under `weights` (B, Hq, R, C)."""
    batch, heads, rows, columns = weights.shape
    by_group = weights.reshape(batch, values.shape[1], -1, columns)
    return (by_group @ values).view(batch, heads, rows, -1)


def _is_causal(query: Tensor, mask: Tensor | None) -> bool:
    # A single query comes after all keys: the kernels' causal mask would show it only the first one.
    return mask is None and query.shape[2] > 1


def _needs_gradient(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def _attend_portably(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    key, value = _repeated(key, query), _repeated(value, query)
    causal = _is_causal(query, bias)
    return scaled_dot_product_attention(query, key, value, attn_mask=bias, is_causal=causal, scale=scale)


def _attend_on_cpu(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float
) -> tuple[Tensor, Tensor] | None:
    if _chosen(query, key, value, bias, scale) != _FLASH:
        return None
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, _is_causal(query, bias), attn_mask=bias, scale=scale
    )
    return output, lse


def _attend_on_cuda(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float
) -> tuple[Tensor, Tensor] | None:
    if bias is not None:
        key, value = _repeated(key, query), _repeated(value, query)
    causal, kernel = _is_causal(query, bias), _chosen(query, key, value, bias, scale)
    if kernel == _FLASH and query.shape[-1] % 8 == 0:  # heads of other widths would have to be padded
        output, lse, *_ = torch.ops.aten._scaled_dot_product_flash_attention(
            query, key, value, 0.0, causal, scale=scale
        )
    elif kernel == _EFFICIENT:
        whole = None if bias is None else bias.expand(*query.shape[:-1], -1)
        output, lse, *_ = torch.ops.aten._scaled_dot_product_efficient_attention(
            query, key, value, whole, True, 0.0, causal, scale=scale
        )
        lse = lse[..., : query.shape[2]]  # it is padded
    elif kernel == _CUDNN:
        output, lse, *_ = torch.ops.aten._scaled_dot_product_cudnn_attention(
            query, key, value, bias, True, 0.0, causal, scale=scale
        )
        lse = lse.view(query.shape[:-1])
    else:
        return None
    return output, lse


def _chosen(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float) -> int:
    """The number of the kernel that PyTorch would choose. Raises RuntimeError if none is allowed."""
    shared = key.shape[1] != query.shape[1]
    causal = _is_causal(query, bias)
    return torch._fused_sdp_choice(query, key, value, bias, 0.0, causal, scale=scale, enable_gqa=shared)


def _repeated(tensor: Tensor, query: Tensor) -> Tensor:
    groups = query.shape[1] // tensor.shape[1]
    return tensor if groups == 1 else tensor.repeat_interleave(groups, dim=1)
