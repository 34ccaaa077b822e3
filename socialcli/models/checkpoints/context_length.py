"""How many tokens a prompt may have: what the decoder was made for, with the scaling of its rotary positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def context_limit(text_config: Any) -> int:
    """The most positions that a decoder with this configuration (of transformers) takes.

    `max_position_embeddings` is what the decoder was trained on, where positions are scaled afterwards:

    - "linear" divides every position by its factor, so that as many times more fit (kaiokendev, 2023). LLaVA-NeXT-Video
      7B has 4096 and factor 2: its 32 frames of 144 tokens fit for this reason only.
    - "yarn" stretches `original_max_position_embeddings` by its factor (arXiv 2309.00071, section 3). Some
      configurations say the result in `max_position_embeddings` already, and others the original length: the larger
      of the two counts. Where the original length is not named, `max_position_embeddings` is taken for it.
    - "dynamic" changes the frequencies of a prompt longer than `max_position_embeddings`, with each token anew: the
      cached keys of the video would then have other ones than the words behind it. Not allowed here.
    - "llama3" and "longrope" name the stretched length in `max_position_embeddings`.
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
    """The settings of the rotary embedding, by their new name in transformers or by the old one."""
    for name in ("rope_parameters", "rope_scaling"):
        found = getattr(text_config, name, None)
        if isinstance(found, Mapping):
            return found
    return {}
