"""A question as the model gets it: its prompt, the tokens, the plan, and the clip that it is on."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.alignment.plan import AlignmentPlan
from socialcli.episodes.records import Question
from socialcli.inference.prefix import Prefix
from socialcli.models.contract import EncodedPrompt
from socialcli.tasks.prompt import Prompt


@dataclass(frozen=True, slots=True, eq=False)
class AskedQuestion:
    """A prompt, ready for the model, with the plan of its alignment (None: no video to align to)."""

    question: Question
    prompt: Prompt
    encoded: EncodedPrompt
    plan: AlignmentPlan | None


@dataclass(frozen=True, slots=True, eq=False)
class PromptOnClip:
    """A question behind the visual prefix of its clip, ready to be continued."""

    asked: AskedQuestion
    prefix: Prefix

    @property
    def encoded(self) -> EncodedPrompt:
        """The tokens."""
        return self.asked.encoded

    @property
    def plan(self) -> AlignmentPlan | None:
        """The plan of the alignment; None: no video to align to."""
        return self.asked.plan

    @property
    def alignable(self) -> bool:
        """Whether an alignment has something to raise: words of a speaker whom some visual token shows."""
        return self.plan is not None and bool(self.plan.pairs.any())
