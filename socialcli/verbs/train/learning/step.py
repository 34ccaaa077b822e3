"""(torch) One optimizer step: forward and backward with the alignment in place, then the update.

The loss is the mean over the step's questions of the cross-entropy of the gold answer's tokens, not of the prompt's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned
from socialcli.alignment.bias import with_floor
from socialcli.errors import TrainingError
from socialcli.models.contract import Adapter
from socialcli.models.transformers_internals import kept_logits
from socialcli.verbs.train.learning.rows import TrainingBatch, TrainingRow, alike
from socialcli.verbs.train.learning.schedule import Schedule
from socialcli.verbs.train.learning.trainable import Learner


@dataclass(frozen=True, slots=True)
class StepReport:
    """The figures of a step."""

    loss: float  # before the update, mean over the step's questions
    questions: int
    gradient: float  # its norm before clipping
    active_heads: float | None  # share, mean over the rows; None: nothing was aligned
    learning_rate: float
    bias_floor: float


@dataclass(frozen=True, slots=True)
class StepSettings:
    """The settings of a step."""

    learning_rate: float
    accumulate: int = 1  # gradient-accumulation steps per update
    max_gradient: float = 1.0  # gradients with a larger norm are scaled down to it
    seed: int = 0


class Stepper:
    """Makes updates, and holds the optimizer."""

    def __init__(
        self,
        adapter: Adapter,
        learner: Learner,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        settings: StepSettings,
        alignment: Alignment | None,
    ) -> None:
        """`alignment` None: the model's own attention."""
        self.adapter = adapter
        self.learner = learner
        self.optimizer = optimizer
        self.schedule = schedule
        self.settings = settings
        self.alignment = alignment

    def gradient(self, number: int, rows: Sequence[TrainingRow]) -> StepReport:
        """Compute the gradient of step `number`, counted from 1, on `rows`. The weights do not change.

        Raises TrainingError if the loss or its gradient is not a number.
        """
        torch.manual_seed(self.settings.seed + number)  # so that dropout is the same in a resumed training
        rate, floor = self.schedule.rate(number), self.schedule.floor(number)
        questions = sum(row.questions for row in rows)
        self.optimizer.zero_grad(set_to_none=True)
        self.adapter.model.train()
        try:
            parts = [self._backward(part, questions, floor) for part in self._parts(rows)]
        finally:
            self.adapter.model.eval()
        loss = sum(loss for loss, _ in parts)
        norm = torch.nn.utils.clip_grad_norm_(list(self.learner.parameters.values()), self.settings.max_gradient)
        if not torch.isfinite(norm):
            raise TrainingError(
                f"step {number}: the gradient is no number (loss {loss:.4g}); "
                "lower --learning-rate, or use another --dtype"
            )
        shares = [share for _, report in parts if report is not None for share in report.active_share()]
        return StepReport(
            loss=loss,
            questions=questions,
            gradient=float(norm),
            active_heads=sum(shares) / len(shares) if shares else None,
            learning_rate=self.settings.learning_rate * rate,
            bias_floor=floor,
        )

    def apply(self, report: StepReport) -> None:
        """Update the weights with the gradient just computed. Do not interrupt: half an update breaks the weights."""
        for group in self.optimizer.param_groups:
            group["lr"] = report.learning_rate
        self.optimizer.step()

    def _parts(self, rows: Sequence[TrainingRow]) -> Iterator[Sequence[TrainingRow]]:
        """The rows of each forward pass, of similar length together, for little padding."""
        rows = sorted(rows, key=lambda row: row.ids.size)
        size = -(-len(rows) // self.settings.accumulate)
        for start in range(0, len(rows), size):
            yield from alike(rows[start : start + size])

    def _backward(
        self, rows: Sequence[TrainingRow], questions: int, floor: float
    ) -> tuple[float, AlignmentReport | None]:
        """Add the gradient of these rows; return their share of the loss of a step with `questions` questions."""
        batch = TrainingBatch.of(rows, self.adapter.device)
        with self._aligned(batch, floor) as report:
            with self._autocast():
                losses = token_losses(self.adapter, batch)
            loss = (losses * batch.weights).sum() / questions
            torch.autograd.backward(loss)  # inside: with gradient checkpointing, it runs the layers again
        return loss.item(), report

    def _aligned(self, batch: TrainingBatch, floor: float) -> AbstractContextManager[AlignmentReport | None]:
        plans = [plan for plan in batch.plans if plan is not None]
        if self.alignment is None or not plans:
            return nullcontext()
        settings = replace(self.alignment, rule=with_floor(floor)) if floor else self.alignment
        return aligned(self.adapter, plans, settings)

    def _autocast(self) -> AbstractContextManager[object]:
        half = self.learner.dtype
        if half == torch.float32:
            return nullcontext()
        return torch.autocast(self.adapter.device.type, dtype=half)


def token_losses(adapter: Adapter, batch: TrainingBatch) -> Tensor:
    """The cross-entropy of each token to predict, (T,) float32, with the attention that the model has now."""
    output = adapter.model(**batch.inputs, use_cache=False, logits_to_keep=batch.kept)
    logits = kept_logits(output.logits, batch.kept)
    return cross_entropy(logits[batch.row, batch.slot].float(), batch.tokens, reduction="none")


def adamw(parameters: Mapping[str, Tensor], learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over the trainable weights; vectors (biases, norms) do not decay, as usual."""
    decaying = [value for value in parameters.values() if value.ndim > 1]
    others = [value for value in parameters.values() if value.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=learning_rate)
