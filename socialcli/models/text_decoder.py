"""The layers of a model's text decoder: which have attention to visual tokens, and which can be aligned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from socialcli.alignment.hooks import visual_layers


class TransformersDecoder:
    """The part of an adapter that finds the text decoder in its model; a family that differs overrides a member."""

    model: Any  # a transformers PreTrainedModel

    @property
    def decoder_layers(self) -> Sequence[Any]:
        """The layers of the text decoder, in order."""
        return list(self.model.model.language_model.layers)

    @property
    def layers(self) -> Sequence[Any]:
        """The attention module of each decoder layer; None for a layer without softmax attention."""
        return [getattr(layer, "self_attn", None) for layer in self.decoder_layers]

    @property
    def cross_layers(self) -> frozenset[int]:
        """The layers whose module is cross-attention to the visual tokens; empty: these are in the sequence itself."""
        return frozenset()

    @property
    def alignable_layers(self) -> Sequence[int]:
        """The layers with attention to visual tokens, without those at the end that share the keys of earlier layers.

        Nothing behind a word reads what those layers make of it, so that aligning it there changes no answer.
        """
        return [layer for layer in visual_layers(self) if layer < self._sharing_from]

    @property
    def skippable_layers(self) -> int:
        """The number of first layers whose keys no later layer reads."""
        first, kinds = self._sharing_from, getattr(self.model.config.get_text_config(), "layer_types", None)
        if first == len(self.decoder_layers):
            return first
        if kinds is None:
            return 0
        # A layer with shared keys reads those of the last layer of its own kind that has keys.
        return min(max(layer for layer in range(first) if kinds[layer] == kind) for kind in set(kinds[first:]))

    @property
    def _sharing_from(self) -> int:
        """The first of the layers that share keys; the number of layers if none does."""
        shared = getattr(self.model.config.get_text_config(), "num_kv_shared_layers", None)
        return len(self.decoder_layers) - int(shared or 0)
