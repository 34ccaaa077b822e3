"""Tiny checkpoints of the three model families: the real classes and processors.

Everything that decides how a clip becomes tokens (patch sizes, special tokens, chat templates, and by default image
sizes) is as published; everything that needs space (widths, depths, vocabularies) is tiny. Random weights are scaled so
that attention is not uniform and every visual token depends mostly on its own pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from _tokenizers import corpus, internvl_tokenizer, llava_tokenizer, qwen_tokenizer
from transformers import (
    CLIPVisionConfig,
    GenerationConfig,
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    InternVLVisionConfig,
    LlamaConfig,
    LlavaNextImageProcessor,
    LlavaNextVideoConfig,
    LlavaNextVideoForConditionalGeneration,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2Config,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

DTYPE = torch.bfloat16  # like the published checkpoints


@dataclass(frozen=True, slots=True)
class Shape:
    """How a model differs from the published one: widths, depths, vocabulary, and optionally the size of a frame."""

    text: Mapping[str, Any]  # of the decoder's configuration
    vision_width: int
    vision_layers: int
    vision_heads: int
    lines: tuple[str, ...]  # training text of the tokenizer
    phrases: tuple[str, ...] = ()  # phrases that become one token if the tokenizer supports it
    side: int | None = None  # pixels of a frame's sides as the model sees it; None: as published
    rope: float | None = None  # base of the rotary embedding's frequencies; None: as published

    def rope_parameters(self, published: float) -> dict[str, Any]:
        """The rotary embedding as transformers configures it."""
        return {"rope_type": "default", "rope_theta": self.rope or published}


def random_shape() -> Shape:
    """The shape of the random checkpoints: published frames and the smallest possible decoder."""
    text = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
    }
    return Shape(text, vision_width=32, vision_layers=2, vision_heads=2, lines=tuple(corpus()))


# The templates render exactly like those of the published processors.
LLAVA_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] != 'system' -%}{{ message['role'].upper() + ': ' }}{%- endif -%}
{%- for part in message['content'] if part['type'] == 'image' -%}{{ '<image>\\n' }}{%- endfor -%}
{%- for part in message['content'] if part['type'] == 'video' -%}{{ '<video>\\n' }}{%- endfor -%}
{%- for part in message['content'] if part['type'] == 'text' -%}{{ part['text'] + ' ' }}{%- endfor -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ 'ASSISTANT:' }}{%- endif -%}
"""
QWEN_TEMPLATE = """\
{%- set seen = namespace(images=0, videos=0) -%}
{%- for message in messages -%}
{%- if loop.first and message['role'] != 'system' -%}
{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['content'] is string -%}{{ message['content'] }}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' or 'image' in part or 'image_url' in part -%}
{%- set seen.images = seen.images + 1 -%}
{%- if add_vision_id -%}{{ 'Picture ' ~ seen.images ~ ': ' }}{%- endif -%}
{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif part['type'] == 'video' or 'video' in part -%}
{%- set seen.videos = seen.videos + 1 -%}
{%- if add_vision_id -%}{{ 'Video ' ~ seen.videos ~ ': ' }}{%- endif -%}
{{ '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- elif 'text' in part -%}{{ part['text'] }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""
INTERNVL_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['content'] is string -%}{{ message['content'] }}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}{{ '<IMG_CONTEXT>\\n' }}
{%- elif part['type'] == 'video' -%}{{ '<video>\\n' }}
{%- elif part['type'] == 'text' -%}{{ part['text'] }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A model with its processor, ready to be saved."""

    model: Any
    processor: Any


def llava_next_video(shape: Shape) -> Checkpoint:
    """LLaVA-NeXT-Video: CLIP at 336 x 336 pixels, 2 x 2 patches pooled, Llama decoder."""
    tokenizer = llava_tokenizer(shape.lines, shape.phrases)
    side = shape.side or 336
    pinpoints = [[side * rows, side * columns] for rows, columns in ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))]
    fitted: dict[str, Any] = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    processor = _made(
        LlavaNextVideoProcessor,
        video_processor=LlavaNextVideoVideoProcessor(**fitted),
        image_processor=LlavaNextImageProcessor(**fitted, image_grid_pinpoints=pinpoints),
        tokenizer=tokenizer,
        chat_template=LLAVA_TEMPLATE,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    text = LlamaConfig(**shape.text, **_token_ids(tokenizer), rope_parameters=shape.rope_parameters(1e4))
    config = LlavaNextVideoConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=shape.vision_width,
            intermediate_size=2 * shape.vision_width,
            num_attention_heads=shape.vision_heads,
            num_hidden_layers=shape.vision_layers,
            image_size=side,
            patch_size=14,
            projection_dim=32,
        ),
        text_config=text,
        image_grid_pinpoints=pinpoints,
        image_token_index=processor.image_token_id,
        video_token_index=processor.video_token_id,
    )
    return Checkpoint(LlavaNextVideoForConditionalGeneration(config).eval(), processor)


