"""Tiny checkpoints of two families without an adapter in socialcli: real classes, random weights."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
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

sys.path.insert(0, str(SAMPLE))

import _checkpoints as checkpoints
import _tokenizers as tokenizers

GLM_SPECIAL = (
    *("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"),
    *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>", "<|image|>", "<|video|>"),
)
GLM_TEMPLATE = """\
[gMASK]<sop>
{%- for message in messages -%}
{{ '\\n<|' + message['role'] + '|>\\n' if loop.first else '<|' + message['role'] + '|>\\n' }}
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
PIXELS = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 4096}


def glm46v() -> checkpoints.Checkpoint:
    """GLM-4.6V: two frames a step, the time of each step behind it, image tokens in the place of a video."""
    shape = checkpoints.random_shape()
    tokenizer: Any = tokenizers._byte_level(shape.lines, GLM_SPECIAL, {})
    tokenizer.eos_token = "<|user|>"
    processor = checkpoints._made(
        Glm46VProcessor,
        image_processor=Glm46VImageProcessor(size=PIXELS),
        video_processor=Glm46VVideoProcessor(size=PIXELS),
        tokenizer=tokenizer,
        chat_template=GLM_TEMPLATE,
    )
    marks = {
        f"{kind}_{end}_token_id": tokenizer.convert_tokens_to_ids(f"<|{word}_of_{kind}|>")
        for kind in ("image", "video")
        for end, word in (("start", "begin"), ("end", "end"))
    }
    config = Glm46VConfig(
        text_config={
            **{name: value for name, value in shape.text.items() if name not in ("head_dim", "tie_word_embeddings")},
            **checkpoints._token_ids(tokenizer),
            "model_type": "glm4v_text",
            "rope_parameters": {
                **shape.rope_parameters(1e4),
                "partial_rotary_factor": 0.5,
                "mrope_section": [2, 1, 1],
            },
        },
        vision_config={
            "model_type": "glm4v_vision",
            "depth": shape.vision_layers,
            "hidden_size": shape.vision_width,
            "intermediate_size": 2 * shape.vision_width,
            "num_heads": shape.vision_heads,
            "out_hidden_size": shape.text["hidden_size"],
        },
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        **marks,
    )
    return checkpoints.Checkpoint(Glm46VForConditionalGeneration(config).eval(), processor)


def video_llama_3() -> checkpoints.Checkpoint:
    """VideoLLaMA3: one frame a step, its time before it; tokens of frames that hardly change are dropped."""
    shape = checkpoints.random_shape()
    tokenizer: Any = tokenizers.qwen_tokenizer(shape.lines)
    processor = checkpoints._made(
        VideoLlama3Processor,
        image_processor=VideoLlama3ImageProcessor(size=PIXELS),
        video_processor=VideoLlama3VideoProcessor(size=PIXELS),
        tokenizer=tokenizer,
        chat_template=VIDEO_LLAMA_TEMPLATE,
    )
    config = VideoLlama3Config(
        text_config={
            **{name: value for name, value in shape.text.items() if name != "head_dim"},
            **checkpoints._token_ids(tokenizer),
            "model_type": "qwen2",
            "rope_parameters": shape.rope_parameters(1e6),
        },
        vision_config={
            "hidden_size": shape.vision_width,
            "intermediate_size": 2 * shape.vision_width,
            "num_attention_heads": shape.vision_heads,
            "num_hidden_layers": shape.vision_layers,
            "patch_size": 14,
        },
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
    )
    return checkpoints.Checkpoint(VideoLlama3ForConditionalGeneration(config).eval(), processor)


FAMILIES: dict[str, Callable[[], checkpoints.Checkpoint]] = {"glm46v": glm46v, "video_llama_3": video_llama_3}


def save(name: str, folder: Path) -> Path:
    """Write a family's checkpoint into the folder, float32, as `from_pretrained` reads it."""
    made = FAMILIES[name]()
    checkpoints.randomise(made.model, torch.Generator().manual_seed(7))
    checkpoints.save(made, folder)
    return folder
