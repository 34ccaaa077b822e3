"""Tiny checkpoints of the model families: the real classes and processors.

Everything that decides how a clip becomes tokens (patch sizes, special tokens, chat templates, and by default image
sizes) is as published; everything that needs space (widths, depths, vocabularies) is tiny.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from _gemma_llama_families import gemma4, llama3_2_vision
from _llava_families import internvl3, llava_next_video, llava_onevision, smolvlm2
from _qwen_families import qwen2_5_vl, qwen2_vl, qwen3_5, qwen3_vl
from _shapes import DTYPE, Checkpoint, Shape, made, random_shape, verbose_shape
from _weights import randomise
from transformers import GenerationConfig

__all__ = ["DTYPE", "FAMILIES", "TRAINED", "Checkpoint", "Shape", "random_checkpoint", "randomise", "save"]

FAMILIES: dict[str, Callable[[Shape], Checkpoint]] = {  # their order gives the seeds: append only
    "llava-next-video": llava_next_video,
    "qwen2.5-vl": qwen2_5_vl,
    "internvl3": internvl3,
    "qwen3-vl": qwen3_vl,
    "llava-onevision": llava_onevision,
    "smolvlm2": smolvlm2,
    "qwen2-vl": qwen2_vl,
    "gemma-4": gemma4,
    "qwen3.5": qwen3_5,
    "llama-3.2-vision": llama3_2_vision,
}
TRAINED = ("llava-next-video", "qwen2.5-vl", "internvl3")  # that `train.py` trains


def random_checkpoint(name: str) -> Checkpoint:
    """A family's checkpoint with random weights, for trying everything except the answers."""
    seed = 1 + list(FAMILIES).index(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # of the initial values that `randomise` keeps
        drawn = FAMILIES[name](verbose_shape() if name in TRAINED else random_shape())
    randomise(drawn.model, torch.Generator().manual_seed(seed))
    return Checkpoint(drawn.model.to(DTYPE), drawn.processor, drawn.stops)


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Save a checkpoint in the format of `from_pretrained`."""
    tokenizer = checkpoint.processor.tokenizer
    stops = tokenizer.convert_tokens_to_ids(list(checkpoint.stops))
    checkpoint.model.generation_config = made(
        GenerationConfig,
        do_sample=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=stops or tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    checkpoint.model.save_pretrained(folder)
    checkpoint.processor.save_pretrained(folder)