def qwen2_5_vl(shape: Shape) -> Checkpoint:
    """Qwen2.5-VL: any size in steps of 28 pixels, two frames a step, windowed vision tower, three-part positions."""
    tokenizer: Any = qwen_tokenizer(shape.lines)
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 16384}
    if shape.side is not None:
        size = {"shortest_edge": shape.side**2, "longest_edge": shape.side**2}
    processor = _made(
        Qwen2_5_VLProcessor,
        image_processor=Qwen2VLImageProcessor(size=size),
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        tokenizer=tokenizer,
        chat_template=QWEN_TEMPLATE,
    )
    config = Qwen2_5_VLConfig(
        text_config={
            **shape.text,
            **_token_ids(tokenizer),
            "rope_parameters": {**shape.rope_parameters(1e6), "mrope_section": [2, 3, 3]},
        },
        vision_config={
            "depth": shape.vision_layers,
            "hidden_size": shape.vision_width,
            "intermediate_size": 2 * shape.vision_width,
            "num_heads": shape.vision_heads,
            "out_hidden_size": shape.text["hidden_size"],
            "fullatt_block_indexes": [shape.vision_layers - 1],
            "tokens_per_second": 2,
        },
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    )
    return Checkpoint(Qwen2_5_VLForConditionalGeneration(config).eval(), processor)


def internvl3(shape: Shape) -> Checkpoint:
    """InternVL3: frames resized to 448 x 448 pixels, 2 x 2 patches merged into one token, Qwen2 decoder."""
    tokenizer = internvl_tokenizer(shape.lines)
    side = shape.side or 448
    seen: dict[str, Any] = {
        "size": {"height": side, "width": side},
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }
    tokens = (side // 28) ** 2  # of a frame
    processor = _made(
        InternVLProcessor,
        image_processor=GotOcr2ImageProcessor(**seen),
        video_processor=InternVLVideoProcessor(**seen),
        tokenizer=tokenizer,
        chat_template=INTERNVL_TEMPLATE,
        image_seq_length=tokens,
    )
    vision = InternVLVisionConfig(
        hidden_size=shape.vision_width,
        intermediate_size=2 * shape.vision_width,
        num_attention_heads=shape.vision_heads,
        num_hidden_layers=shape.vision_layers,
        image_size=[side, side],
        attention_bias=True,
    )
    config = InternVLConfig(
        vision_config=vision,
        text_config=Qwen2Config(**shape.text, **_token_ids(tokenizer), rope_parameters=shape.rope_parameters(1e6)),
        image_token_id=processor.image_token_id,
        image_seq_length=tokens,
        tie_word_embeddings=False,
    )
    return Checkpoint(InternVLForConditionalGeneration(config).eval(), processor)


FAMILIES: dict[str, Callable[[Shape], Checkpoint]] = {
    "llava-next-video": llava_next_video,
    "qwen2.5-vl": qwen2_5_vl,
    "internvl3": internvl3,
}


def random_checkpoint(name: str) -> Checkpoint:
    """A family's checkpoint with random weights, for trying everything except the answers."""
    made = FAMILIES[name](random_shape())
    randomise(made.model, torch.Generator().manual_seed(1 + list(FAMILIES).index(name)))
    return Checkpoint(made.model.to(DTYPE), made.processor)


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Save a checkpoint in the format of `from_pretrained`."""
    tokenizer = checkpoint.processor.tokenizer
    checkpoint.model.generation_config = _made(
        GenerationConfig,
        do_sample=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    checkpoint.model.save_pretrained(folder)
    checkpoint.processor.save_pretrained(folder)


def _made(kind: Any, **parts: Any) -> Any:
    """An object of a library class whose constructor is untyped."""
    return kind(**parts)


def _token_ids(tokenizer: Any) -> dict[str, Any]:
    """The vocabulary size, in steps of 64 like the published ones, and the begin, end and padding tokens."""
    return {
        "vocab_size": math.ceil(len(tokenizer) / 64) * 64,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


@torch.no_grad()
def randomise(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Draw every weight anew, in the order of the names."""
    for name, weight in sorted(model.named_parameters()):
        if "norm" in name or "ln_q" in name:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
        elif "lambda" not in name:
            weight.normal_(0.0, _spread(name, weight), generator=generator)


def _spread(name: str, weight: torch.Tensor) -> float:
    """The standard deviation of a weight: 1 / sqrt(inputs) preserves the scale of activations."""
    vision = "language_model" not in name
    if weight.ndim == 1:  # biases, and learnt vectors such as LLaVA's newline
        return 0.1
    if "embed_tokens" in name:
        return 1.0
    if "position" in name or "cls_token" in name:
        return 0.2
    gain = 1.0
    if "q_proj" in name or "k_proj" in name or "qkv" in name:
        gain = 1.4  # attention logits with a standard deviation of about 2
    elif "patch_embed" in name or "lm_head" in name:
        gain = 2.0
    elif vision and any(part in name for part in ("out_proj", "attn.proj", "projection_layer")):
        gain = 0.3  # a visual token keeps mostly its own patch
    return gain / math.sqrt(weight[0].numel())
