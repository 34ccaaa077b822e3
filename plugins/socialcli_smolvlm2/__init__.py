"""The hook of the SmolVLM2 plug-in. Loading a model imports the adapter, and with it torch."""

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


SPEC = ModelSpec(
    name="smolvlm2",
    summary="SmolVLM2: 9 x 9 visual tokens a frame, the time in words before each",
    default_checkpoint="HuggingFaceTB/SmolVLM2-2.2B-Instruct",
    load=_load,
    version="1",
    model_types=("smolvlm",),
    visual_tokens=lambda clip: 9 * 9 * clip.frames,
)
