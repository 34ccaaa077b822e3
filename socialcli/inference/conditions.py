"""(torch) A batch of prompts under several conditions; what the conditions share runs once.

Three things are the same, to the last bit or nearly so, and are computed once:

- the visual prefix of a clip, under every condition and for every question (`socialcli.inference.prefix`);
- the decoder layers below the first aligned one, under every condition: one condition, the *trunk*, runs in full, and
  the others start at the layer where they part from it;
- the words that all prompts of a batch begin with, such as the transcript of the clip, under conditions that align
  them alike in all of the prompts, and nothing behind them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import DynamicCache

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.steering.modes import METHOD
from socialcli.inference.answer_modes import AlignedPrompt
from socialcli.inference.cache import copied_cache, joined_cache, kept_layers, put_layers
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.prefix import Continuation, Step, continued_cache, room_for, run_step, step_of
from socialcli.models.contract import Adapter

WORTH_SHARING = 16  # tokens: for fewer, a step of its own costs more than it saves


@dataclass(frozen=True, slots=True, eq=False)
class ConditionedState:
    """A batch after its last token, under a condition, or several that come to the same."""

    conditions: Sequence[int]  # their indices
    state: Continuation
    alignments: Sequence[AlignedPrompt | None]  # per prompt; None: nothing was aligned


@dataclass(slots=True)
class _Trunk:
    """What the first condition computed for the others."""

    starts: frozenset[int]  # the layers at which others part from it
    decoding: bool  # whether the caches are needed after the last step
    outputs: list[dict[int, Any]] = field(default_factory=list)  # per step: what entered these layers
    keys: list[Sequence[Any]] = field(default_factory=list)  # per step: the layers of the cache afterwards

    def complete(self, cache: DynamicCache, step: int, start: int, is_trunk: bool) -> None:
        """Store the trunk's keys and values, or put those of the layers below `start` into a cache that lacks them."""
        if is_trunk:
            self.keys.append(kept_layers(cache, max(self.starts, default=0)))
        else:
            put_layers(cache, self.keys[step][:start])


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
    common = common_length(questions)
    parts: dict[int, list[_Path]] = {}  # by the number of tokens that the prompts share under the condition
    for path in _paths(adapter, questions, conditions):
        parts.setdefault(common if _planned_alike(path.plans, common) else 0, []).append(path)
    for shared, paths in parts.items():
        yield from _continue_along(adapter, questions, paths, shared, decoding)


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """How the prompts of a batch go through the model under a condition, or several that come to the same."""

    conditions: list[int]  # their indices
    alignment: Alignment | None
    plans: Sequence[AlignmentPlan]  # of the prompts; none without video
    start: int  # the layer up to which it is the plain model; the number of layers if it is in all of them

    def serves(self, alignment: Alignment | None, plans: Sequence[AlignmentPlan]) -> bool:
        """Whether a condition comes to the same: another way to the same plans changes nothing."""
        if self.alignment is None or alignment is None:
            return self.alignment is alignment
        return replace(alignment, steering=self.alignment.steering) == self.alignment and all(
            map(_same_plan, plans, self.plans)
        )


def _paths(
    adapter: Adapter, questions: Sequence[ClipQuestion], conditions: Sequence[Alignment | None]
) -> Sequence[_Path]:
    """The distinct ways through the model."""
    paths: list[_Path] = []
    for index, alignment in enumerate(conditions):
        steering = METHOD if alignment is None else alignment.steering
        plans = [plan for one in questions if (plan := one.plan_under(steering)) is not None]
        path = next((one for one in paths if one.serves(alignment, plans)), None)
        if path is None:
            paths.append(_Path([index], alignment, plans, _start(adapter, alignment, plans)))
        else:
            path.conditions.append(index)
    return paths


def _start(adapter: Adapter, alignment: Alignment | None, plans: Sequence[AlignmentPlan]) -> int:
    """The layer up to which a condition can reuse the plain model; the number of layers if it differs in none."""
    decoder = layers_of(adapter)
    if alignment is None or not any(plan.pairs.any() for plan in plans):
        return decoder.count
    first = min(alignment.layers_of(decoder), default=decoder.count)
    return first if first == decoder.count else min(first, adapter.skippable_layers)


def _continue_along(
    adapter: Adapter, questions: Sequence[ClipQuestion], paths: Sequence[_Path], shared: int, decoding: bool
) -> Iterator[ConditionedState]:
    """Run the prompts, whose first `shared` tokens run once, under conditions that share a trunk."""
    count = len(adapter.decoder_layers)
    order = sorted(paths, key=lambda path: -path.start)
    steps = _steps(adapter, questions, shared)
    prefixes = continued_cache(adapter, [one.prefix for one in questions[: len(steps[0].ids)]], room_for(steps[0]))
    repeated = [path for path in order[:1] if path.alignment is not None and path.alignment.may_repeat]
    trunk = _Trunk(frozenset(path.start for path in [*order[1:], *repeated]) - {0}, decoding)
    for path in order:
        alignment = path.alignment if path.start < count else None
        plans = path.plans if len(steps) == 1 else path.plans[:1]
        run = partial(_run, adapter, steps, plans, alignment, path.start, trunk)
        state, report = run(copied_cache(prefixes))
        if alignment is not None and path.alignment is not None and path.alignment.may_repeat:
            chosen = report.chosen(alignment.selector, alignment.max_heads)
            if chosen is not None:
                state, report = run(copied_cache(prefixes), chosen)
        yield ConditionedState(path.conditions, state, _aligned_prompts(questions, path, report))


