"""The layers and heads that the attention pictures show."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from socialcli.alignment.layers import DecoderLayers, check_layers, layers_text
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
    """Ascending layers as text: "layer 3", "layers 10-19", "layers 3,7,11"."""
    return f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers_text(layers)}"


@dataclass(frozen=True, slots=True)
class HeadQuery:
    """The requested layers (None: the aligned ones) and their heads."""

    layers: str | None = None  # auto, all, 10-19, 12 or 3,7
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

    def named(self, decoder: DecoderLayers, width: int) -> Heads | None:
        """The heads that are named individually, None for "active" and "all".

        The `decoder` names the layers that have attention to show, with `width` heads each. Raises UsageError for
        layers and heads that it does not have.
        """
        if self.layers is not None:
            decoder.choose(self.layers, LAYERS_OPTION)
        if self.heads in ("active", "all"):
            return None
        pairs = [pair.split(":") for pair in self.heads.split(",")]
        heads = frozenset((int(layer), int(head)) for layer, head in pairs)
        for layer, head in sorted(heads):
            if layer not in decoder.alignable or head >= width:
                raise UsageError(
                    f"{HEADS_OPTION} {layer}:{head}: the decoder has layers {layers_text(decoder.alignable)}, "
                    f"each with heads 0-{width - 1}"
                )
        return heads

    def choose(
        self, decoder: DecoderLayers, width: int, aligned: Sequence[int], active: Collection[tuple[int, int]]
    ) -> ShownHeads:
        """The heads to show, given the `aligned` layers and the `active` heads; the others as in `named`.

        If none of the requested layers has an active head, all their heads are shown, and the description says so.
        """
        named = self.named(decoder, width)
        if named is not None:
            listed = ", ".join(f"{layer}:{head}" for layer, head in sorted(named))
            return ShownHeads(named, f"head{'s' if len(named) > 1 else ''} {listed} (layer:head)")
        layers = aligned if self.layers is None else decoder.choose(self.layers, LAYERS_OPTION)
        every = frozenset((layer, head) for layer in layers for head in range(width))
        where = layers_named(layers)
        found = every.intersection(active)
        if self.heads == "active" and found:
            return ShownHeads(found, f"{counted(len(found), 'active head')} of {where}")
        none = ", none of which is active" if self.heads == "active" else ""
        return ShownHeads(every, f"all {len(every)} heads of {where}{none}")
