"""The hook of the InternVL3 plug-in. Loading a model imports the adapter, and with it torch."""

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
    name="internvl3",
    summary="InternVL3: 16 x 16 visual tokens a frame",
    default_checkpoint="OpenGVLab/InternVL3-8B-hf",
    load=_load,
    version="1",
    model_types=("internvl",),
    originals={"internvl_chat": "OpenGVLab/InternVL3-8B-hf"},
    visual_tokens=lambda clip: 16 * 16 * clip.frames,
)
