"""Which decoder layers take part in the alignment."""

from __future__ import annotations

import re

from socialcli.errors import UsageError

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def resolve_layers(layers: str, count: int, option: str = "--layers") -> range:
    """The layers that `layers` names in a decoder of `count` layers, counted from 0.

    "auto" is the middle third, round(10 N / 28) .. round(20 N / 28) - 1, and at least one layer: the published best,
    layers 10-19 of a 28-layer decoder. "all" is all; "10-19" includes both ends; "12" is one layer. Raises UsageError
    for anything else, and for layers that the decoder does not have; its message names `option`.
    """
    named = check_layers(layers, option)
    if layers == "all":
        return range(count)
    if named is None:
        first = round(10 * count / 28)
        return range(first, max(round(20 * count / 28), first + 1))
    if named.stop > count:
        raise UsageError(
            f"{option} {layers} reaches beyond the model's decoder, which has {count} layers: "
            f"name a range within 0-{count - 1}"
        )
    return named


def check_layers(layers: str, option: str = "--layers") -> range | None:
    """The layers that the text names by number; None for "auto" and "all". Raises UsageError for any other text."""
    if layers in ("auto", "all"):
        return None
    match = _RANGE.fullmatch(layers)
    if match is None:
        raise UsageError(
            f"{option} {layers!r} is no range of layers: write auto, all, a layer like 12, or a range like 10-19"
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise UsageError(f"{option} {layers} runs backwards: write the lower layer first, {last}-{first}")
    return range(first, last + 1)
