"""(torch) Undocumented interfaces of transformers, and those that its versions name differently.

No other module may use these. `tests/models/test_transformers_internals.py` names the one that a release moves. Related
interfaces live elsewhere: a layer's keys and values in `socialcli.inference.cache`, the name of a model's attention in
`socialcli.alignment.hooks`, the kernels of PyTorch in `socialcli.alignment.kernels`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, MutableMapping
from functools import cache as memoized
from typing import Any

from transformers import cache_utils
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer, LinearAttentionLayer

# The argument that makes a processor also return the texts it puts in place of videos and images.
WITH_VISUAL_TEXTS = {"return_text_replacement_offsets": True}


# The kinds of decoder layers that the alignment handles exactly, as in a configuration's `layer_types`.
LAYER_TYPES = frozenset({"full_attention", "sliding_attention", "linear_attention"})

# The KV cache of a layer that uses the keys of another one: older versions of transformers have none.
SHARED_CACHE_LAYER: type | None = getattr(cache_utils, "DummyLayer", None)

# The kinds of KV cache layers that `socialcli.inference.cache` continues exactly.
CACHE_LAYERS = frozenset({DynamicLayer, DynamicSlidingWindowLayer, LinearAttentionLayer, SHARED_CACHE_LAYER})


def take_visual_texts(output: MutableMapping[str, Any], placeholder: str, count: int) -> tuple[str, ...]:
    """Pop the texts that stand for a clip from a processor's `output`, made `WITH_VISUAL_TEXTS` of one text.

    `count` is the number of placeholders in that text: they stand for themselves where the processor replaces none.
    """
    replaced = output.pop("text_replacement_offsets", None) or [[]]
    return tuple(one["replacement"] for one in replaced[0]) or (placeholder,) * count


def forward_with_cache(model: Any, cache: Any, **inputs: Any) -> Any:
    """The output of a forward pass that extends `cache`, a DynamicCache, in place."""
    return model(**inputs, **{cache_argument(type(model).forward): cache}, use_cache=True)


def kept_logits(logits: Any, kept: Any) -> Any:
    """The logits (B, K, V) of the tokens `kept` (K,), from a forward pass that got these as `logits_to_keep`.

    Some models (VideoLLaMA3, Qwen2.5-Omni) ignore the argument without a word and return the logits of all tokens.
    """
    return logits if logits.shape[1] == kept.numel() else logits[:, kept]


@memoized
def cache_argument(forward: Callable[..., Any]) -> str:
    """The name of forward's cache argument: `cache` since transformers 5.24, `past_key_values` before."""
    return "cache" if "cache" in inspect.signature(forward).parameters else "past_key_values"
