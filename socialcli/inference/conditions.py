"""(torch) A batch of prompts under several conditions; what the conditions share runs once.

Three things are the same, to the last bit or nearly so, and are computed once:

- the visual prefix of a clip, under every condition and for every question (`socialcli.inference.prefix`);
- the decoder layers below the first aligned one, under every condition: one condition, the *trunk*, runs in full, and
  the others start at the layer where they part from it;
- the words that all prompts of a batch begin with, such as the transcript of the clip, if the conditions align them
  alike in all of the prompts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor
from transformers import DynamicCache

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.plan import AlignmentPlan
from socialcli.inference.answer_modes import AlignedPrompt
from socialcli.inference.cache import copied_cache, joined_cache, kept_layers, put_layers
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.prefix import Continuation, Step, continued_cache, room_for, run_step, step_of
from socialcli.models.contract import Adapter

WORTH_SHARING = 16  # tokens: for fewer, a step of its own costs more than it saves


@dataclass(frozen=True, slots=True, eq=False)
class ConditionedState:
    """A batch after its last token, under one of the conditions."""

    condition: int  # its index
    state: Continuation
    alignments: Sequence[AlignedPrompt | None]  # per prompt; None: nothing was aligned


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """A step, and the plans of its prompts whose rows are in it."""

    step: Step
    plans: Sequence[AlignmentPlan]


@dataclass(slots=True)
class _Trunk:
    """What the first condition computed for the others."""

    starts: frozenset[int]  # the layers at which others part from it
    decoding: bool  # whether the caches are needed after the last stage
    outputs: list[dict[int, Any]] = field(default_factory=list)  # per stage: what entered these layers
    keys: list[Sequence[Any]] = field(default_factory=list)  # per stage: the layers of the cache afterwards

    def complete(self, cache: DynamicCache, stage: int, start: int, is_trunk: bool) -> None:
        """Store the trunk's keys and values, or put those of the layers below `start` into a cache that lacks them."""
        if is_trunk:
            self.keys.append(kept_layers(cache, max(self.starts, default=0)))
        else:
            put_layers(cache, self.keys[stage][:start])


def continue_under(
    adapter: Adapter,
    questions: Sequence[ClipQuestion],
    conditions: Sequence[Alignment | None],
    decoding: bool = False,
) -> Iterator[ConditionedState]:
    """Run the prompts of `questions` behind their prefixes, in one batch, under each condition (None: the plain model).

    The prefixes are equally long. States come one by one, in no particular order, so that only one condition's keys
    and values are in memory; without `decoding`, a state's cache cannot be continued. Raises PromptError for a prompt
    that does not begin with its prefix.
    """
    count = len(adapter.decoder_layers)
    starts = [_start(adapter, condition, questions) for condition in conditions]
    order = sorted(range(len(conditions)), key=lambda index: -starts[index])
    stages = _stages(adapter, questions)
    first = stages[0].step
    prefixes = continued_cache(adapter, [one.prefix for one in questions[: len(first.ids)]], room_for(first))
    may_repeat = [index for index in order[:1] if (alignment := conditions[index]) and alignment.max_heads is not None]
    trunk = _Trunk(frozenset(starts[index] for index in [*order[1:], *may_repeat]) - {0}, decoding)
    for index in order:
        alignment = conditions[index] if starts[index] < count else None
        state, report = _run(adapter, stages, copied_cache(prefixes), alignment, starts[index], trunk)
        capped = report.capped(alignment.max_heads) if alignment is not None else None
        if capped is not None:
            state, report = _run(adapter, stages, copied_cache(prefixes), alignment, starts[index], trunk, capped)
        yield ConditionedState(index, state, _aligned_prompts(questions, conditions[index], report))


def _aligned_prompts(
    questions: Sequence[ClipQuestion], condition: Alignment | None, report: AlignmentReport
) -> Sequence[AlignedPrompt | None]:
    """What was done to each prompt; if the prompts share their words, it was done once for all of them."""
    if condition is None or questions[0].plan is None:
        return [None] * len(questions)
    figures = zip(report.active_share(), report.active_count(), report.negative_share(), strict=True)
    done = [AlignedPrompt(*of_prompt) for of_prompt in figures] or [AlignedPrompt()]
    return [*done] * len(questions) if len(done) == 1 else done


