"""The hook of the LLaVA-OneVision plug-in. Loading a model imports the adapter, and with it torch."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.models.contract import Adapter, LoadOptions, ModelSpec
from socialcli.plugins.hookspecs import hookimpl


@hookimpl
def socialcli_models() -> Sequence[ModelSpec]:
    """Return the one model family of this plug-in."""
    return [SPEC]


def _load(options: LoadOptions) -> Adapter:
    from .adapter import load

    return load(options)


CHECKPOINT = "llava-hf/llava-onevision-qwen2-7b-ov-hf"

SPEC = ModelSpec(
    name="llava-onevision",
    summary="LLaVA-OneVision: 14 x 14 visual tokens a frame",
    default_checkpoint=CHECKPOINT,
    load=_load,
    version="1",
    model_types=("llava_onevision",),
    originals={"llava_qwen": CHECKPOINT},
    frame_fits=("stretch", "pad"),
    visual_tokens=lambda clip: 14 * 14 * clip.frames + 1,  # a newline
)
