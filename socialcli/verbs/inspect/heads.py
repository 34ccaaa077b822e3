"""The layers and heads that the attention pictures show."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from socialcli.alignment.layers import check_layers, resolve_layers
from socialcli.errors import UsageError
from socialcli.verbs.inspect.text import counted

Heads = frozenset[tuple[int, int]]  # (layer, head), both counted from 0

LAYERS_OPTION, HEADS_OPTION = "--attention-layers", "--attention-heads"
_NAMED = re.compile(r"\d+:\d+(,\d+:\d+)*")


@dataclass(frozen=True, slots=True)
class ShownHeads:
    """The heads, at least one, whose mean attention is shown, and their description: "5 active heads of layer 3"."""

    heads: Heads
    name: str


def layers_named(layers: Sequence[int]) -> str:
    """Consecutive layers as text: "layer 3", "layers 10-19"."""
    return f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]}-{layers[-1]}"


@dataclass(frozen=True, slots=True)
class HeadQuery:
    """The requested layers (None: the aligned ones) and their heads."""

    layers: str | None = None  # auto, all, 10-19 or 12
    heads: str = "active"  # active, all, or LAYER:HEAD,LAYER:HEAD...

    def check(self) -> None:
        """Raise UsageError for a request that no model could satisfy."""
        if self.layers is not None:
            check_layers(self.layers, LAYERS_OPTION)
        if self.heads in ("active", "all"):
            return
        if not _NAMED.fullmatch(self.heads):
            raise UsageError(
                f"{HEADS_OPTION} {self.heads!r} names no heads: write active, all, or layer:head pairs like 12:3,14:0"
            )
        if self.layers is not None:
            raise UsageError(f"{HEADS_OPTION} {self.heads} already names layers; omit {LAYERS_OPTION}")

    def named(self, shape: tuple[int, int]) -> Heads | None:
        """The heads that are named individually, None for "active" and "all"; `shape` is (layers, heads per layer).

        Raises UsageError for layers and heads that the decoder does not have.
        """
        if self.layers is not None:
            resolve_layers(self.layers, shape[0], LAYERS_OPTION)
        if self.heads in ("active", "all"):
            return None
        pairs = [pair.split(":") for pair in self.heads.split(",")]
        heads = frozenset((int(layer), int(head)) for layer, head in pairs)
        for layer, head in sorted(heads):
            if layer >= shape[0] or head >= shape[1]:
                raise UsageError(
                    f"{HEADS_OPTION} {layer}:{head}: the decoder has layers 0-{shape[0] - 1}, "
                    f"each with heads 0-{shape[1] - 1}"
                )
        return heads

    def choose(self, shape: tuple[int, int], aligned: Sequence[int], active: Collection[tuple[int, int]]) -> ShownHeads:
        """The heads to show of a decoder of `shape`, with the `aligned` layers and the `active` heads.

        If none of the requested layers has an active head, all their heads are shown, and the description says so.
        """
        named = self.named(shape)
        if named is not None:
            listed = ", ".join(f"{layer}:{head}" for layer, head in sorted(named))
            return ShownHeads(named, f"head{'s' if len(named) > 1 else ''} {listed} (layer:head)")
        layers = aligned if self.layers is None else resolve_layers(self.layers, shape[0], LAYERS_OPTION)
        every = frozenset((layer, head) for layer in layers for head in range(shape[1]))
        where = layers_named(layers)
        found = every.intersection(active)
        if self.heads == "active" and found:
            return ShownHeads(found, f"{counted(len(found), 'active head')} of {where}")
        none = ", none of which is active" if self.heads == "active" else ""
        return ShownHeads(every, f"all {len(every)} heads of {where}{none}")