def _aligned_prompts(
    questions: Sequence[ClipQuestion], path: _Path, report: AlignmentReport
) -> Sequence[AlignedPrompt | None]:
    """What was done to each prompt; if the prompts share their words, it was done once for all of them."""
    if path.alignment is None or not path.plans:
        return [None] * len(questions)
    figures = zip(report.active_share(), report.active_count(), report.negative_share(), strict=True)
    done = [AlignedPrompt(*of_prompt) for of_prompt in figures] or [AlignedPrompt()]
    return [*done] * len(questions) if len(done) == 1 else done


def _steps(adapter: Adapter, questions: Sequence[ClipQuestion], shared: int) -> list[Step]:
    """The one step of a batch; two if the prompts begin with the same words, which then run once.

    The plans' rows are all in the first one.
    """
    prefixes, encoded = [one.prefix for one in questions], [one.encoded for one in questions]
    start = prefixes[0].length
    if shared - start < WORTH_SHARING:
        return [step_of(adapter, prefixes, encoded, start)]
    first = step_of(adapter, prefixes[:1], encoded[:1], start, shared)
    return [first, step_of(adapter, prefixes, encoded, shared)]


def common_length(questions: Sequence[ClipQuestion]) -> int:
    """The number of leading tokens that all prompts share and that the method aligns alike; shorter than any prompt.

    Whatever the conditions at hand: the same prompts take the same path without an alignment and with the method's, so
    that a condition that changes nothing does not change the last bit either. A steering mode with other rows takes a
    path of its own.
    """
    first = questions[0]
    if len(questions) == 1 or any(one.prefix is not first.prefix for one in questions):
        return 0
    shortest = min(one.encoded.length for one in questions) - 1
    same = np.logical_and.reduce([one.encoded.ids[:shortest] == first.encoded.ids[:shortest] for one in questions])
    common = shortest if same.all() else int(same.argmin())
    plans = [plan for one in questions if (plan := one.plan) is not None]
    return common if _planned_alike(plans, common) else 0


def _planned_alike(plans: Sequence[AlignmentPlan], length: int) -> bool:
    """Whether plans are the same, with all rows below `length`: which heads are active depends on all of them."""
    if not plans:
        return True
    first = plans[0]
    return all(_same_plan(first, one) for one in plans) and bool((first.rows < length).all())


def _same_plan(one: AlignmentPlan, other: AlignmentPlan) -> bool:
    """Whether two plans bias the same pairs alike, and select heads by the same rows."""
    return one is other or (
        np.array_equal(one.rows, other.rows)
        and np.array_equal(one.columns, other.columns)
        and np.array_equal(one.pairs, other.pairs)
        and (one.weights is other.weights or np.array_equal(_or_ones(one), _or_ones(other)))
        and np.array_equal(one.tested_rows, other.tested_rows)
    )


def _or_ones(plan: AlignmentPlan) -> npt.NDArray[Any]:
    return plan.pairs if plan.weights is None else plan.weights


def _run(
    adapter: Adapter,
    steps: Sequence[Step],
    plans: Sequence[AlignmentPlan],
    alignment: Alignment | None,
    start: int,
    trunk: _Trunk,
    cache: DynamicCache,
    chosen: Mapping[int, Tensor] | None = None,
) -> tuple[Continuation, AlignmentReport]:
    """Run the steps under a condition that parts from the trunk at layer `start`; the first run is the trunk.

    `plans` are those of the first step's prompts; `chosen`: the active heads, as for `aligned`. Returns the state after
    the last step, and the report of the first one.
    """
    layers, is_trunk = adapter.decoder_layers, not trunk.outputs
    report = AlignmentReport()
    for number, step in enumerate(steps):
        if number:
            cache = joined_cache([cache], len(step.ids), room_for(step), adapter.cross_layers)
        with ExitStack() as stack:
            if alignment is not None and plans and not number:
                report = stack.enter_context(aligned(adapter, plans, alignment, chosen=chosen))
            if is_trunk:
                trunk.outputs.append(stack.enter_context(_kept_outputs(layers, trunk.starts)))
            elif start:
                stack.enter_context(_skipped(layers[:start], trunk.outputs[number][start]))
            state = run_step(adapter, step, cache)
        if trunk.decoding or number < len(steps) - 1:
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
