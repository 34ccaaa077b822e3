"""(torch) A clip, with the calls of the Python interface to answer questions on it.

clip = ClipSession(model, episode, AskOptions(media_root=folder))
asked = clip.ask(question, task)
(plain,) = clip.score([asked])
(aligned,) = clip.score([asked], Alignment(alpha=1.0))
"""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.alignment.attention import Alignment
from socialcli.errors import ModelError
from socialcli.inference.answer_modes import GENERATE, SCORE, Answer, AnswerMode
from socialcli.inference.answers import answer_batch
from socialcli.inference.clip import Clip, ClipQuestion


class ClipSession(Clip):
    """A clip whose questions can be answered, without (alignment None) or with alignment."""

    def score(self, asked: Sequence[ClipQuestion], alignment: Alignment | None = None) -> list[Answer]:
        """Rank the candidates of a batch of questions by the log-probability of their letters. Raises ModelError."""
        return self.answer(asked, SCORE, alignment)

    def generate(self, asked: Sequence[ClipQuestion], alignment: Alignment | None = None) -> list[Answer]:
        """Let the model write the answers to a batch of questions, greedily, and parse them. Raises ModelError."""
        return self.answer(asked, GENERATE, alignment)

    def answer(
        self, asked: Sequence[ClipQuestion], mode: AnswerMode, alignment: Alignment | None = None
    ) -> list[Answer]:
        """Answer a batch of questions in an answer mode. Raises ModelError."""
        (answers,) = answer_batch(self.adapter, asked, [alignment], mode)
        for answer in answers:
            if isinstance(answer, ModelError):
                raise answer
        return [answer for answer in answers if isinstance(answer, Answer)]
