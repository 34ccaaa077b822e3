"""How many tokens a prompt may have, by the decoder's configuration and the scaling of its rotary positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def context_limit(text_config: Any) -> int:
    """The most positions that a decoder with this configuration (of transformers) takes.

    That is `max_position_embeddings`, which some kinds of scaling extend:

    - "linear" divides every position by its factor, so that this many times more fit (kaiokendev, 2023).
      LLaVA-NeXT-Video 7B has 4096 and factor 2: its 32 frames of 144 tokens fit for this reason only.
    - "yarn" stretches `original_max_position_embeddings` by its factor (arXiv 2309.00071, section 3). Some
      configurations have the result in `max_position_embeddings` already, others the original length: the larger of
      the two counts. Without an original length, `max_position_embeddings` is taken for it.
    - "dynamic" changes the frequencies with every token beyond `max_position_embeddings`: the cached keys of the video
      would have other frequencies than the words behind it. So it does not extend the limit.
    - "llama3" and "longrope" have the extended length in `max_position_embeddings`.
    """
    most = int(text_config.max_position_embeddings)
    rope = _rope(text_config)
    factor = rope.get("factor")
    if factor is None:
        return most
    kind = rope.get("rope_type", rope.get("type"))
    if kind == "linear":
        return int(most * factor)
    if kind == "yarn":
        return max(most, int((rope.get("original_max_position_embeddings") or most) * factor))
    return most


def _rope(text_config: Any) -> Mapping[str, Any]:
    """The settings of the rotary embedding, under their new name in transformers or the old one."""
    for name in ("rope_parameters", "rope_scaling"):
        found = getattr(text_config, name, None)
        if isinstance(found, Mapping):
            return found
    return {}
