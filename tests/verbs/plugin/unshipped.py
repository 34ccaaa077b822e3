"""Tiny checkpoints of two families without an adapter in socialcli: real classes, random weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    Glm46VConfig,
    Glm46VForConditionalGeneration,
    Glm46VImageProcessor,
    Glm46VProcessor,
    Glm46VVideoProcessor,
    VideoLlama3Config,
    VideoLlama3ForConditionalGeneration,
    VideoLlama3ImageProcessor,
    VideoLlama3Processor,
    VideoLlama3VideoProcessor,
)

from ...conftest import SAMPLE

GLM_SPECIAL = [
    *("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"),
    *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>", "<|image|>", "<|video|>"),
]
GLM_TEMPLATE = """\
[gMASK]<sop>
{%- for message in messages -%}
{{ '<|' + message['role'] + '|>\\n' }}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}{{ '<|begin_of_video|><|video|><|end_of_video|>' }}
{%- elif part['type'] == 'image' -%}{{ '<|begin_of_image|><|image|><|end_of_image|>' }}
{%- elif part['type'] == 'text' -%}{{ part['text'] }}
{%- endif -%}
{%- endfor -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- endif -%}
"""
VIDEO_LLAMA_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}{{ '<|video_pad|>\\n' }}
{%- elif part['type'] == 'image' -%}{{ '<|image_pad|>\\n' }}
{%- elif part['type'] == 'text' -%}{{ part['text'] }}
{%- endif -%}
{%- endfor -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""
PIXELS = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 4096}  # of all frames of a clip
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
}
VISION = {"hidden_size": 32, "intermediate_size": 64, "patch_size": 14}


def glm46v() -> tuple[Any, Any]:
    """GLM-4.6V: two frames a step, each step's time behind it, and image tokens in the place of a video."""
    tokenizer = AutoTokenizer.from_pretrained(SAMPLE / "checkpoints" / "qwen2.5-vl")
    tokenizer.add_special_tokens({"additional_special_tokens": GLM_SPECIAL, "eos_token": "<|user|>"})
    processor: Any = _made(
        Glm46VProcessor,
        image_processor=Glm46VImageProcessor(size=PIXELS),
        video_processor=Glm46VVideoProcessor(size=PIXELS),
        tokenizer=tokenizer,
        chat_template=GLM_TEMPLATE,
    )
    rope = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5, "mrope_section": [2, 1, 1]}
    marks = {
        f"{kind}_{end}_token_id": tokenizer.convert_tokens_to_ids(f"<|{word}_of_{kind}|>")
        for kind in ("image", "video")
        for end, word in (("start", "begin"), ("end", "end"))
    }
    config = Glm46VConfig(
        text_config={**TEXT, **_ids(tokenizer), "model_type": "glm4v_text", "rope_parameters": rope},
        vision_config={**VISION, "model_type": "glm4v_vision", "depth": 2, "num_heads": 2, "out_hidden_size": 64},
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        **marks,
    )
    return Glm46VForConditionalGeneration(config), processor


def video_llama_3() -> tuple[Any, Any]:
    """VideoLLaMA3: one frame a step, its time before it; tokens of frames that hardly change are dropped."""
    tokenizer = AutoTokenizer.from_pretrained(SAMPLE / "checkpoints" / "qwen2.5-vl")
    processor: Any = _made(
        VideoLlama3Processor,
        image_processor=VideoLlama3ImageProcessor(size=PIXELS),
        video_processor=VideoLlama3VideoProcessor(size=PIXELS),
        tokenizer=tokenizer,
        chat_template=VIDEO_LLAMA_TEMPLATE,
    )
    config = VideoLlama3Config(
        text_config={**TEXT, **_ids(tokenizer), "model_type": "qwen2"},
        vision_config={**VISION, "num_attention_heads": 2, "num_hidden_layers": 2},
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
    )
    return VideoLlama3ForConditionalGeneration(config), processor


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {"glm-4.6v": glm46v, "video-llama-3": video_llama_3}


def save(name: str, folder: Path) -> Path:
    """Write a family's checkpoint into the folder, float32, as `from_pretrained` reads it."""
    model, processor = FAMILIES[name]()
    _randomise(model, torch.Generator().manual_seed(7))
    tokenizer = processor.tokenizer
    model.generation_config = _made(
        GenerationConfig, do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@torch.no_grad()
def _randomise(model: Any, generator: torch.Generator) -> None:
    """Draw the matrices so that attention is not uniform, and a visual token depends mostly on its own pixels."""
    for name, weight in sorted(model.named_parameters()):
        if weight.ndim > 1:
            gain = 0.3 if any(part in name for part in ("out_proj", "attn.proj")) else 1.4
            fan = 1 if "embed" in name and "patch" not in name else weight[0].numel()
            weight.normal_(0.0, gain / math.sqrt(fan), generator=generator)


def _made(kind: Any, **parts: Any) -> Any:
    """An object of a library class whose constructor is untyped."""
    return kind(**parts)


def _ids(tokenizer: Any) -> dict[str, int]:
    """The size of the vocabulary, and the tokens that end a text and fill a batch."""
    size = math.ceil(len(tokenizer) / 64) * 64
    return {"vocab_size": size, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
