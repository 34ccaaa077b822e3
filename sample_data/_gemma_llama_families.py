"""Gemma 4, with windows and shared keys in the decoder, and Llama-3.2-Vision, with cross-attention to the frames."""

from __future__ import annotations

from typing import Any

import _templates
from _byte_level import llama3_tokenizer
from _shapes import Checkpoint, Shape, made, token_ids
from _tokenizers import gemma_tokenizer
from transformers import (
    Gemma4AudioFeatureExtractor,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4ImageProcessor,
    Gemma4Processor,
    Gemma4TextConfig,
    Gemma4VideoProcessor,
    Gemma4VisionConfig,
    MllamaConfig,
    MllamaForConditionalGeneration,
    MllamaImageProcessor,
    MllamaProcessor,
)

GEMMA4_STOPS = ("<eos>", "<turn|>", "<|tool_response>")
LLAMA3_STOPS = ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>")


def gemma4(shape: Shape) -> Checkpoint:
    """Gemma 4 (E2B, E4B): 70 tokens a frame at most, sliding windows, shared keys at the end, inputs of every layer."""
    tokenizer: Any = gemma_tokenizer(shape.lines, shape.vocabulary + 256)
    processor = made(
        Gemma4Processor,
        feature_extractor=Gemma4AudioFeatureExtractor(),
        image_processor=Gemma4ImageProcessor(),
        video_processor=Gemma4VideoProcessor(),
        tokenizer=tokenizer,
        chat_template=_templates.GEMMA4,
    )
    ids = token_ids(tokenizer)
    text = made(
        Gemma4TextConfig,
        **{**shape.text, **ids, "num_hidden_layers": 6, "tie_word_embeddings": True},
        layer_types=["sliding_attention", "full_attention"] * 3,
        sliding_window=512,
        num_kv_shared_layers=2,
        global_head_dim=16,
        vocab_size_per_layer_input=ids["vocab_size"],
        hidden_size_per_layer_input=2,
    )
    config = Gemma4Config(
        text_config=text,
        vision_config=Gemma4VisionConfig(
            hidden_size=shape.vision_width,
            intermediate_size=2 * shape.vision_width,
            num_attention_heads=shape.vision_heads,
            num_key_value_heads=shape.vision_heads,
            head_dim=shape.vision_width // shape.vision_heads,
            num_hidden_layers=shape.vision_layers,
            position_embedding_size=256,
        ),
        audio_config=None,
        **_gemma4_ids(tokenizer),
    )
    return Checkpoint(Gemma4ForConditionalGeneration(config).eval(), processor, GEMMA4_STOPS)


def _gemma4_ids(tokenizer: Any) -> dict[str, Any]:
    """The ids of the tokens that stand for images, videos and sounds, and of those around them."""
    return {
        "image_token_id": tokenizer.image_token_id,
        "video_token_id": tokenizer.video_token_id,
        "boi_token_id": tokenizer.boi_token_id,
        "eoi_token_id": tokenizer.eoi_token_id,
        "audio_token_id": tokenizer.audio_token_id,
        "boa_token_id": tokenizer.boa_token_id,
        "eoa_token_index": tokenizer.eoa_token_id,
    }


def llama3_2_vision(shape: Shape) -> Checkpoint:
    """Llama-3.2-Vision: frames are images in tiles of 560 x 560 pixels; words see them in cross-attention layers."""
    tokenizer: Any = llama3_tokenizer(shape.lines, shape.vocabulary)
    processor = made(
        MllamaProcessor,
        image_processor=MllamaImageProcessor(
            size={"height": 560, "width": 560},
            max_image_tiles=4,
            image_mean=[0.48145466, 0.4578275, 0.40821073],
            image_std=[0.26862954, 0.26130258, 0.27577711],
        ),
        tokenizer=tokenizer,
        chat_template=_templates.LLAMA3_VISION,
    )
    text = {name: value for name, value in shape.text.items() if name != "head_dim"}
    width = 4  # positions of 4 tiles of 1601 patches, for each of 9 layouts, make most of the weights
    config = MllamaConfig(
        text_config={
            **text,
            **token_ids(tokenizer),
            "vocab_size": processor.image_token_id,  # this token has an embedding, but no logit
            "num_hidden_layers": 6,
            "cross_attention_layers": [1, 3, 4],
            "rope_parameters": shape.rope_parameters(5e5),
        },
        vision_config={
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "attention_heads": 1,
            "num_hidden_layers": shape.vision_layers,
            "num_global_layers": 1,
            "image_size": 560,
            "patch_size": 14,
            "max_num_tiles": 4,
            "intermediate_layers_indices": [0],
            "vision_output_dim": 2 * width,
        },
        image_token_index=processor.image_token_id,
    )
    return Checkpoint(MllamaForConditionalGeneration(config).eval(), processor, LLAMA3_STOPS)
