"""Random weights: attention is not uniform, and every visual token depends mostly on its own pixels."""

from __future__ import annotations

import math
from typing import Any

import torch

# Decay and time step of linear attention, and the convolution before it: random values would forget everything at once.
KEPT = ("A_log", "dt_bias", "conv1d", "lambda")
FROM_OTHERS = 0.3  # of what a visual token takes from other patches: it keeps mostly its own
FROM_STATES = 0.3  # of what linear attention adds: random states cancel, and its norm would magnify rounding to 1e-4


@torch.no_grad()
def randomise(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Draw every weight anew, in the order of the names; norms and `KEPT` keep the class's own initial values."""
    weights = dict(model.named_parameters())
    tied = not any("lm_head" in name for name in weights)
    for name, weight in sorted(weights.items()):
        if "norm" in name or "ln_q" in name or any(kept in name for kept in KEPT):
            continue
        if weight.numel() == 1 and "gate" in name:
            weight.fill_(1.0)  # mllama's gates are 0 before training, and would hide images and positions
        else:
            weight.normal_(0.0, _spread(name, weight, tied), generator=generator)
    for name, module in model.named_modules():
        _set_norms(module, decoder="language_model" in name, cross="cross_attn" in name)


def _set_norms(module: Any, decoder: bool, cross: bool) -> None:
    """Weights of norms that decide how selective attention is, and how much it counts, in place of a projection's."""
    if decoder and hasattr(module, "q_norm") and module.scaling < 1.0:
        # Scores of unit queries and keys have a standard deviation of 1: 2 here, 4 among the many keys of all frames.
        for norm in (module.q_norm, module.k_norm):
            norm.weight.add_(1.0 if cross else 0.4)
    if not decoder and hasattr(module, "post_feedforward_layernorm"):  # Gemma 4 normalises what attention adds
        module.post_attention_layernorm.weight.fill_(FROM_OTHERS)


def _spread(name: str, weight: torch.Tensor, tied: bool) -> float:
    """The standard deviation of a weight: 1 / sqrt(inputs) preserves the scale of activations."""
    vision = "language_model" not in name and "text_model" not in name
    if weight.ndim == 1:  # biases, and learnt vectors such as LLaVA's newline
        return 0.1
    if "embed_tokens" in name:
        return 2.0 / math.sqrt(weight.shape[1]) if tied else 1.0  # tied embeddings also give the logits
    if "position" in name or "pos_embed" in name or "tile_embedding" in name or "cls_token" in name:
        return 0.2
    gain = 1.0
    if "q_proj" in name or "k_proj" in name or "qkv" in name:
        gain = 1.4  # attention logits with a standard deviation of about 2
    elif "patch_embed" in name or "lm_head" in name:
        gain = 2.0
    elif "linear_attn.out_proj" in name:
        gain = FROM_STATES
    elif vision and any(part in name for part in ("out_proj", "o_proj", "attn.proj", "projection_layer")):
        gain = FROM_OTHERS
    return gain / math.sqrt(weight[0].numel())
