"""The hook of the person detector. Loading it imports torch and transformers."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.perception.contract import Detect, DetectorSpec, PartOptions, Source
from socialcli.plugins.hookspecs import hookimpl


@hookimpl
def socialcli_detectors() -> Sequence[DetectorSpec]:
    """Return the one detector of this plug-in."""
    return [SPEC]


def _load(options: PartOptions) -> Detect:
    from .detector import load

    return load(options)


SPEC = DetectorSpec(
    name="people",
    summary="your object detector of transformers (RT-DETRv2, D-FINE, RF-DETR ...), whose label 'person' counts",
    finds="person",
    source=Source(package=None, licence="Apache-2.0", weights="yours, under their own licence"),
    load=_load,
)
