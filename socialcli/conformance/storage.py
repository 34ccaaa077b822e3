"""(torch) The model saved and loaded again, and with a LoRA adapter on top."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from peft import LoraConfig
from safetensors.torch import save_file
from torch import Tensor, nn

from socialcli.conformance.checks import Case, compared
from socialcli.conformance.subject import Subject, largest_difference

_SAME = 1e-6
_ROUNDING = 1e-4  # merging adds the product of the matrices to the weights, which rounds otherwise
_LEAST_CHANGE = 1e-3  # of logits, by a LoRA adapter
_TARGETS = ("q_proj", "v_proj")
_RANK, _STRENGTH = 4, 0.5  # the size of a LoRA layer's product, relative to the weights that it adds to


def save_load(subject: Subject) -> Iterator[Case]:
    """Save the model and its processor, load them as any checkpoint, and compare ids and logits."""
    needed, adapter = float32_bytes(subject.adapter.model), subject.adapter
    with TemporaryDirectory(prefix="socialcli-check-") as folder:
        if (free := shutil.disk_usage(folder).free) < 1.1 * needed:
            yield Case(
                "logits", "skipped", f"{folder} has {_gigabytes(free)} free, the weights take {_gigabytes(needed)}"
            )
            return
        adapter.save(Path(folder))
        again = _loaded(subject, checkpoint=folder)
        logits = again.logits(again.asked[:1])
    advice = "the saved model is not the one that was loaded: is a weight or a setting missing in what `save` writes?"
    yield compared("logits", largest_difference(logits, subject.logits(subject.asked[:1])), _SAME, advice)


def lora(subject: Subject) -> Iterator[Case]:
    """Load the checkpoint with a random LoRA adapter on its text decoder, beside the weights and merged into them."""
    plain = subject.logits(subject.asked[:1])
    with TemporaryDirectory(prefix="socialcli-check-") as folder:
        names = _save_random_lora(subject.adapter, Path(folder))
        beside = _lora_logits(subject, folder, merge=False)
        merged = _lora_logits(subject, folder, merge=True)
    change = largest_difference(beside, plain)
    figures = f"{len(names)} layers, from {names[0]!r} on, change {change:.1e}"
    if change > _LEAST_CHANGE:
        yield Case("changes", "passed", figures)
    else:
        yield Case("changes", "failed", f"{figures}: does `load` apply the LoRA adapter?")
    advice = "the merged weights give other scores than the LoRA adapter beside them"
    yield compared("merged", largest_difference(merged, beside), _ROUNDING, advice)


def float32_bytes(model: Any) -> int:
    """The memory that the model's weights take in float32."""
    return sum(int(weight.numel()) for weight in model.parameters()) * torch.float32.itemsize


def _loaded(subject: Subject, **changed: Any) -> Subject:
    options = replace(subject.options, **changed)
    return Subject(subject.adapter.spec.load_checked(options), options)


def _lora_logits(subject: Subject, folder: str, merge: bool) -> Tensor:
    loaded = _loaded(subject, lora=folder, merge=merge)
    return loaded.logits(loaded.asked[:1])


def _save_random_lora(adapter: Any, folder: Path) -> list[str]:
    """Write a LoRA adapter in peft's format; returns the names of the linear layers that it changes."""
    wanted = {id(part) for module in adapter.layers if module is not None for part in module.modules()}
    linear = {
        name: module
        for name, module in adapter.model.named_modules()
        if id(module) in wanted and isinstance(module, nn.Linear)
    }
    targets = {name: one for name, one in linear.items() if name.rpartition(".")[2] in _TARGETS} or linear
    draw = torch.Generator().manual_seed(0)
    weights = {}
    for name, module in targets.items():
        down = torch.randn(_RANK, module.in_features, generator=draw) / module.in_features**0.5
        up = torch.randn(module.out_features, _RANK, generator=draw)
        size = (up @ down).norm() / module.weight.detach().float().norm().cpu()
        weights[f"base_model.model.{name}.lora_A.weight"] = down
        weights[f"base_model.model.{name}.lora_B.weight"] = up * (_STRENGTH / size)
    LoraConfig(r=_RANK, lora_alpha=_RANK, target_modules=sorted(targets), task_type="CAUSAL_LM").save_pretrained(
        str(folder)
    )
    save_file(weights, folder / "adapter_model.safetensors")
    return list(targets)


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
