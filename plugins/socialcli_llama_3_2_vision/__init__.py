"""The hook of the Llama-3.2-Vision plug-in. Loading a model imports the adapter, and with it torch."""

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
    name="llama-3.2-vision",
    summary="Llama-3.2-Vision: frames as images, seen through cross-attention",
    default_checkpoint="meta-llama/Llama-3.2-11B-Vision-Instruct",
    load=_load,
    version="1",
    model_types=("mllama",),
    visual_tokens=visual_tokens,
)
