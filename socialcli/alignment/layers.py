"""Which decoder layers take part in the alignment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from socialcli.errors import UsageError

PATTERN = r"auto|all|\d+(-\d+)?([,+]\d+(-\d+)?)*"
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class DecoderLayers:
    """The layers of a text decoder, counted from 0, and those that can be aligned.

    A layer without softmax attention to the visual tokens (linear attention; self-attention where frames are the keys
    of cross-attention) has no scores to raise, and one whose result no later token reads has no effect.
    """

    count: int
    alignable: Sequence[int]  # ascending

    @classmethod
    def all(cls, count: int) -> DecoderLayers:
        """A decoder of `count` layers that can all be aligned."""
        return cls(count, range(count))

    def choose(self, layers: str, option: str = "--layers") -> tuple[int, ...]:
        """The layers that `layers` names and that can be aligned, ascending, at least one.

        "auto" is the middle third, round(10 N / 28) .. round(20 N / 28) - 1 of N layers, and at least one layer: the
        published best, layers 10-19 of a 28-layer decoder. If none of it can be aligned, it is the nearest layer that
        can. "all" is all; "10-19" includes both ends; "12" is one layer; "3,7-9" is a list, which
        can also be written "3+7-9" where commas separate several settings.

        Raises UsageError for anything else, for layers that the decoder does not have, and where none of the named
        layers can be aligned; its message names `option`.
        """
        named = self._named(layers, option)
        chosen = tuple(layer for layer in self.alignable if layer in named)
        if chosen:
            return chosen
        if layers == "auto" and self.alignable:
            middle = (self.count - 1) / 2
            return (min(self.alignable, key=lambda layer: abs(layer - middle)),)
        raise UsageError(
            f"{option} {layers}: no layer of this model in that range can be aligned: it has no softmax attention to "
            f"visual tokens there, or no later token reads it; name some of {layers_text(self.alignable) or 'none'}"
        )

    def _named(self, layers: str, option: str) -> frozenset[int]:
        named = check_layers(layers, option)
        if layers == "all":
            return frozenset(range(self.count))
        if named is None:
            first = round(10 * self.count / 28)
            return frozenset(range(first, max(round(20 * self.count / 28), first + 1)))
        if named[-1] >= self.count:
            raise UsageError(
                f"{option} {layers} reaches beyond the model's decoder, which has {self.count} layers: "
                f"name layers within 0-{self.count - 1}"
            )
        return frozenset(named)


def check_layers(layers: str, option: str = "--layers") -> Sequence[int] | None:
    """The layers that the text names by number, ascending; None for "auto" and "all".

    Raises UsageError for any other text.
    """
    if layers in ("auto", "all"):
        return None
    if re.fullmatch(PATTERN, layers) is None:
        raise UsageError(
            f"{option} {layers!r} names no layers: write auto, all, a layer like 12, a range like 10-19, or a list "
            "like 3,7,11"
        )
    return sorted({layer for part in re.split("[,+]", layers) for layer in _range(part, option)})


def layers_text(layers: Sequence[int]) -> str:
    """Ascending layers as `--layers` takes them: "10-19" (one run, also of one layer: "12-12"), or "3,7-9"."""
    runs = [f"{first}-{last}" for first, last in layer_runs(layers)]
    return runs[0] if len(runs) == 1 else ",".join(_single(run) for run in runs)


def layer_runs(layers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last layer of each run of consecutive layers."""
    breaks = [place for place, (one, next_one) in enumerate(pairwise(layers), 1) if next_one > one + 1]
    for start, stop in pairwise([0, *breaks, len(layers)]):
        if layers:
            yield layers[start], layers[stop - 1]


def _single(run: str) -> str:
    first, last = run.split("-")
    return first if first == last else run


def _range(part: str, option: str) -> range:
    match = _RANGE.fullmatch(part)
    assert match is not None  # PATTERN holds
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise UsageError(f"{option} {part} runs backwards: write the lower layer first, {last}-{first}")
    return range(first, last + 1)
