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

# The argument that makes a processor also return the text it puts in place of the video.
WITH_VIDEO_TEXT = {"return_text_replacement_offsets": True}


def take_video_text(output: MutableMapping[str, Any]) -> str:
    """Pop the text that stands for the video from a processor's `output`, made `WITH_VIDEO_TEXT` of one text."""
    replaced: str = output.pop("text_replacement_offsets")[0][0]["replacement"]
    return replaced


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
