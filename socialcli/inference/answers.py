"""(torch) From prompts to answers: a batch, under every condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from socialcli.alignment.attention import Alignment
from socialcli.errors import ModelError
from socialcli.inference.asked import PromptOnClip
from socialcli.inference.conditions import AlignedPrompt, ConditionedState, continue_under
from socialcli.inference.decoding import candidate_scores, generate_greedily
from socialcli.models.contract import Adapter
from socialcli.tasks.answers import parse_answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answered. `choice` is an index of the prompt's candidates, None for text that names none."""

    choice: int | None
    scores: tuple[float, ...] | None = None  # log-probabilities of the candidates; None for generated text
    text: str | None = None  # generated text
    aligned: AlignedPrompt | None = None  # what the alignment did; None without it


def answer_batch(
    adapter: Adapter, prompts: Sequence[PromptOnClip], conditions: Sequence[Alignment | None], generate: bool
) -> list[list[Answer | ModelError]]:
    """For each of `conditions` the answers to `prompts`, ranked by letter or generated; an error where there is none.

    The prefixes of the prompts are equally long.
    """
    answers: list[list[Answer | ModelError]] = [[] for _ in conditions]
    read = _generated if generate else _ranked
    for state in continue_under(adapter, prompts, conditions, decoding=generate):
        answers[state.condition] = read(adapter, prompts, state)
    return answers


def _ranked(adapter: Adapter, prompts: Sequence[PromptOnClip], state: ConditionedState) -> list[Answer | ModelError]:
    rows = zip(prompts, state.state.logits, state.alignments, strict=True)
    return [_rank(adapter, prompt, logits, done) for prompt, logits, done in rows]


def _rank(adapter: Adapter, prompt: PromptOnClip, logits: Tensor, done: AlignedPrompt | None) -> Answer | ModelError:
    try:
        scores = candidate_scores(adapter, logits, prompt.asked.prompt.letters)
    except ModelError as error:
        return error
    return Answer(max(range(len(scores)), key=scores.__getitem__), scores=scores, aligned=done)


def _generated(adapter: Adapter, prompts: Sequence[PromptOnClip], state: ConditionedState) -> list[Answer | ModelError]:
    rows = zip(prompts, generate_greedily(adapter, state.state), state.alignments, strict=True)
    return [
        text
        if isinstance(text, ModelError)
        else Answer(parse_answer(text, prompt.asked.prompt.candidates), text=text, aligned=done)
        for prompt, text, done in rows
    ]
