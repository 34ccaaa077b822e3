"""Small checkpoints of the larger models of a family: other classes and other kinds of layers than in the sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import (
    Gemma4AudioConfig,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4TextConfig,
    Gemma4UnifiedAudioFeatureExtractor,
    Gemma4UnifiedConfig,
    Gemma4UnifiedForConditionalGeneration,
    Gemma4UnifiedImageProcessor,
    Gemma4UnifiedProcessor,
    Gemma4UnifiedTextConfig,
    Gemma4UnifiedVideoProcessor,
    Gemma4UnifiedVisionConfig,
    Qwen3_5MoeConfig,
    Qwen3_5MoeForConditionalGeneration,
)

from socialcli.api import load_model
from tests.conftest import tiny_model

WINDOW = 300  # tokens: less than a prompt on three frames, and more than the words behind them
# What the large models of Gemma 4 have in common, and the small ones lack.
LARGE: Mapping[str, Any] = {
    "use_bidirectional_attention": "vision",
    "attention_k_eq_v": True,
    "num_global_key_value_heads": 1,
    "global_head_dim": 16,
    "num_kv_shared_layers": 0,
    "sliding_window": WINDOW,
    "final_logit_softcapping": 30.0,
}
EXPERTS = {"top_k_experts": 2, "num_experts": 4, "moe_intermediate_size": 16, "enable_moe_block": True}


def gemma_4_large() -> tuple[Any, Any]:
    """As 31B and 26B-A4B, with experts, and the audio tower of E2B and E4B."""
    sample = tiny_model("gemma-4")
    text = Gemma4TextConfig(**_gemma_text() | LARGE | EXPERTS, hidden_size_per_layer_input=0)
    audio = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "output_proj_dims": 16}
    config = Gemma4Config(
        text_config=text,
        vision_config=sample.model.config.vision_config,
        audio_config=Gemma4AudioConfig(**audio),
        **_gemma_ids(),
    )
    return Gemma4ForConditionalGeneration(config), sample.processor


def gemma_4_unified() -> tuple[Any, Any]:
    """As 12B: the pixels of a cell go straight into the decoder."""
    width = 32
    text = Gemma4UnifiedTextConfig(**_gemma_text() | LARGE)
    vision = Gemma4UnifiedVisionConfig(mm_embed_dim=width, output_proj_dims=width)
    config = Gemma4UnifiedConfig(text_config=text, vision_config=vision, audio_config=None, **_gemma_ids())
    sample = tiny_model("gemma-4").processor
    processor = Gemma4UnifiedProcessor(
        feature_extractor=Gemma4UnifiedAudioFeatureExtractor(),
        image_processor=Gemma4UnifiedImageProcessor(),
        video_processor=Gemma4UnifiedVideoProcessor(),
        tokenizer=sample.tokenizer,
        chat_template=sample.chat_template,
    )
    return Gemma4UnifiedForConditionalGeneration(config), processor


def qwen3_5_experts() -> tuple[Any, Any]:
    """As 35B-A3B: a mixture of experts in every layer."""
    sample = tiny_model("qwen3.5")
    known = sample.model.config.to_dict()
    text = {name: value for name, value in known["text_config"].items() if name not in ("model_type", "dtype")}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    config = Qwen3_5MoeConfig(
        text_config=text | experts | {"shared_expert_intermediate_size": 16},
        vision_config={name: known["vision_config"][name] for name in known["vision_config"] if name != "model_type"},
        **{name: value for name, value in known.items() if name.endswith("_token_id")},
    )
    return Qwen3_5MoeForConditionalGeneration(config), sample.processor


VARIANTS: dict[str, tuple[str, Callable[[], tuple[Any, Any]]]] = {
    "gemma-4 large": ("gemma-4", gemma_4_large),
    "gemma-4 unified": ("gemma-4", gemma_4_unified),
    "qwen3.5 experts": ("qwen3.5", qwen3_5_experts),
}


def load_variant(name: str, folder: Path) -> Any:
    """Save a variant's checkpoint into `folder` and load it as a user would."""
    family, build = VARIANTS[name]
    sample = tiny_model(family)  # loading it draws random numbers
    torch.manual_seed(0)
    model, processor = build()
    for parameter_name, parameter in model.named_parameters():
        if parameter.ndim > 1:  # keeps the scale of what passes; norms stay
            # Random states of linear attention cancel, and the norm behind them magnifies rounding.
            gain = 0.3 if "linear_attn.out_proj" in parameter_name else 1.0
            torch.nn.init.normal_(parameter, std=gain / math.sqrt(parameter[0].numel()))
    torch.nn.init.normal_(model.get_input_embeddings().weight, std=0.05)  # larger ones would repeat the last token
    model.generation_config = sample.model.generation_config
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return load_model(family, folder)


def _gemma_text() -> dict[str, Any]:
    known = tiny_model("gemma-4").model.config.get_text_config().to_dict()
    own = ("model_type", "dtype", "per_layer_config", "hidden_size_per_layer_input", "vocab_size_per_layer_input")
    return {name: value for name, value in known.items() if name not in own}


def _gemma_ids() -> dict[str, Any]:
    known = tiny_model("gemma-4").model.config.to_dict()
    return {name: value for name, value in known.items() if "_token_" in name}
