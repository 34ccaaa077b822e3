"""The hook of the Qwen3.5 plug-in. Loading a model imports the adapter, and with it torch."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.models.contract import Adapter, LoadOptions, ModelSpec
from socialcli.plugins.hookspecs import hookimpl
from socialcli_qwen3_vl.sizes import visual_tokens


@hookimpl
def socialcli_models() -> Sequence[ModelSpec]:
    """Return the one model family of this plug-in."""
    return [SPEC]


def _load(options: LoadOptions) -> Adapter:
    from .adapter import load

    return load(options)


SPEC = ModelSpec(
    name="qwen3.5",
    summary="Qwen3.5: the frames of Qwen3-VL, and a decoder in which every fourth layer has softmax attention",
    default_checkpoint="Qwen/Qwen3.5-9B",
    load=_load,
    version="1",
    model_types=("qwen3_5", "qwen3_5_moe"),
    visual_tokens=visual_tokens,
    max_pixels=768 * 32 * 32,  # as for Qwen3-VL
)
