"""(torch) What socialcli uses of transformers beyond its documented interface, or that its versions name differently.

Nothing else may use these. `tests/models/test_transformers_internals.py` fails, and says which, where a release moves
one of them. Others like them have homes of their own: a layer's keys and values in `socialcli.inference.cache`, the
name of a model's attention in `socialcli.alignment.hooks`, the kernels of PyTorch in `socialcli.alignment.kernels`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, MutableMapping
from functools import cache as memoized
from typing import Any

# The argument by which a processor also returns what it has put in place of the video.
WITH_VIDEO_TEXT = {"return_text_replacement_offsets": True}


def take_video_text(output: MutableMapping[str, Any]) -> str:
    """Take from the `output` of a processor, called `WITH_VIDEO_TEXT` on one text, what stands for its one video."""
    replaced: str = output.pop("text_replacement_offsets")[0][0]["replacement"]
    return replaced


def forward_with_cache(model: Any, cache: Any, **inputs: Any) -> Any:
    """The output of a model's forward that continues `cache`, a DynamicCache, which grows."""
    return model(**inputs, **{cache_argument(type(model).forward): cache}, use_cache=True)


@memoized
def cache_argument(forward: Callable[..., Any]) -> str:
    """The name of a forward's cache: `cache` since transformers 5.24, which warns of the earlier `past_key_values`."""
    return "cache" if "cache" in inspect.signature(forward).parameters else "past_key_values"
