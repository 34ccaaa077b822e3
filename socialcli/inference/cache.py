"""(torch) KV caches that are continued many times without computing their beginning again.

A batch's cache is built once, with room behind its entries. Every continuation works on a shallow copy (`copied_cache`)
that writes into this room, instead of copying all earlier entries in every layer and condition. Copies of one cache
share the room, so use them one after the other. The states of linear attention are small and change in place: each
copy of a cache has its own.

This is the one place that reaches into transformers' caches: their list of layers, and in each its `keys`, `values`,
`is_initialized` and `lazy_initialization`, or `conv_states` and `recurrent_states`. `tests/inference/test_cache.py`
fails where a release changes these.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import (
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionCacheLayerMixin,
    LinearAttentionLayer,
)

from socialcli.errors import ModelError
from socialcli.models.transformers_internals import SHARED_CACHE_LAYER


class RoomyLayer(DynamicLayer):
    """A layer's keys and values at the start of a larger tensor that later entries are written into."""

    keys: Tensor
    values: Tensor

    def __init__(self, keys: Tensor, values: Tensor, length: int) -> None:
        """Take tensors of (B, heads, length + room, width) whose first `length` entries are set."""
        DynamicLayer.__init__(self)
        self.lazy_initialization(keys, values)
        self._room = keys, values
        self._show(length)

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Append (B, heads, new, width); returns all keys and values."""
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if end > self._room[0].shape[-2]:
            batch = key_states.shape[0]
            self._room = _with_room([self.keys], end, batch), _with_room([self.values], end, batch)
        for memory, states in zip(self._room, (key_states, value_states), strict=True):
            memory[..., start:end, :] = states
        self._show(end)
        return self.keys, self.values

    def _show(self, length: int) -> None:
        keys, values = self._room
        self.keys, self.values = keys[..., :length, :], values[..., :length, :]


@torch.inference_mode()
def joined_cache(
    caches: Sequence[DynamicCache], batch: int, room: int, cross_layers: Collection[int] = (), unread: int = 0
) -> DynamicCache:
    """A cache for `batch` prompts with room for `room` more tokens; the entries of `caches` are copied into it.

    `caches` is one for each prompt of the batch, all equally long, or one that holds one prompt or several, each of
    which stands for equally many neighbours in the batch. The `cross_layers` hold the keys of frames, which no token
    adds to: a batch on one clip shares them, uncopied. The first `unread` layers are not copied, and only their length
    is as it should be.
    """
    joined = copied_cache(caches[0])
    for index, layer in enumerate(joined.layers):
        layers = [cache.layers[index] for cache in caches]
        if index in cross_layers:
            joined.layers[index] = _shared_layer(layer, layers, batch)
        elif index >= unread:
            joined.layers[index] = _joined_layer(layer, layers, batch, room)
    return joined


def copied_cache(cache: DynamicCache) -> DynamicCache:
    """A cache that can grow while `cache` stays as it is; no keys or values are copied."""
    copied = copy.copy(cache)
    copied.layers = [_copied_layer(layer) for layer in cache.layers]
    return copied


def is_padding_exact(cache: DynamicCache) -> bool:
    """Whether tokens that follow masked padding are computed as if the padding were not there.

    True for full attention. Padding moves other tokens out of a sliding window, and changes the state of linear
    attention.
    """
    return all(type(layer) in (DynamicLayer, RoomyLayer, SHARED_CACHE_LAYER) for layer in cache.layers)


def kept_layers(cache: DynamicCache, count: int) -> Sequence[Any]:
    """The first `count` layers as they are now, whatever the cache appends to them later."""
    return [_copied_layer(layer) for layer in cache.layers[:count]]


def put_layers(cache: DynamicCache, layers: Sequence[Any]) -> None:
    """Replace a cache's first layers with those from `kept_layers`, which several caches can share."""
    cache.layers[: len(layers)] = [_copied_layer(layer) for layer in layers]


def _copied_layer(layer: Any) -> Any:
    copied = copy.copy(layer)
    if isinstance(layer, LinearAttentionCacheLayerMixin):
        for name, value in vars(layer).items():
            if isinstance(value, dict):  # states, and what is known about them, by their number
                parts = {key: part.clone() if isinstance(part, Tensor) else part for key, part in value.items()}
                setattr(copied, name, parts)
    return copied


def _shared_layer(first: Any, layers: Sequence[Any], batch: int) -> Any:
    """A layer of cross-attention for a batch, whose keys and values stay as they are."""
    if first.is_initialized:
        keys, values = [layer.keys for layer in layers], [layer.values for layer in layers]
        first.keys, first.values = (_for_batch(parts, batch) for parts in (keys, values))
    return first


def _for_batch(parts: Sequence[Tensor], batch: int) -> Tensor:
    if len(parts) > 1:
        return torch.cat(list(parts))
    (only,) = parts
    if only.stride(0) == 0 or len(only) == 1:  # one prompt's, which others share already
        return only[:1].expand(batch, -1, -1, -1)
    return only.repeat_interleave(batch // len(only), dim=0)


def _joined_layer(first: Any, layers: Sequence[Any], batch: int, room: int) -> Any:
    if type(first) is LinearAttentionLayer:
        first.conv_states = _joined_states([layer.conv_states for layer in layers], batch)
        first.recurrent_states = _joined_states([layer.recurrent_states for layer in layers], batch)
        return first
    if type(first) is SHARED_CACHE_LAYER:
        return first
    if type(first) not in (DynamicLayer, RoomyLayer, DynamicSlidingWindowLayer):
        raise ModelError(f"cannot continue a KV cache with layers of the kind {type(first).__name__}")
    if not first.is_initialized:
        return first
    keys, values = [layer.keys for layer in layers], [layer.values for layer in layers]
    if type(first) is DynamicSlidingWindowLayer:  # keeps a window of keys: nothing to gain from room behind it
        first.keys, first.values = (_with_room(parts, parts[0].shape[-2], batch) for parts in (keys, values))
        return first
    length = first.get_seq_length()
    return RoomyLayer(_with_room(keys, length + room, batch), _with_room(values, length + room, batch), length)


def _joined_states(parts: Sequence[dict[int, Tensor | None]], batch: int) -> dict[int, Tensor | None]:
    """The states of linear attention by number, for a batch; `parts` are those of one prompt, or of each prompt."""
    joined: dict[int, Tensor | None] = {}
    for number in parts[0]:
        states = [state for part in parts if (state := part[number]) is not None]
        joined[number] = None
        if states:
            together = torch.cat(states)
            joined[number] = together.repeat_interleave(batch // together.shape[0], dim=0)
    return joined


def _with_room(parts: Sequence[Tensor], length: int, batch: int) -> Tensor:
    """A tensor (batch, heads, length, width) that begins with the entries of `parts`; they are as in `joined_cache`."""
    heads, filled, width = parts[0].shape[1:]
    memory = parts[0].new_empty((batch, heads, length, width))
    if len(parts) == 1:
        (only,) = parts
        memory.view(len(only), -1, heads, length, width)[..., :filled, :] = only.unsqueeze(1)
    else:
        for row, part in zip(memory, parts, strict=True):
            row[..., :filled, :] = part[0]
    return memory
