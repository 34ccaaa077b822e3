"""The hook of the Qwen2-VL plug-in. Loading a model imports the adapter, and with it torch."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.models.contract import Adapter, LoadOptions, ModelSpec
from socialcli.plugins.hookspecs import hookimpl
from socialcli_qwen.sizes import qwen2_visual_tokens


@hookimpl
def socialcli_models() -> Sequence[ModelSpec]:
    """Return the one model family of this plug-in."""
    return [SPEC]


def _load(options: LoadOptions) -> Adapter:
    from .adapter import load

    return load(options)


SPEC = ModelSpec(
    name="qwen2-vl",
    summary="Qwen2-VL: frames at their own shape, merged two by two in time",
    default_checkpoint="Qwen/Qwen2-VL-7B-Instruct",
    load=_load,
    version="1",
    model_types=("qwen2_vl",),
    visual_tokens=qwen2_visual_tokens,
    max_pixels=768 * 28 * 28,  # the cap of qwen-vl-utils, and so of most evaluations of this model
)
