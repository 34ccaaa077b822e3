"""(torch) Questions on a clip packed into one training row: their shared beginning once, then a branch for each.

A row is a tree: the trunk holds the visual tokens and the transcript; each branch holds the rest of a question and its
answer. A token attends to the trunk and to its own branch up to itself, and has the same position as in a row of its
own. So every question gets the same logits, and gives the same gradient, as in a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.errors import AnnotationError
from socialcli.inference.batching import transcript_end
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import EncodedClip, EncodedPrompt
from socialcli.models.prompts import pad_tokens

TRUNK = -1  # the branch of the tokens that all questions of a row share
PADDING = -2  # the branch of padding; no token attends to it


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A question with the tokens of its gold answer, including the token that ends an answer.

    It does not hold the question's clip, whose tensors are on the model's device.
    """

    prompt: EncodedPrompt
    plan: AlignmentPlan | None
    positions: Tensor  # (..., 1, prompt): as the model's forward takes them for a batch of one
    token_inputs: Mapping[str, Tensor]  # (1, prompt, ...) each: see `Adapter.token_inputs`
    answer: Indices  # (A,) token ids


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRow:
    """One row: its tokens, what each attends to, and the tokens to predict."""

    clip: EncodedClip | None
    ids: Indices  # (L,)
    positions: Tensor  # (..., 1, L)
    token_inputs: Mapping[str, Tensor]  # (1, L, ...) each
    branch: Indices  # (L,) TRUNK, or the number of a question
    plan: AlignmentPlan | None
    places: Indices  # (T,) the places whose logits ...
    tokens: Indices  # (T,) ... should predict these tokens
    weights: Tensor  # (T,) of each in the loss: those of a question add up to 1
    questions: int

    @property
    def form(self) -> Mapping[str, object]:
        """What the rows of one forward pass must share: shapes and formats of the visual inputs and of the tokens'."""
        inputs = self.clip.inputs if self.clip is not None else {}
        visual = 0 if self.clip is None else self.clip.cells.shape[0] * self.clip.cells.shape[1] * len(self.clip.frames)
        return {
            **{name: (tuple(value.shape[1:]), value.dtype) for name, value in inputs.items()},
            **{name: (tuple(value.shape[2:]), value.dtype) for name, value in self.token_inputs.items()},
            "visual": visual,
        }


def lesson(asked: ClipQuestion) -> Lesson:
    """A question with its gold answer. Raises AnnotationError if it has none, or one that is no candidate."""
    adapter, question = asked.clip.adapter, asked.question
    ids = [candidate.id for candidate in asked.prompt.candidates]
    if question.answer not in ids:
        raise AnnotationError(f"the answer {question.answer!r} is none of the candidates: {', '.join(ids)}")
    place = question.place_of_answer(ids)
    letter = asked.prompt.letters[ids.index(question.answer) if place is None else place]
    answer = (*adapter.continuation_ids(adapter.letter_prefix + letter), adapter.end_id)
    positions = adapter.positions(asked.encoded, asked.clip.clip).cpu()
    token_inputs = {name: value.cpu() for name, value in adapter.token_inputs(asked.encoded, asked.clip.clip).items()}
    return Lesson(asked.encoded, asked.plan, positions, token_inputs, np.array(answer, dtype=np.int64))


def pack(clip: EncodedClip | None, lessons: Sequence[Lesson]) -> TrainingRow:
    """Put questions with the same frames, transcript and alignment into one row."""
    first = lessons[0]
    trunk = transcript_end(first.prompt) if len(lessons) > 1 else first.prompt.length
    ids, positions = [first.prompt.ids[:trunk]], [first.positions[..., :trunk]]
    branch, places, length = [np.full(trunk, TRUNK)], [], trunk
    for number, one in enumerate(lessons):
        if not np.array_equal(one.prompt.ids[:trunk], ids[0]):
            raise ValueError("questions of one row must have their transcript in common")
        tail = np.concatenate([one.prompt.ids[trunk:], one.answer[:-1]])
        later = torch.arange(1, one.answer.size)
        ids.append(tail)
        positions.append(torch.cat([one.positions[..., trunk:], one.positions[..., -1:] + later], dim=-1))
        branch.append(np.full(tail.size, number if len(lessons) > 1 else TRUNK))
        length += tail.size
        places.append(np.arange(length - one.answer.size, length))
    return TrainingRow(
        clip=clip,
        ids=np.concatenate(ids),
        positions=torch.cat(positions, dim=-1),
        token_inputs=_packed_inputs(lessons, trunk),
        branch=np.concatenate(branch),
        plan=first.plan,
        places=np.concatenate(places),
        tokens=np.concatenate([one.answer for one in lessons]),
        weights=torch.cat([torch.full((one.answer.size,), 1 / one.answer.size) for one in lessons]),
        questions=len(lessons),
    )


