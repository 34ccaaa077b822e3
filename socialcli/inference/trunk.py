"""(torch) A batch through the decoder under one condition after the other; layers that do not differ run once.

The first run, the *trunk*, runs all layers, and keeps what enters those at which other conditions part from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor
from transformers import DynamicCache

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned
from socialcli.alignment.plan import AlignmentPlan
from socialcli.inference.cache import copied_cache, joined_cache, kept_layers, put_layers
from socialcli.inference.prefix import Continuation, Prefix, Step, continued_cache, room_for, run_step
from socialcli.models.contract import Adapter


@dataclass(slots=True, eq=False)
class Trunk:
    """The steps of a batch, and what the first run through them computed for the others."""

    adapter: Adapter
    prefixes: Sequence[Prefix]  # of the prompts of the first step
    steps: Sequence[Step]  # the first, in which all of the plans' rows are; behind its prompt, all others
    starts: frozenset[int]  # the layers at which other runs part from the first
    decoding: bool  # whether the caches are needed afterwards
    _caches: dict[int, DynamicCache] = field(default_factory=dict)  # of the prefixes, by the number of copies
    _outputs: list[dict[int, Any]] = field(default_factory=list)  # per step: what entered these layers
    _keys: list[Sequence[Any]] = field(default_factory=list)  # per step: the layers of the cache afterwards

    def run(
        self,
        alignment: Alignment | None,
        plans: Sequence[AlignmentPlan],
        start: int,
        copies: int = 1,
        chosen: Mapping[int, Tensor] | None = None,
    ) -> tuple[Sequence[Continuation], AlignmentReport]:
        """Run the steps under a condition that parts from the trunk at layer `start`.

        `copies`: run the batch that many times over, side by side, each time with plans of its own; not the first
        time. `plans` are those of the first step's prompts, copy by copy; `chosen`: the active heads, as for `aligned`.
        Returns the state after each of the steps behind the first one, or after the first if there is no other, and
        the report of the first one.
        """
        layers, is_trunk = self.adapter.decoder_layers, not self._outputs
        report, cache = AlignmentReport(), self._prefix_cache(copies)
        states: list[Continuation] = []
        for number, step in enumerate(self.steps):
            if number:
                unread = 0 if is_trunk or self.decoding else start
                batch, room = copies * len(step.ids), room_for(step)
                cache = joined_cache([states[0].cache], batch, room, self.adapter.cross_layers, unread)
            with ExitStack() as stack:
                if alignment is not None and plans and not number:
                    report = stack.enter_context(aligned(self.adapter, plans, alignment, chosen=chosen))
                if is_trunk:
                    self._outputs.append(stack.enter_context(_kept_outputs(layers, self.starts)))
                elif start:
                    stack.enter_context(_skipped(layers[:start], _repeated(self._outputs[number][start], copies)))
                states.append(run_step(self.adapter, step.repeated(copies), cache))
            if self.decoding or (not number and len(self.steps) > 1):
                self._complete(cache, number, start, is_trunk)
        return states[1:] or states, report

    def _prefix_cache(self, copies: int) -> DynamicCache:
        if copies not in self._caches:
            room = room_for(self.steps[0])
            self._caches[copies] = continued_cache(self.adapter, [*self.prefixes] * copies, room)
        return copied_cache(self._caches[copies])

    def _complete(self, cache: DynamicCache, step: int, start: int, is_trunk: bool) -> None:
        """Store the trunk's keys and values, or put those of the layers below `start` into a cache that lacks them."""
        if is_trunk:
            self._keys.append(kept_layers(cache, max(self.starts, default=0)))
        else:
            put_layers(cache, self._keys[step][:start])


def _repeated(output: Any, copies: int) -> Any:
    """The output of a layer, (B, S, D) or a tuple that begins with it, for `copies` of the batch."""
    if copies == 1:
        return output
    if isinstance(output, tuple):
        return (_repeated(output[0], copies), *output[1:])
    return output.repeat(copies, 1, 1)


@contextmanager
def _kept_outputs(layers: Sequence[Any], starts: Collection[int]) -> Iterator[dict[int, Any]]:
    """Store the output of the layer before each of `starts`, under that number, while the block runs."""
    outputs: dict[int, Any] = {}

    def keep(start: int, _layer: Any, _inputs: Any, output: Any) -> None:
        outputs[start] = output

    handles = [layers[start - 1].register_forward_hook(partial(keep, start)) for start in starts]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _skipped(layers: Sequence[Any], output: Any) -> Iterator[None]:
    """Skip `layers` while the block runs; the last of them returns `output`."""
    own = [vars(layer).get("forward") for layer in layers]  # other tools may have put theirs there
    for layer in layers:
        layer.forward = lambda *_, **__: output
    try:
        yield
    finally:
        for layer, forward in zip(layers, own, strict=True):
            if forward is None:
                del layer.forward
            else:
                layer.forward = forward
