"""(torch) Memory: what a prompt takes, what is free, and whether an error means that there was not enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import torch

from socialcli.models.contract import Adapter

_CGROUP = Path("/sys/fs/cgroup")  # where Linux has the limits of a container
_MASKS = 4  # of cross-attention: as many copies exist at once, in transformers and in the alignment


def prompt_bytes(adapter: Adapter, length: int, cross_keys: int = 0) -> int:
    """An upper estimate of the bytes that a prompt of `length` tokens takes in a batch, beyond the model.

    For a moment, keys and values exist twice, in the prefix and in its continuation; activations exist for one layer.
    Cross-attention adds its keys, the states that these are made of, and masks of tokens by keys.
    """
    config = adapter.model.config.get_text_config()
    stored = {
        layer: 2 * _key_width(config.per_layer_config[layer])  # numbers in the key and the value of a token
        for layer, module in enumerate(adapter.layers)
        if module is not None
    }
    cross = sum(stored[layer] for layer in adapter.cross_layers)
    token = 2 * (sum(stored.values()) - cross) + 6 * config.hidden_size + 3 * _feed_forward_width(config)
    key = cross + config.hidden_size + _MASKS * length
    size = torch.empty((), dtype=adapter.model.dtype).element_size()
    return int((length * token + cross_keys * key) * size + 4 * config.vocab_size)


def _key_width(config: Any) -> int:
    """The numbers in the keys of one token, by the configuration of one layer."""
    heads: int = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return int((getattr(config, "num_key_value_heads", None) or heads) * width)


def _feed_forward_width(config: Any) -> int:
    """The numbers inside a layer's feed-forward networks for one token: dense, shared, and of the chosen experts."""

    def number(name: str) -> int:
        return int(getattr(config, name, None) or 0)

    chosen = number("num_experts_per_tok") or number("top_k_experts")
    dense = number("intermediate_size") + number("shared_expert_intermediate_size")
    return dense + chosen * number("moe_intermediate_size")


def free_bytes() -> int:
    """The bytes that this process can still take before the system swaps or kills it."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        cached = dict(line.split() for line in (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):  # no such files, or no limit ("max")
        return free
    return min(free, max(limit - used + int(cached.get("inactive_file", 0)), 0))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that memory ran out, on a GPU or on this machine."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)  # on a CPU, PyTorch has no class for it
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)
