"""An answer mode sees the questions of a batch and the state behind their prompts, and returns their answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socialcli.alignment.attention import Alignment
from socialcli.api import ask, open_clip
from socialcli.errors import ModelError
from socialcli.inference.answer_modes import Answer
from socialcli.inference.answers import answer_batch
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.prefix import Continuation
from tests.conftest import SAMPLE, sample_episodes

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


class LongestLabel:
    """A mode of a third party: the candidate with the longest label."""

    name = "longest"
    summary = "take the longest label"
    decodes = False

    def answers(
        self, adapter: Any, questions: Sequence[ClipQuestion], state: Continuation
    ) -> list[Answer | ModelError]:
        assert state.logits.shape[0] == len(questions)
        found: list[Answer | ModelError] = []
        for one in questions:
            lengths = [len(candidate.label) for candidate in one.prompt.candidates]
            fails = one.question.id == one.clip.episode.questions[0].id
            answer = Answer(lengths.index(max(lengths)), text="longest")
            found.append(ModelError("the first question fails") if fails else answer)
        return found


def test_the_mode_of_the_page_reads_the_letter_that_generation_begins_with(model: Any) -> None:
    (source,) = re.findall(r"```python\n([^`]*class FirstLetter[^`]*)```", PAGE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    exec(compile(source, PAGE.name, "exec"), names)
    (mode,) = names["socialcli_answer_modes"]()
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = [ask(clip, question) for question in clip.episode.questions[:3]]
    for one, answer, generated in zip(asked, clip.answer(asked, mode), clip.generate(asked), strict=True):
        assert answer.text is not None and generated.text is not None
        assert generated.text.strip().startswith(answer.text)
        assert answer.choice is None or one.prompt.letters[answer.choice] == answer.text


def test_a_third_partys_mode_answers_a_batch_under_every_condition(model: Any) -> None:
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = [ask(clip, question) for question in clip.episode.questions[:3]]
    plain, aligned = answer_batch(model, asked, [None, Alignment()], LongestLabel())
    for first, *others in (plain, aligned):
        assert isinstance(first, ModelError)
        assert [isinstance(one, Answer) and one.text for one in others] == ["longest"] * 2
    for one, other in zip(plain[1:], aligned[1:], strict=True):
        assert isinstance(one, Answer) and isinstance(other, Answer)
        assert one.choice == other.choice
        assert one.aligned is None and other.aligned is not None  # filled in by whoever knows the condition
