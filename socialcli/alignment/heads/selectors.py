"""Head selectors: which attention heads are active. Named rules, among them the method's (equation (1)).

`dynamic` is step 1 of the method (arXiv 2511.17952). `top` replaces its threshold by a number of heads. `all` and
`random` are controls, and `fixed` takes heads that were ranked before (`socialcli measure`). A third party adds one by
returning it from the `socialcli_head_selectors` hook. Every command imports this module, so it must not import torch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Head = tuple[int, int]  # layer and head, counted from 0

DEFAULT_SELECTOR, FIXED_SELECTOR = "dynamic", "fixed"


@dataclass(frozen=True, slots=True)
class HeadSpace:
    """The heads to select from, and the settings that apply."""

    layers: Sequence[int]  # those that take part, ascending
    heads: int  # of a layer
    limit: int | None  # K of --max-heads; None: no limit
    seed: int  # of --heads-seed

    def __iter__(self) -> Iterator[Head]:
        """Every head, by layer."""
        return iter([(layer, head) for layer in self.layers for head in range(self.heads)])


@dataclass(frozen=True, slots=True)
class HeadMeans:
    """The means of equation (1), after the last layer: A(u, v) over U and V_all, for N heads of B prompts."""

    means: Tensor  # (B, N), by layer and head; -inf for heads that must not be active
    active: Tensor  # (B, N) bool: heads that were active in the forward pass that measured them
    limit: int | None  # K of --max-heads


@dataclass(frozen=True, slots=True, eq=False)
class HeadSelector:
    """A rule that selects the active heads of each prompt, in one of three places.

    A selector has `named` if the heads do not depend on the prompt. Otherwise `in_layer` selects the heads of a layer
    while it runs, and `afterwards` may select others after the last layer; then the prompts run a second time.
    """

    name: str  # what --heads-by takes
    summary: str
    named: Callable[[HeadSpace], frozenset[Head]] | None = None
    in_layer: Callable[[Tensor, float], Tensor] | None = None  # means (B, H), lambda -> (B, H) bool; None: no head
    afterwards: Callable[[HeadMeans], Tensor | None] | None = None  # (B, N) bool; None: the heads that were active
    needs_limit: bool = False  # whether --max-heads must be given
    limited: bool = True  # whether --max-heads has an effect
    reads_file: bool = False  # whether the heads come from --heads
    seeded: bool = False  # whether --heads-seed has an effect

    def __post_init__(self) -> None:
        """Raise ValueError for a selector that could select no head."""
        if not (self.named or self.in_layer or self.afterwards or self.reads_file):
            raise ValueError(f"the head selector {self.name} needs `named`, `in_layer` or `afterwards`")


def above_threshold(means: Tensor, threshold: float) -> Tensor:
    """Equation (1): the heads whose mean is above lambda. NaN is above nothing."""
    return means > threshold


def largest(found: HeadMeans) -> Tensor:
    """The `limit` heads with the largest means of each prompt. Of equal means, the lower layer and head comes first."""
    import torch

    order = found.means.argsort(dim=1, descending=True, stable=True)
    chosen = torch.zeros_like(order, dtype=torch.bool).scatter(1, order[:, : found.limit], True)
    return chosen & (found.means > -torch.inf)


def largest_active(found: HeadMeans) -> Tensor | None:
    """The `limit` active heads with the largest means; None if no prompt has more, or without a limit."""
    import torch

    if found.limit is None or not bool((found.active.sum(dim=1) > found.limit).any()):
        return None
    return largest(HeadMeans(found.means.masked_fill(~found.active, -torch.inf), found.active, found.limit))


def every(space: HeadSpace) -> frozenset[Head]:
    """All heads of the layers that take part."""
    return frozenset(space)


def drawn(space: HeadSpace) -> frozenset[Head]:
    """`limit` heads at random, the same for every prompt: a control for selectors that name the same number.

    The heads for a smaller limit are among those for a larger one.
    """
    heads = list(space)
    random.Random(space.seed).shuffle(heads)
    return frozenset(heads[: space.limit])


DYNAMIC = HeadSelector(
    DEFAULT_SELECTOR,
    "heads whose mean attention from words to speakers' regions is above --lambda (default)",
    in_layer=above_threshold,
    afterwards=largest_active,
)
TOP = HeadSelector(
    "top",
    "the K heads with the largest mean attention, whatever --lambda",
    afterwards=largest,
    needs_limit=True,
)
FIXED = HeadSelector(FIXED_SELECTOR, "the heads of a heads.parquet (--heads)", reads_file=True)
RANDOM = HeadSelector(
    "random", "K heads at random, the same for every question: a control", drawn, needs_limit=True, seeded=True
)
ALL = HeadSelector("all", "every head of the aligned layers", every, limited=False)

SELECTORS = (DYNAMIC, TOP, FIXED, RANDOM, ALL)
