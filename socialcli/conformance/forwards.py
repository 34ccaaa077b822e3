"""(torch) The same scores by different ways through the model: shared, batched, padded, generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import torch
from transformers import GenerationConfig

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.bias import FLOORED, PUBLISHED
from socialcli.conformance.checks import Case, compared
from socialcli.conformance.subject import Subject, ask_all, largest_difference, padded_plans
from socialcli.errors import ModelError
from socialcli.inference.answer_modes import Answer
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.decoding import greedy_ids, until_end
from socialcli.inference.prefix import MAX_NEW_TOKENS, Continuation
from socialcli.models.contract import Adapter

_SAME = 1e-6  # where the same numbers are added in the same order, or nearly
_ROUNDING = 1e-5  # where sums are split otherwise

_CONDITIONS: dict[str, Alignment | None] = {"plain": None, "aligned": Alignment(layers="all")}


def alpha_0(subject: Subject) -> Iterator[Case]:
    """Align with strength 0 by each of the common rules."""
    plain = subject.logits(subject.asked)
    for rule in (PUBLISHED, FLOORED):
        none = subject.logits(subject.asked, Alignment(alpha=0.0, layers="all", rule=rule))
        advice = "the aligned attention is not the model's own: look at the mask and the scale of its attention"
        yield compared(rule.name, largest_difference(none, plain), _SAME, advice)


def prefix(subject: Subject) -> Iterator[Case]:
    """Ask one question behind a prefix of its own, one behind that of another question, and compare whole forwards."""
    first, other = subject.asked[0], subject.asked[-1]
    advice = "are positions and inputs the same in parts as in one forward pass? See `positions` and `forward_inputs`"
    for condition, alignment in _CONDITIONS.items():
        for name, asked in (("own prefix", first), ("another question's prefix", other)):
            shared, whole = subject.logits([asked], alignment), subject.whole_logits([asked], alignment)
            yield compared(f"{condition}, {name}", largest_difference(shared, whole), _ROUNDING, advice)
    yield _several_clips(subject)


def _several_clips(subject: Subject) -> Case:
    """Ask about another clip in between: nothing of it may be left in the model."""
    before = subject.logits(subject.asked[:1])
    subject.logits(ask_all(subject.open(frames=4))[:1])
    again = subject.logits(subject.asked[:1])
    advice = "the model keeps something of the clip before, such as `rope_deltas`: pass positions with every forward"
    return compared("after another clip", largest_difference(again, before), _SAME, advice)


def batch(subject: Subject) -> Iterator[Case]:
    """Ask four questions together, one by one, and in one forward pass padded on the left."""
    asked = subject.asked
    lengths = ", ".join(str(one.encoded.length) for one in asked)
    for condition, alignment in _CONDITIONS.items():
        alone = torch.cat([subject.logits([one], alignment) for one in asked])
        together, padded = subject.logits(asked, alignment), subject.whole_logits(asked, alignment)
        yield compared(
            f"{condition}, 1 against {len(asked)}",
            largest_difference(together, alone),
            _ROUNDING,
            "a question's scores depend on its batch",
        )
        yield compared(
            f"{condition}, whole prompts padded",
            largest_difference(padded, alone),
            _ROUNDING,
            "padding on the left changes scores: does `forward_inputs` pass the mask and padded positions?",
            f"lengths {lengths}",
        )
    yield _together(subject)


def _together(subject: Subject) -> Case:
    """Run three conditions at once: the layers below the first aligned one then run once."""
    conditions = [None, Alignment(), Alignment(layers="all")]
    together = subject.logits_under(subject.asked, conditions)
    alone = [subject.logits(subject.asked, one) for one in conditions]
    difference = max(largest_difference(one, other) for one, other in zip(together, alone, strict=True))
    advice = (
        "conditions that share layers differ from conditions alone: does a later layer use what an early one keeps?"
    )
    return compared("conditions together", difference, _ROUNDING, advice)


def generate(subject: Subject) -> Iterator[Case]:
    """Compare each question's tokens, batched behind the shared prefix, with those of `generate` on its prompt."""
    adapter = subject.adapter
    for condition, alignment in _CONDITIONS.items():
        answers = subject.clip.answer(subject.asked, _GreedyIds(), alignment)
        for one, answer in zip(subject.asked, answers, strict=True):
            name, expected = f"{condition}, {one.question.task}", _generated(subject, one, alignment)
            text = repr(adapter.decode(expected))
            if answer.text == str(expected):
                yield Case(name, "passed", f"{len(expected)} tokens: {text}")
            else:
                yield Case(name, "failed", f"tokens {answer.text}, where `generate` gives {expected}: {text}")


class _GreedyIds:
    """The answer mode that lets the model write greedily, with the token ids as its text."""

    name = "greedy-ids"
    summary = "token ids of greedy text"
    decodes = True

    def answers(
        self, adapter: Adapter, questions: Sequence[ClipQuestion], state: Continuation
    ) -> list[Answer | ModelError]:
        """The ids of each prompt's continuation, as text."""
        found = greedy_ids(adapter, state)
        return [one if isinstance(one, ModelError) else Answer(None, text=str(list(one))) for one in found]


@torch.inference_mode()
def _generated(subject: Subject, one: ClipQuestion, alignment: Alignment | None) -> list[int]:
    """The greedy tokens of transformers' own `generate`, whatever the checkpoint's generation settings."""
    adapter = subject.adapter
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=MAX_NEW_TOKENS,
        repetition_penalty=1.0,
        eos_token_id=sorted(adapter.end_ids),
        pad_token_id=adapter.end_id,
    )
    with nullcontext() if alignment is None else aligned(adapter, padded_plans([one]), alignment):
        output = adapter.model.generate(**subject.whole_inputs([one]), generation_config=config)
    return list(until_end(output[0, one.encoded.length :].tolist(), adapter.end_ids))
