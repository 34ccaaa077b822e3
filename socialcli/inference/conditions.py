"""(torch) A batch of prompts under several conditions; what the conditions share runs once.

Three things are the same, to the last bit or nearly so, and are computed once:

- the visual prefix of a clip, under every condition and for every question (`socialcli.inference.prefix`);
- the decoder layers below the first aligned one, under every condition (`socialcli.inference.trunk`);
- the words that all prompts of a batch begin with, such as the transcript of the clip, under conditions that align
  them alike in all of the prompts, and nothing behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.layers import DecoderLayers
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.steering.modes import METHOD
from socialcli.inference.answer_modes import AlignedPrompt
from socialcli.inference.cache import is_padding_exact
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.prefix import Continuation, Step, empty_cache, step_of
from socialcli.inference.trunk import Trunk
from socialcli.models.contract import Adapter

WORTH_SHARING = 16  # tokens: for fewer, a step of its own costs more than it saves


@dataclass(frozen=True, slots=True, eq=False)
class ConditionedState:
    """Prompts of a batch after their last token, under a condition, or several that come to the same."""

    conditions: Sequence[int]  # their indices
    prompts: Sequence[int]  # the indices of the prompts
    state: Continuation  # theirs
    alignments: Sequence[AlignedPrompt | None]  # per prompt; None: nothing was aligned
    decoding: Callable[[], AbstractContextManager[object]] = nullcontext  # for decoding steps: steers them, if asked to


def continue_under(
    adapter: Adapter,
    questions: Sequence[ClipQuestion],
    conditions: Sequence[Alignment | None],
    decoding: bool = False,
    most: int = 1,
) -> Iterator[ConditionedState]:
    """Run the prompts of `questions` behind their prefixes, in one batch, under each condition (None: the plain model).

    The prefixes are equally long. States come one by one, in no particular order, so that only one condition's keys
    and values are in memory, or those of up to `most` prompts; without `decoding`, a state's cache cannot be continued.
    Prompts that run apart have states of their own.
    Raises PromptError for a prompt that does not begin with its prefix.
    """
    common = common_length(questions)
    parts: dict[int, list[_Path]] = {}  # by the number of tokens that the prompts share under the condition
    for path in _paths(adapter, questions, conditions, decoding):
        parts.setdefault(common if _planned_alike(path.plans, common) else 0, []).append(path)
    for shared, paths in parts.items():
        yield from _continue_along(adapter, questions, paths, shared, decoding, most)


@dataclass(frozen=True, slots=True)
class _Setting:
    """What an alignment does apart from its plans."""

    alignment: Alignment  # without its steering, which the plans contain
    decoding: bool  # whether decoding steps are steered, too


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """How the prompts of a batch go through the model under a condition, or several that come to the same."""

    conditions: list[int]  # their indices
    alignment: Alignment | None
    plans: Sequence[AlignmentPlan]  # of the prompts; none without video
    start: int  # the layer up to which it is the plain model; the number of layers if it is in all of them
    setting: _Setting | None  # None: the plain model

    @property
    def kind(self) -> tuple[int, bool, Alignment | None]:
        """What paths that run side by side have in common: they differ in an annotation error alone."""
        if self.alignment is None or not has_error(self.alignment):
            return self.start, False, self.alignment
        steering = replace(self.alignment.steering, perturbation=None)
        return self.start, True, replace(self.alignment, steering=steering)

    def serves(self, setting: _Setting | None, plans: Sequence[AlignmentPlan]) -> bool:
        """Whether a condition comes to the same: another way to the same plans changes nothing."""
        if self.setting is None or setting is None:
            return self.setting is setting
        return setting == self.setting and all(map(_same_plan, plans, self.plans))


def has_error(condition: Alignment | None) -> bool:
    """Whether a condition has an annotation error, so that it runs side by side with others."""
    return condition is not None and condition.steering.perturbation is not None


def _paths(
    adapter: Adapter, questions: Sequence[ClipQuestion], conditions: Sequence[Alignment | None], decoding: bool
) -> Sequence[_Path]:
    """The distinct ways through the model."""
    decoder = layers_of(adapter)
    paths: list[_Path] = []
    for index, alignment in enumerate(conditions):
        steering = METHOD if alignment is None else alignment.steering
        plans = [plan for one in questions if (plan := one.plan_under(steering)) is not None]
        setting = None
        if alignment is not None:
            setting = _Setting(replace(alignment, steering=METHOD), decoding and steering.mode.decoding)
        path = next((one for one in paths if one.serves(setting, plans)), None)
        if path is None:
            start = _start(adapter, decoder, alignment, plans)
            paths.append(_Path([index], alignment, plans, start, setting))
        else:
            path.conditions.append(index)
    return paths


def _start(
    adapter: Adapter, decoder: DecoderLayers, alignment: Alignment | None, plans: Sequence[AlignmentPlan]
) -> int:
    """The layer up to which a condition can reuse the plain model; the number of layers if it differs in none."""
    if alignment is None or not any(plan.pairs.any() for plan in plans):
        return decoder.count
    first = min(alignment.layers_of(decoder), default=decoder.count)
    return first if first == decoder.count else min(first, adapter.skippable_layers)


def _continue_along(
    adapter: Adapter,
    questions: Sequence[ClipQuestion],
    paths: Sequence[_Path],
    shared: int,
    decoding: bool,
    most: int,
) -> Iterator[ConditionedState]:
    """Run the prompts, whose first `shared` tokens run once, under conditions that share a trunk."""
    order = sorted(paths, key=lambda path: -path.start)
    groups = _groups(adapter, questions, shared)
    steps = _steps(adapter, questions, shared, groups)
    first, prompts = len(steps[0].ids), len(questions)
    repeated = [path for path in order[:1] if path.alignment is not None and path.alignment.may_repeat]
    starts = frozenset(path.start for path in [*order[1:], *repeated]) - {0}
    trunk = Trunk(adapter, [one.prefix for one in questions[:first]], steps, starts, decoding)
    at_once = 1 if decoding or not is_padding_exact(empty_cache(adapter)) else max(1, most // prompts)
    for bundle in _bundles(order, at_once):
        states, report = _run(trunk, bundle, first, len(adapter.decoder_layers))
        figures = zip(report.active_share(), report.active_count(), report.negative_share(), strict=True)
        done = [AlignedPrompt(*of_prompt) for of_prompt in figures]
        for place, path in enumerate(bundle):
            aligned_prompts = _aligned_prompts(questions, path, done[place * first : (place + 1) * first])
            steer = _decoding(adapter, path, report)
            for group, state in zip(groups, states, strict=True):
                size = len(group)
                own = state if len(bundle) == 1 else state.of_prompts(slice(place * size, (place + 1) * size))
                yield ConditionedState(path.conditions, group, own, [aligned_prompts[one] for one in group], steer)


def _decoding(adapter: Adapter, path: _Path, report: AlignmentReport) -> Callable[[], AbstractContextManager[object]]:
    """A context manager for the decoding steps behind a path: with the plans and heads of its last prompt tokens."""
    if path.alignment is None or not path.alignment.steering.mode.decoding or not report.layers:
        return nullcontext
    return partial(aligned, adapter, path.plans, path.alignment, chosen=report.active, follows=True)


def _run(
    trunk: Trunk, bundle: Sequence[_Path], first: int, layers: int
) -> tuple[Sequence[Continuation], AlignmentReport]:
    """Run the paths of a bundle side by side; `first` is the number of prompts of the first step."""
    start, alignment = bundle[0].start, bundle[0].alignment
    plans = [plan for path in bundle for plan in path.plans[:first]]
    if alignment is None or start == layers:
        return trunk.run(None, plans, start, len(bundle))
    run = partial(trunk.run, alignment, plans, start, len(bundle))
    states, report = run()
    if alignment.may_repeat:
        chosen = report.chosen(alignment.selector, alignment.max_heads)
        if chosen is not None:
            return run(chosen)
    return states, report


def _bundles(paths: Sequence[_Path], most: int) -> Iterator[Sequence[_Path]]:
    """The paths in order, up to `most` neighbours at once where they differ in an annotation error alone.

    So conditions of a run and of a sweep stay by themselves: their last digits do not depend on what else is asked.
    """
    for (_, has_error, _), group in groupby(paths, key=lambda path: path.kind):
        neighbours = list(group)
        size = most if has_error and neighbours[0] is not paths[0] else 1
        for start in range(0, len(neighbours), size):
            yield neighbours[start : start + size]


def _aligned_prompts(
    questions: Sequence[ClipQuestion], path: _Path, done: Sequence[AlignedPrompt]
) -> Sequence[AlignedPrompt | None]:
    """What was done to each prompt; if the prompts share their words, it was done once for all of them."""
    if path.alignment is None or not path.plans:
        return [None] * len(questions)
    done = done or [AlignedPrompt()]
    return [*done] * len(questions) if len(done) == 1 else done


def _groups(adapter: Adapter, questions: Sequence[ClipQuestion], shared: int) -> Sequence[Sequence[int]]:
    """The indices of the prompts that run together behind the `shared` words: all, or on a CPU those of similar length.

    A CPU takes time for each token, padding included; a GPU rather for each pass through the model.
    """
    if shared - questions[0].prefix.length < WORTH_SHARING or adapter.device.type != "cpu":
        return [range(len(questions))]
    lengths = [one.encoded.length for one in questions]
    groups: list[list[int]] = []
    for index in sorted(range(len(questions)), key=lengths.__getitem__):
        if groups and len(groups[-1]) * (lengths[index] - lengths[groups[-1][-1]]) <= WORTH_SHARING:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _steps(
    adapter: Adapter, questions: Sequence[ClipQuestion], shared: int, groups: Sequence[Sequence[int]]
) -> list[Step]:
    """The one step of a batch; if the prompts begin with the same words, a step for these, and one for each group.

    The plans' rows are all in the first one.
    """
    prefixes, encoded = [one.prefix for one in questions], [one.encoded for one in questions]
    start = prefixes[0].length
    if shared - start < WORTH_SHARING:
        return [step_of(adapter, prefixes, encoded, start)]
    first = step_of(adapter, prefixes[:1], encoded[:1], start, shared)
    behind = [([prefixes[one] for one in group], [encoded[one] for one in group]) for group in groups]
    return [first, *(step_of(adapter, *of_group, shared) for of_group in behind)]


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
