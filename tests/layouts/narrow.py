"""Narrow checkpoints: what the published ones say of themselves, with widths of 32 and real vocabularies.

The settings are those of config.json on the hub as far as they decide how a checkpoint is read (spelling, nesting,
types of rotary positions, token ids, sizes of vocabularies); what only costs room is small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    InternVLForConditionalGeneration,
    LlavaNextVideoForConditionalGeneration,
    Qwen2_5_VLForConditionalGeneration,
)

from .vocabularies import INTERNVL_SPECIAL, QWEN_SPECIAL, with_tokens

WIDTH = 32
_DECODER = {
    "hidden_size": WIDTH,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- for part in message['content'] if part['type'] == 'video' -%}{{ '<video>\\n' }}{%- endfor -%}
{%- for part in message['content'] if part['type'] == 'text' -%}{{ part['text'] }}{%- endfor -%}
{{ '<|im_end|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""


@dataclass(frozen=True, eq=False)
class Published:
    """A published checkpoint, narrow. `images` and `videos` are its preprocessing, `tokens` its tokenizer_config."""

    model: str  # of --model
    hub_id: str
    model_class: Any
    config: Mapping[str, Any]  # config.json
    tokenizer: Callable[[Mapping[str, Any]], dict[str, Any]]  # tokenizer.json, of the vocabularies
    tokens: Mapping[str, Any]
    images: Mapping[str, Any]
    video_type: str
    processor: Mapping[str, Any]  # processor_config.json before transformers 5
    letter: str  # the token of the answer "A" in the vocabulary
    rename: Callable[[str], str]  # from transformers' names of weights today to the published ones
    tied: bool = False  # whether the output matrix is the matrix of word embeddings, and not among the weights
    template: str | None = None  # None: that of the family's sample checkpoint
    frame_fit: str | None = None  # as the processor does

    def made(self) -> Any:
        """The model with random weights, the same ones each time."""
        config = self.model_class.config_class.from_dict(dict(self.config))
        config.tie_word_embeddings = self.tied
        model = self.model_class(config)
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for name, weight in sorted(model.named_parameters()):
                if "norm" in name or "ln_q" in name:
                    weight.fill_(0.0 if name.endswith("bias") else 1.0)
                elif "lambda" not in name:
                    spread = 0.1 if weight.ndim == 1 else 1.4 / math.sqrt(weight[0].numel())
                    weight.normal_(0.0, 1.0 if "embed_tokens" in name else spread, generator=generator)
        return model.to(torch.bfloat16).eval()


def _llava_name(name: str) -> str:
    name = name.removeprefix("model.")
    name = name.replace("lm_head", "language_model.lm_head").replace("vision_tower.", "vision_tower.vision_model.")
    return name if "lm_head" in name else name.replace("language_model.", "language_model.model.")


def _qwen_name(name: str) -> str:
    return name.replace("model.language_model.", "model.").replace("model.visual.", "visual.")


def _internvl_name(name: str) -> str:
    name = name.removeprefix("model.").replace("language_model.", "language_model.model.")
    return name.replace("lm_head", "language_model.lm_head")


_CLIP = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
_SQUARE = {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}
_PINPOINTS = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]


def _llava(size: str, special: tuple[str, ...], text: Mapping[str, Any], **more: Any) -> Published:
    ids = {token: 32000 + at for at, token in enumerate(special)}
    return Published(
        model="llava-next-video",
        hub_id=f"llava-hf/LLaVA-NeXT-Video-{size}-hf",
        model_class=LlavaNextVideoForConditionalGeneration,
        config={
            "architectures": ["LlavaNextVideoForConditionalGeneration"],
            "model_type": "llava_next_video",
            "ignore_index": -100,
            "image_grid_pinpoints": _PINPOINTS,
            "image_token_index": ids["<image>"],
            "video_token_index": ids["<video>"],
            "projector_hidden_act": "gelu",
            "spatial_pool_mode": "average",
            "spatial_pool_stride": 2,
            "text_config": {"model_type": "llama", **_DECODER, "vocab_size": 32064, "rms_norm_eps": 1e-5, **text},
            "tie_word_embeddings": False,
            "torch_dtype": "bfloat16",
            "transformers_version": "4.42.0.dev0",
            "use_image_newline_parameter": True,
            "vision_config": {
                "model_type": "clip_vision_model",
                "hidden_size": WIDTH,
                "intermediate_size": 64,
                "num_attention_heads": 2,
                "num_hidden_layers": 2,
                "image_size": 336,
                "patch_size": 14,
                "projection_dim": WIDTH,
                "vocab_size": 32000,
            },
            "vision_feature_layer": -2,
            "vision_feature_select_strategy": "default",
        },
        tokenizer=lambda found: with_tokens(found["llama"], 3, special),
        images={"do_pad": True, "image_grid_pinpoints": _PINPOINTS, "resample": 3, **_CLIP, **_SQUARE},
        video_type="LlavaNextVideoVideoProcessor",
        processor={
            "image_token": "<image>",
            "video_token": "<video>",
            "num_additional_image_tokens": 1,
            "patch_size": 14,
            "processor_class": "LlavaNextVideoProcessor",
            "vision_feature_select_strategy": "default",
        },
        rename=_llava_name,
        frame_fit="crop",
        **more,
    )


def _llava_tokens(**more: Any) -> dict[str, Any]:
    return {
        "tokenizer_class": "LlamaTokenizer",
        "processor_class": "LlavaNextVideoProcessor",
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "padding_side": "left",
        "legacy": False,
        "clean_up_tokenization_spaces": False,
        "extra_special_tokens": {"image_token": "<image>", "video_token": "<video>"},
        "image_token": "<image>",
        "video_token": "<video>",
        **more,
    }


LLAVA_7B = _llava(
    "7B",
    ("<video>", "<image>", "<pad>"),
    {"max_position_embeddings": 4096, "rope_scaling": {"factor": 2.0, "type": "linear"}},
    tokens=_llava_tokens(),
    letter="▁A",
)
LLAVA_34B = _llava(
    "34B",
    ("<|im_start|>", "<|im_end|>", "<video>", "<image>", "<pad>"),
    {"max_position_embeddings": 4096, "rope_theta": 5000000.0, "eos_token_id": 32001},
    tokens=_llava_tokens(eos_token="<|im_end|>"),
    letter="A",
    template=CHATML,
)

_QWEN_TOKENS = {
    "tokenizer_class": "Qwen2Tokenizer",
    "add_bos_token": False,
    "add_prefix_space": False,
    "bos_token": None,
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
    "unk_token": None,
    "clean_up_tokenization_spaces": False,
    "errors": "replace",
    "split_special_tokens": False,
}


def _qwen(size: str, tied: bool, words: int) -> Published:
    return Published(
        model="qwen2.5-vl",
        hub_id=f"Qwen/Qwen2.5-VL-{size}-Instruct",
        model_class=Qwen2_5_VLForConditionalGeneration,
        config={
            "architectures": ["Qwen2_5_VLForConditionalGeneration"],
            "model_type": "qwen2_5_vl",
            "attention_dropout": 0.0,
            "bos_token_id": 151643,
            "eos_token_id": 151645,
            "vision_start_token_id": 151652,
            "vision_end_token_id": 151653,
            "vision_token_id": 151654,
            "image_token_id": 151655,
            "video_token_id": 151656,
            **_DECODER,
            "hidden_act": "silu",
            "initializer_range": 0.02,
            "max_position_embeddings": 128000,
            "max_window_layers": 28,
            "rms_norm_eps": 1e-06,
            "rope_theta": 1000000.0,
            "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
            "sliding_window": 32768,
            "use_sliding_window": False,
            "tie_word_embeddings": tied,
            "torch_dtype": "bfloat16",
            "transformers_version": "4.41.2",
            "use_cache": True,
            "vision_config": {
                "depth": 2,
                "fullatt_block_indexes": [1],
                "hidden_act": "silu",
                "hidden_size": WIDTH,
                "intermediate_size": 64,
                "num_heads": 2,
                "in_chans": 3,
                "out_hidden_size": WIDTH,
                "patch_size": 14,
                "spatial_merge_size": 2,
                "spatial_patch_size": 14,
                "window_size": 112,
                "tokens_per_second": 2,
                "temporal_patch_size": 2,
            },
            "vocab_size": words,
        },
        tokenizer=lambda found: with_tokens(found["qwen"], QWEN_SPECIAL, ()),
        tokens={**_QWEN_TOKENS, "processor_class": "Qwen2_5_VLProcessor"},
        images={
            **_CLIP,
            "min_pixels": 3136,
            "max_pixels": 12845056,
            "patch_size": 14,
            "temporal_patch_size": 2,
            "merge_size": 2,
        },
        video_type="Qwen2VLVideoProcessor",
        processor={"processor_class": "Qwen2_5_VLProcessor"},
        tied=tied,
        letter="A",
        rename=_qwen_name,
    )


QWEN_3B = _qwen("3B", True, 151936)
QWEN_7B = _qwen("7B", False, 152064)

_NAMED = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
INTERNVL_8B = Published(
    model="internvl3",
    hub_id="OpenGVLab/InternVL3-8B-hf",
    model_class=InternVLForConditionalGeneration,
    config={
        "architectures": ["InternVLForConditionalGeneration"],
        "model_type": "internvl",
        "downsample_ratio": 0.5,
        "image_seq_length": 256,
        "image_token_id": 151667,
        "projector_hidden_act": "gelu",
        "text_config": {
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            **_DECODER,
            "bos_token_id": 151643,
            "eos_token_id": 151643,
            "max_position_embeddings": 32768,
            "max_window_layers": 70,
            "rms_norm_eps": 1e-06,
            "rope_scaling": {"factor": 2.0, "rope_type": "dynamic", "type": "dynamic"},
            "rope_theta": 1000000.0,
            "sliding_window": None,
            "tie_word_embeddings": False,
            "torch_dtype": "bfloat16",
            "use_sliding_window": False,
            "vocab_size": 151674,
        },
        "torch_dtype": "bfloat16",
        "transformers_version": "4.52.0.dev0",
        "vision_config": {
            "model_type": "internvl_vision",
            "architectures": ["InternVisionModel"],
            "attention_bias": True,
            "hidden_size": WIDTH,
            "image_size": [448, 448],
            "intermediate_size": 64,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "patch_size": [14, 14],
        },
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": "default",
    },
    tokenizer=lambda found: with_tokens(found["qwen"], QWEN_SPECIAL, (*INTERNVL_SPECIAL, "<video>")),
    tokens={**_QWEN_TOKENS, "processor_class": "InternVLProcessor", "extra_special_tokens": _NAMED, **_NAMED},
    images={
        "crop_size": None,
        "crop_to_patches": False,
        "do_center_crop": None,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "max_patches": 12,
        "min_patches": 1,
        "resample": 3,
        "size": {"height": 448, "width": 448},
    },
    video_type="InternVLVideoProcessor",
    processor={"image_seq_length": 256, "processor_class": "InternVLProcessor"},
    letter="A",
    rename=_internvl_name,
)

PUBLISHED = {
    "llava-7b": LLAVA_7B,
    "llava-34b": LLAVA_34B,
    "qwen-3b": QWEN_3B,
    "qwen-7b": QWEN_7B,
    "internvl-8b": INTERNVL_8B,
}
