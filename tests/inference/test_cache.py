"""Caches that are continued many times, over those of transformers: what is relied on inside of these, and what for."""

from __future__ import annotations

from functools import cache as memoized
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import DynamicLayer

from socialcli.inference.cache import RoomyLayer, copied_cache, joined_cache, kept_layers, put_layers
from socialcli.models.transformers_internals import forward_with_cache

IDS = torch.randint(0, 50, (3, 20), generator=torch.Generator().manual_seed(0))
KNOWN = 12  # tokens that the cache holds


@memoized
def decoder() -> Any:
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            initializer_range=0.3,
        )
    ).eval()


@torch.inference_mode()
def begun(ids: Tensor) -> DynamicCache:
    """A cache of the first tokens of `ids` (B, 20)."""
    cache = DynamicCache(config=decoder().config)
    forward_with_cache(decoder(), cache, input_ids=ids[:, :KNOWN])
    return cache


@torch.inference_mode()
def continued(cache: DynamicCache, ids: Tensor) -> Tensor:
    logits: Tensor = forward_with_cache(decoder(), cache, input_ids=ids[:, KNOWN:]).logits
    return logits


@torch.inference_mode()
def whole(ids: Tensor) -> Tensor:
    logits: Tensor = decoder()(input_ids=ids, use_cache=False).logits[:, KNOWN:]
    return logits


def test_the_layers_of_a_cache_are_as_transformers_has_them() -> None:
    """Where this fails, `socialcli.inference.cache` must follow what transformers has changed."""
    empty = DynamicCache(config=decoder().config)
    assert [type(layer) for layer in empty.layers] == [DynamicLayer, DynamicLayer]
    assert not any(layer.is_initialized for layer in empty.layers)
    for layer in begun(IDS).layers:
        assert layer.is_initialized
        assert layer.keys.shape == layer.values.shape == (3, 2, KNOWN, 8)
        assert layer.get_seq_length() == KNOWN
    fresh = DynamicLayer()
    fresh.lazy_initialization(torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4))
    assert fresh.is_initialized and fresh.device == torch.device("cpu")


@pytest.mark.parametrize("room", [20 - KNOWN, 3, 0])
def test_a_cache_with_room_goes_on_as_transformers_own(room: int) -> None:
    joined = joined_cache([begun(IDS)], 3, room)
    assert all(type(layer) is RoomyLayer for layer in joined.layers)
    torch.testing.assert_close(continued(joined, IDS), whole(IDS), rtol=0, atol=1e-5)


def test_caches_of_single_prompts_become_one_of_a_batch() -> None:
    joined = joined_cache([begun(IDS[row : row + 1]) for row in range(3)], 3, 8)
    torch.testing.assert_close(continued(joined, IDS), whole(IDS), rtol=0, atol=1e-5)


def test_one_cache_serves_a_batch() -> None:
    same = torch.cat([IDS[:1, :KNOWN].expand(3, -1), IDS[:, KNOWN:]], dim=1)
    torch.testing.assert_close(continued(joined_cache([begun(same[:1])], 3, 8), same), whole(same), rtol=0, atol=1e-5)


def test_a_copy_grows_alone() -> None:
    first = begun(IDS)
    other = torch.cat([IDS[:, :KNOWN], IDS[:, KNOWN:].flip(0)], dim=1)
    for ids in (IDS, other):
        torch.testing.assert_close(continued(copied_cache(first), ids), whole(ids), rtol=0, atol=1e-5)
    assert first.get_seq_length() == KNOWN


def test_layers_are_given_from_one_cache_to_another() -> None:
    source, target = begun(IDS), begun(IDS.flip(0))
    layers = kept_layers(source, 2)
    continued(source, IDS)
    put_layers(target, layers)
    torch.testing.assert_close(continued(target, IDS), whole(IDS), rtol=0, atol=1e-5)
    assert [layer.get_seq_length() for layer in layers] == [KNOWN, KNOWN]
