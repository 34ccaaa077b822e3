"""The hook of the Qwen3-VL plug-in. Loading a model imports the adapter, and with it torch."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.models.contract import Adapter, LoadOptions, ModelSpec
from socialcli.plugins.hookspecs import hookimpl

from .sizes import visual_tokens


@hookimpl
def socialcli_models() -> Sequence[ModelSpec]:
    """Return the one model family of this plug-in."""
    return [SPEC]


def _load(options: LoadOptions) -> Adapter:
    from .adapter import load

    return load(options)


SPEC = ModelSpec(
    name="qwen3-vl",
    summary="Qwen3-VL: frames at their own shape, merged two by two, the time in words before each pair",
    default_checkpoint="Qwen/Qwen3-VL-8B-Instruct",
    load=_load,
    version="1",
    model_types=("qwen3_vl", "qwen3_vl_moe"),
    visual_tokens=visual_tokens,
    max_pixels=768 * 32 * 32,  # the cap of qwen-vl-utils, and so of most evaluations of this model
)
