"""Answer modes: how the model's state behind a prompt becomes an answer.

A third party adds one by returning it from the `socialcli_answer_modes` hook. This module imports no torch, because
`--help` and shell completion list the modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from socialcli.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from socialcli.inference.clip import ClipQuestion
    from socialcli.inference.prefix import Continuation
    from socialcli.models.contract import Adapter


@dataclass(frozen=True, slots=True)
class AlignedPrompt:
    """What the alignment did to a prompt."""

    active_share: float = 0.0  # of the heads in the aligned layers
    active_heads: int = 0
    negative_share: float | None = None  # of the biased rows, over the active heads: W < 0; None: there were none


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answered. `choice` is an index of the prompt's candidates, None for text that names none."""

    choice: int | None
    scores: tuple[float, ...] | None = None  # log-probabilities of the candidates; None for generated text
    text: str | None = None  # generated text
    aligned: AlignedPrompt | None = None  # None: not aligned; a mode leaves it out


class AnswerMode(Protocol):
    """One way to answer."""

    @property
    def name(self) -> str:
        """What `--answer` takes and the column `answer_mode` says; unique among the modes."""
        ...

    @property
    def summary(self) -> str:
        """A few words that shell completion of `--answer` shows."""
        ...

    @property
    def decodes(self) -> bool:
        """Whether `answers` runs further tokens behind the prompts; otherwise their caches may be incomplete."""
        ...

    def answers(
        self, adapter: Adapter, questions: Sequence[ClipQuestion], state: Continuation
    ) -> list[Answer | ModelError]:
        """The answer to each question of a batch, or the error that prevents it.

        `state` is that of the batch after its prompts, under one condition; `state.logits` is (B, vocabulary) for the
        next token. The alignment is over by now: what runs from here on has the model's own attention, to keys and
        values that the alignment has changed.
        """
        ...


class Score:
    """Ranks the candidates by the log-probability of their letters, so that every question has an answer."""

    name = "score"
    summary = "rank the candidates by probability"
    decodes = False

    def answers(
        self, adapter: Adapter, questions: Sequence[ClipQuestion], state: Continuation
    ) -> list[Answer | ModelError]:
        """Rank each question's candidates by the logits of the next token."""
        return [_ranked(adapter, one, logits) for one, logits in zip(questions, state.logits, strict=True)]


class Generate:
    """Lets the model write greedily, and looks for a candidate in its text."""

    name = "generate"
    summary = "let the model write, and parse it"
    decodes = True

    def answers(
        self, adapter: Adapter, questions: Sequence[ClipQuestion], state: Continuation
    ) -> list[Answer | ModelError]:
        """Generate a text for each question, and parse it."""
        from socialcli.inference.decoding import generate_greedily  # torch
        from socialcli.tasks.answers import parse_answer  # compiles the patterns of several scripts

        return [
            text if isinstance(text, ModelError) else Answer(parse_answer(text, one.prompt.candidates), text=text)
            for one, text in zip(questions, generate_greedily(adapter, state), strict=True)
        ]


SCORE = Score()
GENERATE = Generate()
MODES: Sequence[AnswerMode] = (SCORE, GENERATE)


def _ranked(adapter: Adapter, question: ClipQuestion, logits: Tensor) -> Answer | ModelError:
    from socialcli.inference.decoding import candidate_scores  # torch

    try:
        scores = candidate_scores(adapter, logits, question.prompt.letters)
    except ModelError as error:
        return error
    return Answer(max(range(len(scores)), key=scores.__getitem__), scores=scores)