def _start(adapter: Adapter, alignment: Alignment | None, questions: Sequence[ClipQuestion]) -> int:
    """The layer up to which a condition can reuse the plain model; the number of layers if it differs in none."""
    decoder = layers_of(adapter)
    if alignment is None or not any(one.alignable for one in questions):
        return decoder.count
    first = min(alignment.layers_of(decoder), default=decoder.count)
    return first if first == decoder.count else min(first, adapter.skippable_layers)


def _stages(adapter: Adapter, questions: Sequence[ClipQuestion]) -> list[_Stage]:
    """One stage; two if the prompts begin with the same words, which then run once."""
    prefixes, encoded = [one.prefix for one in questions], [one.encoded for one in questions]
    plans = [one.plan for one in questions if one.plan is not None]
    start, common = prefixes[0].length, common_length(questions)
    if common - start < WORTH_SHARING:
        return [_Stage(step_of(adapter, prefixes, encoded, start), plans)]
    first = step_of(adapter, prefixes[:1], encoded[:1], start, common)
    return [_Stage(first, plans[:1]), _Stage(step_of(adapter, prefixes, encoded, common), ())]


def common_length(questions: Sequence[ClipQuestion]) -> int:
    """The number of leading tokens that all prompts share and that are aligned alike in all; shorter than any prompt.

    0 if some condition could align them differently, whatever the conditions at hand: the same prompts take the same
    path under all conditions, so that a condition that changes nothing does not change the last bit either.
    """
    first = questions[0]
    if len(questions) == 1 or any(one.prefix is not first.prefix for one in questions):
        return 0
    shortest = min(one.encoded.length for one in questions) - 1
    same = np.logical_and.reduce([one.encoded.ids[:shortest] == first.encoded.ids[:shortest] for one in questions])
    common = shortest if same.all() else int(same.argmin())
    return common if all(_planned_alike(first.plan, one.plan, common) for one in questions) else 0


def _planned_alike(one: AlignmentPlan | None, other: AlignmentPlan | None, length: int) -> bool:
    """Whether two plans are the same, with all rows below `length`: which heads are active depends on all of them."""
    if one is None or other is None:
        return one is other
    return (
        np.array_equal(one.rows, other.rows)
        and np.array_equal(one.columns, other.columns)
        and np.array_equal(one.pairs, other.pairs)
        and bool((one.rows < length).all())
    )


def _run(
    adapter: Adapter,
    stages: Sequence[_Stage],
    cache: DynamicCache,
    alignment: Alignment | None,
    start: int,
    trunk: _Trunk,
    capped: Mapping[int, Tensor] | None = None,
) -> tuple[Continuation, AlignmentReport]:
    """Run the stages under a condition that parts from the trunk at layer `start`; the first run is the trunk.

    `capped`: the active heads, as for `aligned`. Returns the state after the last stage, and the report of the stage
    with the plans.
    """
    layers, is_trunk = adapter.decoder_layers, not trunk.outputs
    report = AlignmentReport()
    for number, stage in enumerate(stages):
        if number:
            cache = joined_cache([cache], len(stage.step.ids), room_for(stage.step), adapter.cross_layers)
        with ExitStack() as stack:
            if alignment is not None and stage.plans:
                report = stack.enter_context(aligned(adapter, stage.plans, alignment, capped=capped))
            if is_trunk:
                trunk.outputs.append(stack.enter_context(_kept_outputs(layers, trunk.starts)))
            elif start:
                stack.enter_context(_skipped(layers[:start], trunk.outputs[number][start]))
            state = run_step(adapter, stage.step, cache)
        if trunk.decoding or number < len(stages) - 1:
            trunk.complete(cache, number, start, is_trunk)
    return state, report


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
