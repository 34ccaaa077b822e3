"""The hook of the active speaker detector Light-ASD. torch is imported on use."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.perception.contract import ActiveSpeakerSpec, PartOptions, Source, SpeechScores
from socialcli.plugins.hookspecs import hookimpl

RATE = 25.0  # crops a second


def _load(options: PartOptions) -> SpeechScores:
    from .scoring import load_scores

    return load_scores(options)


SPEC = ActiveSpeakerSpec(
    name="light-asd",
    summary="Light-ASD: lips and sound through one small network; needs its weights",
    source=Source(
        package=None,
        licence="Apache-2.0",
        weights="the user's file, published at github.com/Junhua-Liao/Light-ASD (MIT)",
    ),
    load=_load,
    rate=RATE,
)


@hookimpl
def socialcli_active_speakers() -> Sequence[ActiveSpeakerSpec]:
    """Return this plug-in's detector."""
    return [SPEC]
