"""A text model of transformers, with what `aligned` needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class TextDecoder:
    """The words and what they look at are in one sequence; a test sets `model`."""

    model: Any
    cross_layers: frozenset[int] = frozenset()

    @property
    def decoder_layers(self) -> Sequence[Any]:
        return list(self.model.model.layers)

    @property
    def layers(self) -> Sequence[Any]:
        return [getattr(layer, "self_attn", None) for layer in self.decoder_layers]

    @property
    def alignable_layers(self) -> Sequence[int]:
        return range(len(self.decoder_layers))