def _packed_inputs(lessons: Sequence[Lesson], trunk: int) -> dict[str, Tensor]:
    """The token inputs of a row: an answer has those of its prompt's last token."""
    packed = {}
    for name, first in lessons[0].token_inputs.items():
        parts = [first[:, :trunk]]
        for one in lessons:
            made = one.token_inputs[name]
            parts += [made[:, trunk:], made[:, -1:].expand(-1, one.answer.size - 1, *made.shape[2:])]
        packed[name] = torch.cat(parts, dim=1)
    return packed


@dataclass(frozen=True, slots=True, eq=False)
class TrainingBatch:
    """Rows of one form, padded on the right, as the inputs of one forward pass."""

    inputs: Mapping[str, Tensor]
    plans: Sequence[AlignmentPlan | None]
    row: Tensor  # (T,) of each token to predict: its row ...
    slot: Tensor  # (T,) ... and its place among the places that are `kept`
    kept: Tensor  # (K,) the places in a row whose logits are needed
    tokens: Tensor  # (T,)
    weights: Tensor  # (T,)
    questions: int

    @classmethod
    def of(cls, rows: Sequence[TrainingRow], device: torch.device) -> Self:
        """Stack `rows` on a device."""
        longest = max(row.ids.size for row in rows)
        gaps = [longest - row.ids.size for row in rows]
        ids = torch.stack([pad(torch.from_numpy(row.ids), (0, gap)) for row, gap in zip(rows, gaps, strict=True)])
        positions = pad_tokens([row.positions for row in rows], longest, dim=-1, left=False)
        token_inputs = {
            name: pad_tokens([row.token_inputs[name] for row in rows], longest, dim=1, left=False)
            for name in rows[0].token_inputs
        }
        number = torch.cat([torch.full((row.places.size,), index) for index, row in enumerate(rows)])
        kept, slot = torch.unique(torch.from_numpy(np.concatenate([row.places for row in rows])), return_inverse=True)
        text = {"input_ids": ids, "position_ids": positions, "attention_mask": _mask(rows, longest)}
        return cls(
            inputs={name: value.to(device) for name, value in (text | token_inputs | _visual(rows)).items()},
            plans=[row.plan for row in rows],
            row=number.to(device),
            slot=slot.to(device),
            kept=kept.to(device),
            tokens=torch.from_numpy(np.concatenate([row.tokens for row in rows])).to(device),
            weights=torch.cat([row.weights for row in rows]).to(device),
            questions=sum(row.questions for row in rows),
        )


def alike(rows: Iterable[TrainingRow]) -> list[list[TrainingRow]]:
    """The rows grouped by form, so that a group can share a forward pass; groups in the order of their first row."""
    groups: list[tuple[Mapping[str, object], list[TrainingRow]]] = []
    for row in rows:
        group = next((group for form, group in groups if form == row.form), None)
        if group is None:
            groups.append((row.form, [row]))
        else:
            group.append(row)
    return [group for _, group in groups]


def _mask(rows: Sequence[TrainingRow], longest: int) -> Tensor:
    """What each token attends to, (B, 1, L, L) bool; if no row has branches, ones (B, L), so fused kernels are causal.

    Padding is on the right, where no token attends to it.
    """
    if all((row.branch == TRUNK).all() for row in rows):
        return torch.ones(len(rows), longest, dtype=torch.int64)
    branch = torch.full((len(rows), longest), PADDING)
    for padded, row in zip(branch, rows, strict=True):
        padded[: row.branch.size] = torch.from_numpy(row.branch)
    own = branch[:, :, None] == branch[:, None, :]
    earlier = torch.ones(longest, longest, dtype=torch.bool).tril()
    return ((own | (branch == TRUNK)[:, None, :]) & earlier).unsqueeze(1)


def _visual(rows: Sequence[TrainingRow]) -> dict[str, Tensor]:
    clips = [row.clip for row in rows if row.clip is not None]
    names = clips[0].inputs if clips else ()
    return {name: torch.cat([clip.inputs[name] for clip in clips]) for name in names}
