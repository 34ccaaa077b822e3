"""The Qwen families: frames keep their aspect ratio, two frames make a step, and positions have three parts."""

from __future__ import annotations

from typing import Any

import _templates
from _byte_level import qwen3_5_tokenizer, qwen3_tokenizer, qwen_tokenizer
from _shapes import Checkpoint, Shape, made, token_ids
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

STOPS = ("<|im_end|>", "<|endoftext|>")
QWEN3_PATCHES: dict[str, Any] = {
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "patch_size": 16,
    "temporal_patch_size": 2,
    "merge_size": 2,
}


def qwen2_5_vl(shape: Shape) -> Checkpoint:
    """Qwen2.5-VL: any size in steps of 28 pixels, two frames a step, windowed vision tower, three-part positions."""
    tokenizer: Any = qwen_tokenizer(shape.lines)
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 16384}
    if shape.side is not None:
        size = {"shortest_edge": shape.side**2, "longest_edge": shape.side**2}
    processor = made(
        Qwen2_5_VLProcessor,
        image_processor=Qwen2VLImageProcessor(size=size),
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        tokenizer=tokenizer,
        chat_template=_templates.QWEN2,
    )
    config = Qwen2_5_VLConfig(
        text_config={
            **shape.text,
            **token_ids(tokenizer),
            "rope_parameters": _three_part(shape, 1e6),
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


def qwen2_vl(shape: Shape) -> Checkpoint:
    """Qwen2-VL: as Qwen2.5-VL, but the whole vision tower sees the whole frame, and steps have no times."""
    tokenizer: Any = qwen_tokenizer(shape.lines, shape.vocabulary)
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 16384}
    processor = made(
        Qwen2VLProcessor,
        image_processor=Qwen2VLImageProcessor(size=size),
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        tokenizer=tokenizer,
        chat_template=_templates.QWEN2,
    )
    config = Qwen2VLConfig(
        text_config={
            **shape.text,
            **token_ids(tokenizer),
            "rope_parameters": _three_part(shape, 1e6),
        },
        vision_config={
            "depth": shape.vision_layers,
            "embed_dim": shape.vision_width,
            "hidden_size": shape.text["hidden_size"],
            "num_heads": shape.vision_heads,
            "mlp_ratio": 2,
        },
        tie_word_embeddings=True,  # as in the published model of 2B
        **_visual_ids(processor),
    )
    return Checkpoint(Qwen2VLForConditionalGeneration(config).eval(), processor, STOPS)


def qwen3_vl(shape: Shape) -> Checkpoint:
    """Qwen3-VL: any size in steps of 32 pixels, a time stamp before each step, features of earlier vision layers."""
    tokenizer: Any = qwen3_tokenizer(shape.lines, shape.vocabulary)
    processor = _qwen3_processor(tokenizer, _templates.QWEN3)
    config = Qwen3VLConfig(
        text_config={
            **shape.text,
            **token_ids(tokenizer),
            "rope_parameters": {**_three_part(shape, 5e6), "mrope_interleaved": True},
        },
        vision_config={**_qwen3_tower(shape), "depth": 3, "deepstack_visual_indexes": [0, 1]},
        tie_word_embeddings=True,  # as in the published models of up to 4B
        **_visual_ids(processor),
    )
    return Checkpoint(Qwen3VLForConditionalGeneration(config).eval(), processor, STOPS)


def qwen3_5(shape: Shape) -> Checkpoint:
    """Qwen3.5: the frames of Qwen3-VL under a hybrid decoder, in which every fourth layer has softmax attention."""
    tokenizer: Any = qwen3_5_tokenizer(shape.lines, shape.vocabulary)
    processor = _qwen3_processor(tokenizer, _templates.QWEN3_5)
    rotated = 0.5  # of a head's dimensions; published: a quarter of many more
    config = Qwen3_5Config(
        text_config={
            **shape.text,
            **token_ids(tokenizer),
            "num_hidden_layers": 8,
            "head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "rope_parameters": {
                **_three_part(shape, 1e7),
                "mrope_interleaved": True,
                "partial_rotary_factor": rotated,
            },
        },
        vision_config=_qwen3_tower(shape),
        tie_word_embeddings=True,  # as in the published models of up to 4B
        **_visual_ids(processor),
    )
    return Checkpoint(Qwen3_5ForConditionalGeneration(config).eval(), processor, STOPS)


def _three_part(shape: Shape, published: float) -> dict[str, Any]:
    """The rotary embedding of time, row and column, with 3/8 of the frequencies for rows and for columns (Qwen2-VL)."""
    frequencies = shape.text["head_dim"] // 2
    row = 3 * frequencies // 8
    return {**shape.rope_parameters(published), "mrope_section": [frequencies - 2 * row, row, row]}


def _qwen3_processor(tokenizer: Any, template: str) -> Any:
    """The processor of Qwen3-VL and Qwen3.5."""
    images = {"shortest_edge": 65536, "longest_edge": 16777216}  # pixels of an image
    videos = {"shortest_edge": 4096, "longest_edge": 25165824}  # pixels of all frames of a video
    return made(
        Qwen3VLProcessor,
        image_processor=Qwen2VLImageProcessor(size=images, **QWEN3_PATCHES),
        video_processor=Qwen3VLVideoProcessor(size=videos, cap_pixels_per_frame=False, **QWEN3_PATCHES),
        tokenizer=tokenizer,
        chat_template=template,
    )


def _qwen3_tower(shape: Shape) -> dict[str, Any]:
    """The vision tower of Qwen3-VL and Qwen3.5; it learns positions of 16 x 16 patches, the published one 48 x 48."""
    return {
        "depth": shape.vision_layers,
        "hidden_size": shape.vision_width,
        "intermediate_size": 2 * shape.vision_width,
        "num_heads": shape.vision_heads,
        "patch_size": 16,
        "out_hidden_size": shape.text["hidden_size"],
        "num_position_embeddings": 256,
    }


def _visual_ids(processor: Any) -> dict[str, Any]:
    """The ids of the tokens that stand for images and videos."""
    tokenizer = processor.tokenizer
    return {
        "image_token_id": processor.image_token_id,
        "video_token_id": processor.video_token_id,
        "vision_start_token_id": tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        "vision_end_token_id": tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    }
