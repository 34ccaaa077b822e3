"""What the tests of training share: lessons of sample episodes, and the gradient that rows give."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from socialcli.alignment.attention import Alignment, aligned
from socialcli.episodes.records import Episode
from socialcli.inference.clip_view import AskOptions
from socialcli.plugins.registry import registry
from socialcli.verbs.train.learning.examples import Exercise, exercises
from socialcli.verbs.train.learning.preparing import TrainingRowMaker
from socialcli.verbs.train.learning.rows import TrainingBatch, TrainingRow
from socialcli.verbs.train.learning.step import token_losses
from tests.conftest import SAMPLE

TASKS = {name: provided.item for name, provided in registry().tasks().items()}


def options(**changes: Any) -> AskOptions:
    """Few frames, so that a test is quick."""
    return AskOptions(media_root=SAMPLE, **{"frames": 2, **changes})


def found(episode: Episode, **changes: Any) -> list[Exercise]:
    """The exercises of an episode."""
    return exercises(episode, episode.questions, TASKS, options(**changes))


def rows_of(adapter: Any, wanted: Sequence[Exercise], **changes: Any) -> list[TrainingRow]:
    """The rows of some exercises; none may be lost."""
    maker = TrainingRowMaker(adapter, TASKS, options(**changes), wanted, memory=2**30)
    made = [maker.make(one) for one in wanted]
    assert not any(one.lost for one in made)
    return [one.row for one in made if one.row is not None]


def singly(exercise: Exercise) -> list[Exercise]:
    """An exercise for each of the questions."""
    return [Exercise(exercise.episode, (question,)) for question in exercise.questions]


def loss_and_gradient(
    adapter: Any, batches: Sequence[Sequence[TrainingRow]], alignment: Alignment | None
) -> tuple[float, dict[str, Tensor]]:
    """The summed loss of all questions, and its gradient by the name of the weight."""
    model = adapter.model
    model.requires_grad_(True)
    model.zero_grad(set_to_none=True)
    total = 0.0
    for rows in batches:
        batch = TrainingBatch.of(rows, adapter.device)
        plans = [plan for plan in batch.plans if plan is not None]
        with aligned(adapter, plans, alignment) if alignment is not None else nullcontext():
            loss = (token_losses(adapter, batch) * batch.weights).sum()
            torch.autograd.backward(loss)
        total += loss.item()
    gradient = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    model.requires_grad_(False)
    model.zero_grad(set_to_none=True)
    return total, gradient


def furthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest difference between two gradients, as a share of the largest entry of its weight.

    Some gradients are 0 but for rounding (of biases that a softmax does not see): these count as a share of the others.
    """
    assert one.keys() == other.keys()
    least = 1e-4 * max(float(gradient.abs().max()) for gradient in one.values())
    return max(float((one[name] - other[name]).abs().max() / one[name].abs().max().clamp(min=least)) for name in one)
