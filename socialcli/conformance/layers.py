"""(torch) The adapter's lists of layers against a forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.hooks import decoder_attention
from socialcli.conformance.checks import Case
from socialcli.conformance.subject import Subject

RECORDED = "socialcli_recorded"


def layers(subject: Subject) -> Iterator[Case]:
    """Run one prompt, and compare the modules that ran with the ones that the adapter names."""
    adapter = subject.adapter
    decoder, attention = list(adapter.decoder_layers), list(adapter.layers)
    names = {id(module): name for name, module in adapter.model.named_modules()}
    ran_layers, ran_attention = _forward(subject)
    yield _named_case(
        "decoder_layers", "runs the layers", [names[id(one)] for one in decoder], [names[id(one)] for one in ran_layers]
    )
    inside = [_inside(one, layer) for one, layer in zip(attention, decoder, strict=False)]
    if len(attention) != len(decoder) or not all(inside):
        at = f"layer {inside.index(False)}" if False in inside else f"{len(attention)} for {len(decoder)} layers"
        detail = f"`layers` must name the attention module of each of `decoder_layers`, in order; see {at}"
        yield Case("one module per layer", "failed", detail)
    else:
        yield Case("one module per layer", "passed", f"{len(attention)} layers")
    yield _named_case(
        "attention",
        "runs the attention, through AttentionInterface, of",
        [names[id(one)] for one in attention if one is not None],
        [names[id(one)] for one in ran_attention],
    )


def _inside(module: Any, layer: Any) -> bool:
    return module is None or any(part is module for part in layer.modules())


def _named_case(name: str, runs: str, named: list[str], ran: list[str]) -> Case:
    if named == ran:
        return Case(name, "passed", f"{len(named)} modules, in the order in which they run")
    place = next((i for i, (one, other) in enumerate(zip(named, ran, strict=False)) if one != other), None)
    if place is None:
        return Case(name, "failed", f"the adapter names {len(named)} modules, the forward pass {runs} {len(ran)}")
    return Case(name, "failed", f"the forward pass {runs} {ran[place]!r} where the adapter names {named[place]!r}")


def _forward(subject: Subject) -> tuple[list[Any], list[Any]]:
    """The decoder layers and the attention modules of one forward pass, in the order in which they ran."""
    layers: list[Any] = []
    attention: list[Any] = []

    def record(module: Any, *arguments: Any, **named: Any) -> Any:
        attention.append(module)
        return sdpa_attention_forward(module, *arguments, **named)

    AttentionInterface.register(RECORDED, record)
    AttentionMaskInterface.register(RECORDED, sdpa_mask)
    handles = [
        layer.register_forward_pre_hook(lambda module, _: layers.append(module))
        for layer in subject.adapter.decoder_layers
    ]
    try:
        with torch.inference_mode(), decoder_attention(subject.adapter, RECORDED):
            subject.adapter.model(**subject.whole_inputs(subject.asked[:1]), logits_to_keep=1)
    finally:
        for handle in handles:
            handle.remove()
    return layers, attention
