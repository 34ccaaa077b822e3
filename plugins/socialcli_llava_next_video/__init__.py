"""The hook of the LLaVA-NeXT-Video plug-in. Loading a model imports the adapter, and with it torch."""

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


CHECKPOINT = "llava-hf/LLaVA-NeXT-Video-7B-hf"

SPEC = ModelSpec(
    name="llava-next-video",
    summary="LLaVA-NeXT-Video: 12 x 12 visual tokens a frame",
    default_checkpoint=CHECKPOINT,
    load=_load,
    version="2",
    model_types=("llava_next_video",),
    originals=dict.fromkeys(("llava_llama", "llava_qwen", "llava_mistral"), CHECKPOINT),
    frame_fits=("pad", "crop", "stretch"),
    visual_tokens=lambda clip: 12 * 12 * clip.frames,
)
