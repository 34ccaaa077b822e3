"""What every family's checkpoint is made from: the sizes of the model, its parts, its token ids."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from _tokenizers import VOCABULARY, corpus

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
    vocabulary: int = VOCABULARY  # tokens before the letters and the special ones

    def rope_parameters(self, published: float) -> dict[str, Any]:
        """The rotary embedding as transformers configures it."""
        return {"rope_type": "default", "rope_theta": self.rope or published}


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A model with its processor, ready to be saved."""

    model: Any
    processor: Any
    stops: tuple[str, ...] = ()  # tokens that end an answer; none: the tokenizer's end-of-sequence token


def random_shape() -> Shape:
    """The shape of the random checkpoints: published frames and the smallest possible decoder."""
    text = {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
    }
    return Shape(text, vision_width=16, vision_layers=2, vision_heads=2, lines=tuple(corpus()), vocabulary=384)


def verbose_shape() -> Shape:
    """The shape of the random checkpoints of families that are also trained: with all the words."""
    return replace(random_shape(), vocabulary=VOCABULARY)


def made(kind: Any, **parts: Any) -> Any:
    """An object of a library class whose constructor is untyped."""
    return kind(**parts)


def token_ids(tokenizer: Any) -> dict[str, Any]:
    """The vocabulary size, in steps of 64 like the published ones, and the begin, end and padding tokens."""
    return {
        "vocab_size": math.ceil(len(tokenizer) / 64) * 64,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
