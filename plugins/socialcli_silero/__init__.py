"""The hook of the voice analyser silero. onnxruntime is imported on use."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.perception.contract import PartOptions, Source, Voices, VoicesSpec
from socialcli.plugins.hookspecs import hookimpl


def _load(options: PartOptions) -> Voices:
    from .detection import load_silero

    return load_silero(options)


SPEC = VoicesSpec(
    name="silero",
    summary="speech by Silero VAD; voices compared by spectrum and pitch, as energy does",
    source=Source(
        package="onnxruntime, silero-vad",
        licence="Apache-2.0, MIT",
        weights="in the package silero-vad (MIT)",
    ),
    load=_load,
)


@hookimpl
def socialcli_voices() -> Sequence[VoicesSpec]:
    """Return this plug-in's analyser."""
    return [SPEC]
