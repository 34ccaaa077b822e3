"""Decoders whose layers are not all full attention: sliding windows, linear attention, layers that share keys.

Small text models of transformers. The alignment runs behind a KV cache, the dense reference on the whole sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import (
    DynamicCache,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Gemma4ForCausalLM,
    Gemma4TextConfig,
    GptOssConfig,
    GptOssForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen3_5ForCausalLM,
    Qwen3_5TextConfig,
    StaticCache,
)

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.bias import CENTRED, FLOORED, PUBLISHED
from socialcli.alignment.rules import BiasRule
from socialcli.errors import ModelError
from socialcli.models.transformers_internals import forward_with_cache
from tests.alignment.dense import random_plan
from tests.alignment.text_decoder import TextDecoder
from tests.eager import dense_attention

WINDOW, CACHED, LENGTH = 12, 24, 40
SHAPE: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.3,  # large enough for attention to differ from place to place
    "attn_implementation": "sdpa",
}


class Decoder(TextDecoder):
    """A text model with random weights."""

    def __init__(self, model: PreTrainedModel, alignable: Sequence[int] = (0, 1, 2)) -> None:
        self.model = model.eval()
        self._alignable = alignable

    @property
    def alignable_layers(self) -> Sequence[int]:
        return self._alignable


def sliding() -> Decoder:
    """Every layer sees a window; nothing of the first tokens is left when the words come."""
    torch.manual_seed(0)
    return Decoder(MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=WINDOW)))


def mixed() -> Decoder:
    """Windows and full attention, as in Gemma 3."""
    torch.manual_seed(0)
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    return Decoder(Gemma3ForCausalLM(Gemma3TextConfig(**SHAPE, sliding_window=WINDOW, layer_types=kinds)))


def sharing() -> Decoder:
    """The last two layers use the keys of the first two, as in Gemma 4's small models."""
    torch.manual_seed(0)
    kinds = ["sliding_attention", "full_attention"] * 2
    shape = {**SHAPE, "num_hidden_layers": 4, "num_kv_shared_layers": 2, "layer_types": kinds}
    config = Gemma4TextConfig(
        **shape, sliding_window=WINDOW, global_head_dim=16, vocab_size_per_layer_input=50, hidden_size_per_layer_input=4
    )
    return Decoder(Gemma4ForCausalLM(config), alignable=(0, 1))


def hybrid() -> Decoder:
    """Linear attention, and softmax attention in every second layer, as in Qwen3.5."""
    torch.manual_seed(0)
    linear = {f"linear_{part}_head_dim": 8 for part in ("key", "value")}
    heads = {f"linear_num_{part}_heads": 2 for part in ("key", "value")}
    kinds = ["linear_attention", "full_attention"] * 2
    shape = {**SHAPE, "num_hidden_layers": 4, "layer_types": kinds}
    return Decoder(Qwen3_5ForCausalLM(Qwen3_5TextConfig(**shape, **linear, **heads)), alignable=(1, 3))


KINDS = {"sliding": sliding, "mixed": mixed, "sharing": sharing, "hybrid": hybrid}
IDS = torch.randint(0, 50, (2, LENGTH), generator=torch.Generator().manual_seed(0))
PLANS = [
    random_plan((25, 26, 31, 39), (2, 3, 5, 14, 15, 20, 22, 23)),
    random_plan((28, 30), (1, 16, 17, 21), seed=1),
]


@torch.inference_mode()
def behind_a_cache(decoder: Decoder, alignment: Alignment | None) -> Tensor:
    """The logits of the tokens behind `CACHED` ones."""
    cache = DynamicCache(config=decoder.model.config)
    forward_with_cache(decoder.model, cache, input_ids=IDS[:, :CACHED])
    later = {"input_ids": IDS[:, CACHED:], "attention_mask": torch.ones_like(IDS)}
    if alignment is None:
        return forward_with_cache(decoder.model, cache, **later).logits
    with aligned(decoder, PLANS, alignment) as report:
        logits = forward_with_cache(decoder.model, cache, **later).logits
    assert set(report.layers) == set(decoder.alignable_layers)
    return logits


