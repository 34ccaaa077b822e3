"""(torch) Where a model keeps the layers of its text decoder, and their attention."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from typing import Any

from torch import nn

from socialcli.verbs.plugin.new.facts import Decoder, Todo

USUAL_LAYERS = "model.language_model.layers"  # where the base class of adapters expects them
USUAL_ATTENTION = "self_attn"


def find_decoder(model: nn.Module, text_config: Any) -> tuple[Decoder, tuple[Todo, ...]]:
    """The decoder of a model (its weights may be absent), and the members that the author has to write for it."""
    path = _layers_path(model, int(text_config.num_hidden_layers))
    if path is None:
        what = f"return the {text_config.num_hidden_layers} layers of the text decoder, in order"
        return Decoder(), (Todo("decoder_layers", what), _attention_todo(()))
    layers = list(model.get_submodule(path).children())
    names = [_attention_names(layer) for layer in layers]
    found = Decoder(
        layers=None if path == USUAL_LAYERS else f"self.model.{path}",
        attention=_attention(names),
        kinds=tuple(Counter(_kind(layer, own) for layer, own in zip(layers, names, strict=True)).items()),
    )
    if found.attention is None:
        return found, (_attention_todo(names),)
    return found, ()


def _layers_path(model: nn.Module, count: int) -> str | None:
    """The only list of this many layers whose children attend, the usual one first."""
    lists = {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count and path.rpartition(".")[2] == "layers"
    }
    if USUAL_LAYERS in lists:
        return USUAL_LAYERS
    text = [path for path in lists if not any(part in path for part in ("vision", "visual", "audio", "resampler"))]
    return text[0] if len(text) == 1 else None


def _attention_names(layer: nn.Module) -> tuple[str, ...]:
    """The attributes of a layer that hold softmax attention, which the alignment can reach."""
    return tuple(name for name, child in layer.named_children() if _is_reached(child))


def _is_reached(module: nn.Module) -> bool:
    """Whether the module computes its attention through transformers' `AttentionInterface`."""
    forward = inspect.unwrap(type(module).forward)
    return "ALL_ATTENTION_FUNCTIONS" in forward.__code__.co_names


def _attention(names: Sequence[tuple[str, ...]]) -> str | None:
    """The one attribute that holds the attention of every layer that has any; None where there is no such one."""
    used = {one for own in names for one in own}
    return used.pop() if len(used) == 1 else None


def _kind(layer: nn.Module, names: Sequence[str]) -> str:
    return ", ".join(type(getattr(layer, name)).__name__ for name in names) or f"{type(layer).__name__} without softmax"


def _attention_todo(names: Sequence[tuple[str, ...]]) -> Todo:
    used = sorted({one for own in names for one in own})
    found = f"; its layers hold {', '.join(used)}" if used else ""
    crossing = ", and the layers of cross-attention are cross_layers" if any("cross" in one for one in used) else ""
    what = "return the attention module of each decoder layer, None where it has no softmax"
    return Todo("layers", f"{what}{found}{crossing}")
