"""(torch) What learns: all weights, or LoRA layers in the text decoder; and how it is saved.

LoRA: "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685, as `peft` has it. Whatever learns is kept
in float32, since an update of bfloat16 is mostly rounded away; the rest has the format that it was loaded in.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from socialcli.errors import UsageError
from socialcli.models.contract import Adapter


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """The shape of the LoRA layers."""

    rank: int = 128  # as published
    alpha: float = 256.0  # what they add is scaled by alpha / rank
    dropout: float = 0.0
    targets: tuple[str, ...] = ()  # names of linear layers of the text decoder, such as "q_proj"; none: all of them


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """What learns of a model."""

    adapter: Adapter
    parameters: Mapping[str, Tensor]  # by name, each float32
    dtype: torch.dtype  # that forward and backward compute in
    lora: PeftModel | None  # None: all weights learn

    def save(self, folder: Path) -> None:
        """Write the weights into `folder`, which has to be there, as safetensors. Raises OSError."""
        if self.lora is None:
            self.adapter.save(folder)
        else:  # embeddings are not trained; by default peft would look on the hub whether the vocabulary has grown
            self.lora.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
            (folder / "README.md").unlink(missing_ok=True)  # peft's form for a description, which nobody has filled in


def learn_all(adapter: Adapter, dtype: torch.dtype) -> Learner:
    """Let all weights learn, which have to be in float32; `dtype` is that to compute in."""
    adapter.model.requires_grad_(True)
    return Learner(adapter, _trainable(adapter.model), dtype, lora=None)


def learn_lora(adapter: Adapter, settings: LoraSettings, seed: int) -> Learner:
    """Put LoRA layers into the text decoder, drawn from `seed`, and let them alone learn.

    Raises UsageError where a target is no linear layer of the decoder.
    """
    torch.manual_seed(seed)
    options: dict[str, Any] = {
        "r": settings.rank,
        "lora_alpha": settings.alpha,  # any number: it is divided by the rank, nothing else
        "lora_dropout": settings.dropout,
        "target_modules": _targets(adapter, settings.targets),
        "bias": "none",
    }
    config = LoraConfig(**options)
    dtype = adapter.model.dtype
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(adapter.model, config)
    return Learner(adapter, _trainable(adapter.model), dtype, lora=model)


def _targets(adapter: Adapter, wanted: tuple[str, ...]) -> list[str]:
    """The full names of the linear layers of the text decoder, so that the vision tower keeps its own."""
    inside = {id(module) for layer in adapter.decoder_layers for module in layer.modules()}
    linear = [
        name for name, module in adapter.model.named_modules() if isinstance(module, nn.Linear) and id(module) in inside
    ]
    last = sorted({name.rpartition(".")[2] for name in linear})
    for name in wanted:
        if name not in last:
            raise UsageError(f"--lora-targets: the text decoder has no linear layer {name!r}; it has {', '.join(last)}")
    return [name for name in linear if not wanted or name.rpartition(".")[2] in wanted]


def _trainable(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