@torch.inference_mode()
def densely(decoder: Decoder, rule: BiasRule) -> Tensor:
    """The same logits, from the formula on the whole sequence."""
    layers = decoder.alignable_layers
    with dense_attention(decoder, PLANS, layers, alpha=1.0, threshold=1e-3, bias=rule.name):
        return decoder.model(input_ids=IDS, use_cache=False).logits[:, CACHED:]


@pytest.mark.parametrize("rule", [PUBLISHED, FLOORED, CENTRED], ids=lambda rule: rule.name)
@pytest.mark.parametrize("kind", KINDS)
def test_alignment_behind_a_cache_equals_the_dense_formula(kind: str, rule: BiasRule) -> None:
    decoder = KINDS[kind]()
    expected = densely(decoder, rule)
    found = behind_a_cache(decoder, Alignment(layers="all", threshold=1e-3, rule=rule))
    assert torch.allclose(found, expected, atol=1e-4)
    plain = behind_a_cache(decoder, None)
    assert (expected - plain).abs().max() > 1e-2  # so that the comparison above means something


@pytest.mark.parametrize("kind", KINDS)
def test_a_strength_of_0_changes_no_bit(kind: str) -> None:
    decoder = KINDS[kind]()
    assert torch.equal(behind_a_cache(decoder, Alignment(alpha=0.0, layers="all")), behind_a_cache(decoder, None))


def test_an_observer_sees_no_attention_to_tokens_that_a_window_has_left_behind() -> None:
    decoder, seen = sliding(), []
    cache = DynamicCache(config=decoder.model.config)
    with torch.inference_mode(), aligned(decoder, PLANS, Alignment(layers="all"), lambda *all_: seen.append(all_)):
        forward_with_cache(decoder.model, cache, input_ids=IDS[:, :CACHED])
        forward_with_cache(decoder.model, cache, input_ids=IDS[:, CACHED:], attention_mask=torch.ones_like(IDS))
    assert [layer for layer, *_ in seen] == [0, 1, 2]
    for _, before, after, _ in seen:
        for attention in (before, after):
            assert (attention[0, :, 0, :3] == 0).all()  # row 25 sees the tokens from 14 on
            assert (attention[0, :, 0, 3:] > 0).all()
            assert (attention[0, :, 3] == 0).all()  # row 39 sees none of them


def test_a_cache_that_holds_room_for_later_keys_is_refused() -> None:
    decoder = mixed()
    cache = StaticCache(config=decoder.model.config, max_cache_len=64)
    refused = pytest.raises(ModelError, match="so its KV cache is of a kind that cannot be aligned exactly")
    with torch.inference_mode(), refused, aligned(decoder, PLANS, Alignment(layers="all")):
        forward_with_cache(decoder.model, cache, input_ids=IDS)


def test_attention_with_sinks_is_refused() -> None:
    config = GptOssConfig(**{**SHAPE, "attn_implementation": "eager"}, num_local_experts=2, num_experts_per_tok=1)
    decoder = Decoder(GptOssForCausalLM(config))
    refused = pytest.raises(
        ModelError, match=r"layer 0 \(GptOssAttention\) has attention sinks, which cannot be aligned"
    )
    with torch.inference_mode(), refused, aligned(decoder, PLANS, Alignment(layers="all")):
        decoder.model(input_ids=IDS, use_cache=False)


def test_rows_are_indices_of_the_sequence_whatever_the_cache_keeps() -> None:
    """A decoding step has one query and, in a window, as many keys as the window: no row is among its queries."""
    decoder = sliding()
    cache = DynamicCache(config=decoder.model.config)
    with torch.inference_mode(), aligned(decoder, PLANS, Alignment(layers="all")) as report:
        forward_with_cache(decoder.model, cache, input_ids=IDS)
        report.layers.clear()
        forward_with_cache(decoder.model, cache, input_ids=IDS[:, :1])
    assert not report.layers
    assert np.array_equal(PLANS[0].rows, (25, 26, 31, 39))
