"""(torch) The trainable weights: all weights, or LoRA layers in the text decoder; and how they are saved.

LoRA: "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685, as `peft` implements it. Trainable weights
are float32, since most of an update in bfloat16 is rounded away; the others keep the dtype they were loaded in.
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
    alpha: float = 256.0  # their output is scaled by alpha / rank
    dropout: float = 0.0
    targets: tuple[str, ...] = ()  # names of linear layers of the text decoder, such as "q_proj"; none: all of them


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """A model with its trainable weights."""

    adapter: Adapter
    parameters: Mapping[str, Tensor]  # by name, each float32
    dtype: torch.dtype  # of the computation, forward and backward
    lora: PeftModel | None  # None: all weights are trained

    def save(self, folder: Path) -> None:
        """Write the weights into `folder`, which must exist, as safetensors. Raises OSError."""
        if self.lora is None:
            self.adapter.save(folder)
        else:  # embeddings are not trained; by default peft would check on the hub whether the vocabulary has grown
            self.lora.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
            (folder / "README.md").unlink(missing_ok=True)  # peft's empty template of a model card


def learn_all(adapter: Adapter, dtype: torch.dtype) -> Learner:
    """Train all weights, which must be float32; `dtype` is that of the computation."""
    adapter.model.requires_grad_(True)
    return Learner(adapter, _trainable(adapter.model), dtype, lora=None)


def learn_lora(adapter: Adapter, settings: LoraSettings, seed: int) -> Learner:
    """Put LoRA layers into the text decoder, initialised with `seed`, and train only these.

    Raises UsageError for a target that is no linear layer of the decoder.
    """
    torch.manual_seed(seed)
    options: dict[str, Any] = {
        "r": settings.rank,
        "lora_alpha": settings.alpha,  # a float: peft only divides it by the rank
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
    """The full names of the decoder's linear layers, so that the vision tower gets no LoRA layers."""
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
