"""How long a prompt may be, by the configurations that published checkpoints have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, Qwen2_5_VLTextConfig, Qwen2Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from socialcli.models.checkpoints.context_length import context_limit

YARN = {"factor": 4.0, "original_max_position_embeddings": 32768}


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        (LlamaConfig(max_position_embeddings=4096), 4096),
        # LLaVA-NeXT-Video 7B, spelt as by transformers before 4.45, since then, and in 5
        (LlamaConfig(max_position_embeddings=4096, rope_scaling={"factor": 2.0, "type": "linear"}), 8192),
        (LlamaConfig(max_position_embeddings=4096, rope_scaling={"factor": 2.0, "rope_type": "linear"}), 8192),
        (
            LlamaConfig(
                max_position_embeddings=4096,
                rope_parameters={"rope_theta": 1e4, "factor": 2.5, "rope_type": "linear"},
            ),
            10240,
        ),
        # yarn, as Qwen2.5's cards add it to the original length, and with the stretched length written out
        (Qwen2Config(max_position_embeddings=32768, rope_scaling={"type": "yarn", **YARN}), 131072),
        (Qwen2Config(max_position_embeddings=131072, rope_scaling={"rope_type": "yarn", **YARN}), 131072),
        (Qwen2Config(max_position_embeddings=32768, rope_scaling={"type": "yarn", "factor": 2.0}), 65536),
        # InternVL3
        (
            Qwen2Config(
                max_position_embeddings=32768, rope_scaling={"factor": 2.0, "rope_type": "dynamic", "type": "dynamic"}
            ),
            32768,
        ),
        # Qwen2.5-VL
        (
            Qwen2_5_VLTextConfig(
                max_position_embeddings=128000, rope_scaling={"type": "mrope", "mrope_section": [16, 24, 24]}
            ),
            128000,
        ),
        (
            LlamaConfig(
                max_position_embeddings=131072,
                rope_scaling={
                    "rope_type": "llama3",
                    "factor": 8.0,
                    "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 8192,
                },
            ),
            131072,
        ),
    ],
)
def test_the_limit_follows_the_scaling_of_positions(config: Any, limit: int) -> None:
    assert context_limit(config) == limit


def test_an_old_spelling_without_transformers_own_reading() -> None:
    old = SimpleNamespace(max_position_embeddings=4096, rope_scaling={"type": "linear", "factor": 4})
    assert context_limit(old) == 16384


def test_dynamic_scaling_would_turn_the_keys_of_a_longer_prompt_anew() -> None:
    config = LlamaConfig(max_position_embeddings=64, rope_scaling={"rope_type": "dynamic", "factor": 2.0}, head_dim=8)

    def first(length: int) -> torch.Tensor:
        """The rotation of the first 8 positions within a prompt of that length."""
        positions = torch.arange(length).unsqueeze(0)
        cosines: torch.Tensor = LlamaRotaryEmbedding(config)(torch.zeros(1, 1, 8), positions)[0]
        return cosines[:, :8]

    assert torch.equal(first(8), first(context_limit(config)))
    assert not torch.allclose(first(8), first(2 * context_limit(config)))
