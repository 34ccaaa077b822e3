"""LLaVA-NeXT-Video, InternVL3, LLaVA-OneVision, SmolVLM2: every frame becomes one square."""

from __future__ import annotations

from typing import Any

import _templates
from _byte_level import internvl_tokenizer, onevision_tokenizer, smolvlm_tokenizer
from _shapes import Checkpoint, Shape, made, token_ids
from _tokenizers import llava_tokenizer
from transformers import (
    CLIPVisionConfig,
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
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    Qwen2Config,
    SiglipVisionConfig,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)
from transformers.models.smolvlm.processing_smolvlm import DEFAULT_CHAT_TEMPLATE as SMOLVLM

HALF: dict[str, Any] = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}


def llava_next_video(shape: Shape) -> Checkpoint:
    """LLaVA-NeXT-Video: CLIP at 336 x 336 pixels, 2 x 2 patches pooled, Llama decoder."""
    tokenizer = llava_tokenizer(shape.lines, shape.phrases)
    side = shape.side or 336
    pinpoints = [[side * rows, side * columns] for rows, columns in ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))]
    fitted: dict[str, Any] = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    processor = made(
        LlavaNextVideoProcessor,
        video_processor=LlavaNextVideoVideoProcessor(**fitted),
        image_processor=LlavaNextImageProcessor(**fitted, image_grid_pinpoints=pinpoints),
        tokenizer=tokenizer,
        chat_template=_templates.LLAVA,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    text = LlamaConfig(**shape.text, **token_ids(tokenizer), rope_parameters=shape.rope_parameters(1e4))
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
    processor = made(
        InternVLProcessor,
        image_processor=GotOcr2ImageProcessor(**seen),
        video_processor=InternVLVideoProcessor(**seen),
        tokenizer=tokenizer,
        chat_template=_templates.INTERNVL,
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
        text_config=Qwen2Config(**shape.text, **token_ids(tokenizer), rope_parameters=shape.rope_parameters(1e6)),
        image_token_id=processor.image_token_id,
        image_seq_length=tokens,
        tie_word_embeddings=False,
    )
    return Checkpoint(InternVLForConditionalGeneration(config).eval(), processor)


def llava_onevision(shape: Shape) -> Checkpoint:
    """LLaVA-OneVision: frames resized to 384 x 384 pixels, 27 x 27 patches pooled to 14 x 14, Qwen2 decoder."""
    tokenizer = onevision_tokenizer(shape.lines, shape.vocabulary)
    side = shape.side or 384
    fitted: dict[str, Any] = {"size": {"height": side, "width": side}, **HALF}
    pinpoints = [[side * rows, side * columns] for rows in range(1, 7) for columns in range(1, 7)]
    processor = made(
        LlavaOnevisionProcessor,
        image_processor=LlavaOnevisionImageProcessor(**fitted, image_grid_pinpoints=pinpoints),
        video_processor=LlavaOnevisionVideoProcessor(**fitted),
        tokenizer=tokenizer,
        chat_template=_templates.LLAVA_ONEVISION,
        num_image_tokens=(side // 14) ** 2,
        vision_feature_select_strategy="full",
    )
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**_siglip(shape, side), vision_use_head=False),
        text_config=Qwen2Config(**shape.text, **token_ids(tokenizer), rope_parameters=shape.rope_parameters(1e6)),
        image_grid_pinpoints=pinpoints,
        image_token_index=processor.image_token_id,
        video_token_index=processor.video_token_id,
    )
    return Checkpoint(LlavaOnevisionForConditionalGeneration(config).eval(), processor)


def smolvlm2(shape: Shape) -> Checkpoint:
    """SmolVLM2 (2.2B): frames resized to 384 x 384 pixels, 27 x 27 patches joined to 9 x 9, Llama decoder."""
    tokenizer = smolvlm_tokenizer(shape.lines, shape.vocabulary)
    side = shape.side or 384
    fitted: dict[str, Any] = {"size": {"longest_edge": 4 * side}, "max_image_size": {"longest_edge": side}, **HALF}
    sampling = {"fps": 1, "max_frames": 64, "video_size": {"longest_edge": side}}
    processor = made(
        SmolVLMProcessor,
        image_processor=SmolVLMImageProcessor(**fitted, do_image_splitting=True),
        video_processor=made(SmolVLMVideoProcessor, **fitted, video_sampling=sampling),
        tokenizer=tokenizer,
        chat_template=SMOLVLM,
        image_seq_len=(side // 14 // 3) ** 2,
    )
    text = LlamaConfig(**shape.text, **token_ids(tokenizer), rope_parameters=shape.rope_parameters(130000.0))
    config = made(
        SmolVLMConfig,
        vision_config=_siglip(shape, side),
        text_config=text,
        scale_factor=3,
        image_token_id=processor.image_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Checkpoint(SmolVLMForConditionalGeneration(config).eval(), processor)


def _siglip(shape: Shape, side: int) -> dict[str, Any]:
    """The configuration of a SigLIP vision tower with patches of 14 pixels."""
    return {
        "hidden_size": shape.vision_width,
        "intermediate_size": 2 * shape.vision_width,
        "num_attention_heads": shape.vision_heads,
        "num_hidden_layers": shape.vision_layers,
        "image_size": side,
        "patch_size": 14,
    }
