"""The hook of the Gemma 4 plug-in. Loading a model imports the adapter, and with it torch."""

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
    name="gemma-4",
    summary="Gemma 4: at most 70 visual tokens a frame, the time in words before each, sliding windows",
    default_checkpoint="google/gemma-4-E4B-it",
    load=_load,
    version="1",
    model_types=("gemma4", "gemma4_unified"),
    visual_tokens=visual_tokens,
)
