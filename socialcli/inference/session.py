"""(torch) One clip and the questions on it: the frames go through the model once, then each question runs its words.

session = ClipSession(model, episode, AskOptions(media_root=folder))
asked = session.ask(question, task)
plain, = session.score([asked])
raised, = session.score([asked], Alignment(alpha=1.0))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from socialcli.alignment.attention import Alignment
from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import AlignmentPlan, Indices, SpeakerTokens, build_plan, cover_speakers
from socialcli.episodes.records import Episode, Question
from socialcli.errors import ModelError
from socialcli.inference.answers import Answer, answer_batch
from socialcli.inference.asked import AskedQuestion, PromptOnClip
from socialcli.inference.clip_view import AskOptions, look
from socialcli.inference.prefix import Prefix, compute_prefix
from socialcli.models.contract import Adapter, EncodedClip
from socialcli.tasks.base import Task
from socialcli.tasks.prompt import Prompt, build_prompt


class ClipSession:
    """A clip in the model: what its questions share, and how they are asked."""

    def __init__(self, adapter: Adapter, episode: Episode, options: AskOptions) -> None:
        """Sample and prepare the episode's frames. Nothing runs through the model yet. Raises VideoError."""
        self.adapter = adapter
        self.episode = episode
        self.options = options
        self.scene, self.frames = look(episode, options)
        self.clip: EncodedClip | None = adapter.encode_clip(self.frames) if self.frames is not None else None
        self._prefix: Prefix | None = None
        self._shown: tuple[VisualGrid, Mapping[str, SpeakerTokens]] | None = None

    def ask(self, question: Question, task: Task) -> AskedQuestion:
        """Put a question into words, tokenize it, and plan its alignment. Raises AnnotationError and PromptError."""
        prompt = build_prompt(task, self.episode, question, self.scene, self.options.context)
        encoded = self.adapter.encode_prompt(prompt.text, prompt.spans, self.clip)
        plan = None
        if encoded.grid is not None and self.frames is not None:
            plan = self._plan(prompt, encoded.token_spans, encoded.grid, self.frames.times)
        return AskedQuestion(question, prompt, encoded, plan)

    def score(self, asked: Sequence[AskedQuestion], alignment: Alignment | None = None) -> list[Answer]:
        """Rank the candidates of a batch of questions by the log-probability of their letters. Raises ModelError."""
        return self._answers(asked, alignment, generate=False)

    def generate(self, asked: Sequence[AskedQuestion], alignment: Alignment | None = None) -> list[Answer]:
        """Let the model answer a batch of questions in its own words, greedily, and parse them. Raises ModelError."""
        return self._answers(asked, alignment, generate=True)

    def prompt(self, asked: AskedQuestion) -> PromptOnClip:
        """A question, ready to be continued behind the clip's prefix."""
        return PromptOnClip(asked, self.prefix(asked))

    def prefix(self, asked: AskedQuestion) -> Prefix:
        """The clip's prefix, which runs when a question first needs it. No bias reaches it."""
        if self._prefix is None:
            self._prefix = compute_prefix(self.adapter, self.clip, asked.encoded)
        return self._prefix

    def _plan(
        self, prompt: Prompt, spans: Sequence[Indices], grid: VisualGrid, times: Sequence[float]
    ) -> AlignmentPlan:
        """The plan of a prompt. What boxes cover follows from the clip: it is found once, while the grid is the same.

        The visual tokens stand in the same places in every prompt on the clip, unless words stand before them.
        """
        boxes, gap = self.episode.boxes, self.options.box_gap
        if self._shown is None or not _same_tokens(self._shown[0], grid):
            self._shown = grid, cover_speakers(boxes, times, grid, gap)
        return build_plan(prompt.utterances, spans, grid, times, boxes, gap, self._shown[1])

    def _answers(self, asked: Sequence[AskedQuestion], alignment: Alignment | None, generate: bool) -> list[Answer]:
        (answers,) = answer_batch(self.adapter, [self.prompt(one) for one in asked], [alignment], generate)
        for answer in answers:
            if isinstance(answer, ModelError):
                raise answer
        return [answer for answer in answers if isinstance(answer, Answer)]


def _same_tokens(one: VisualGrid, other: VisualGrid) -> bool:
    return one.frames == other.frames and np.array_equal(one.tokens, other.tokens)
