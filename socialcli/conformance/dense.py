"""(torch) Aligned scores against the formula written out densely, for each kind of decoder layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from socialcli.alignment.attention import Alignment
from socialcli.alignment.bias import FLOORED, PUBLISHED
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.layers import layers_text
from socialcli.conformance.checks import Case, compared
from socialcli.conformance.dense_reference import DenseAlignment, dense_alignment
from socialcli.conformance.subject import Subject, largest_difference
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import Adapter

TOLERANCE = 1e-4
_QUESTIONS = 2


def dense(subject: Subject) -> Iterator[Case]:
    """Compare the logits of a few questions, by bias rule and by the layers that take part."""
    asked = subject.asked[:_QUESTIONS]
    for kind, layers in _layers_by_kind(subject.adapter).items():
        for rule in (PUBLISHED, FLOORED):
            alignment = Alignment(layers=layers_text(layers), rule=rule)
            yield _case(f"{rule.name}, {kind}", subject, asked, alignment)


def _case(name: str, subject: Subject, asked: list[ClipQuestion], alignment: Alignment) -> Case:
    expected = torch.cat([_dense_logits(subject, one, alignment) for one in asked])
    difference = largest_difference(subject.logits(asked, alignment), expected)
    moved = largest_difference(expected, subject.logits(asked))
    seen = (
        f"layers {alignment.layers}, {max(one.encoded.length for one in asked)} tokens; "
        f"the alignment itself changes {moved:.1e}"
    )
    return compared(name, difference, TOLERANCE, f"the alignment of layers {alignment.layers} is not exact", seen)


@torch.inference_mode()
def _dense_logits(subject: Subject, one: ClipQuestion, alignment: Alignment) -> Tensor:
    """The next token's logits from one whole forward pass with the dense reference, (1, vocabulary)."""
    assert one.plan is not None  # the prompt has a video
    reference = DenseAlignment(
        one.plan,
        frozenset(alignment.layers_of(layers_of(subject.adapter))),
        alignment.threshold,
        alignment.alpha,
        floored=alignment.rule is FLOORED,
    )
    with dense_alignment(subject.adapter, reference):
        output = subject.adapter.model(**subject.whole_inputs([one]), logits_to_keep=1)
    logits: Tensor = output.logits
    return logits[:, -1].float()


def _layers_by_kind(adapter: Adapter) -> Mapping[str, Sequence[int]]:
    """The layers that can be aligned, by their kind, and together where there are several kinds."""
    kinds = getattr(adapter.model.config.get_text_config(), "layer_types", None)
    found: dict[str, list[int]] = {}
    for layer in adapter.alignable_layers:
        kind = "full attention" if kinds is None else str(kinds[layer]).replace("_", " ")
        found.setdefault("cross-attention" if layer in adapter.cross_layers else kind, []).append(layer)
    return found if len(found) == 1 else {**found, "all kinds": list(adapter.alignable_layers)}
