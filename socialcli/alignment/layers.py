"""Which decoder layers take part in the alignment."""

from __future__ import annotations

import re

from socialcli.errors import UsageError

MIDDLE_THIRD = (10 / 28, 20 / 28)  # the published best: layers 10-19 of a 28-layer decoder


def resolve_layers(layers: str, count: int) -> range:
    """The layers that `layers` names in a decoder of `count` layers.

    "auto" is the middle third, round(10 N / 28) .. round(20 N / 28) - 1; "all" is all; "10-19" counts from 0 and includes
    both ends; "12" is one layer. UsageError for anything else, and for layers that the decoder does not have.
    """
    if layers == "all":
        return range(count)
    if layers == "auto":
        first, end = (round(share * count) for share in MIDDLE_THIRD)
        return range(first, max(end, first + 1))
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", layers)
    if match is None:
        raise UsageError(f"layers {layers!r} should be auto, all, a layer such as 12, or a range such as 10-19")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last or last >= count:
        raise UsageError(f"layers {layers!r} do not lie in the decoder's {count} layers, 0-{count - 1}")
    return range(first, last + 1)
