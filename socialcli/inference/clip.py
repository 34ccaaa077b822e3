"""(torch) A clip in the model, and the questions on it.

A question is prepared on its `Clip` once: `ClipQuestion` holds its words, its tokens, its alignment plan and the clip,
and goes as it is through batches and conditions to its answers. `FailedQuestion` takes its place where that fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import AlignmentPlan, Indices, SpeakerTokens, build_plan, cover_speakers
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.clip_view import AskOptions, sample_clip, show_frames
from socialcli.inference.prefix import Prefix, compute_prefix
from socialcli.models.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.tasks.base import Task
from socialcli.tasks.prompt import Prompt, build_prompt
from socialcli.video.frames import FrameSet


class Clip:
    """What the questions on a clip share: its frames, and the keys and values that the model makes of them."""

    def __init__(self, adapter: Adapter, episode: Episode, options: AskOptions, frames: FrameSet | None = None) -> None:
        """Sample and encode the episode's frames, or take `frames` instead of its video.

        Nothing runs through the model yet. Raises VideoError.
        """
        self.adapter = adapter
        self.episode = episode
        self.options = options
        self.scene, self.frames = (
            sample_clip(episode, options) if frames is None else show_frames(episode, options, frames)
        )
        self.clip: EncodedClip | None = adapter.encode_clip(self.frames) if self.frames is not None else None
        self._prefix: Prefix | None = None
        self._shown: tuple[VisualGrid, Mapping[str, SpeakerTokens]] | None = None

    def ask(self, question: Question, task: Task) -> ClipQuestion:
        """Put a question into words, tokenize it, and plan its alignment. Raises AnnotationError and PromptError."""
        prompt = build_prompt(task, self.episode, question, self.scene, self.options.context)
        encoded = self.adapter.encode_prompt(prompt.text, prompt.spans, self.clip)
        plan = None
        if encoded.grid is not None and self.frames is not None:
            plan = self._plan(prompt, encoded.token_spans, encoded.grid, self.frames.times)
        return ClipQuestion(self, question, prompt, encoded, plan)

    def prefix(self, encoded: EncodedPrompt) -> Prefix:
        """The clip's prefix, computed from the first prompt on the clip that needs it. No bias reaches it."""
        if self._prefix is None:
            self._prefix = compute_prefix(self.adapter, self.clip, encoded)
        return self._prefix

    def _plan(
        self, prompt: Prompt, spans: Sequence[Indices], grid: VisualGrid, times: Sequence[float]
    ) -> AlignmentPlan:
        """The plan of a prompt. The coverage of the boxes depends on the clip, so it is computed once per grid.

        The visual tokens have the same indices in every prompt on the clip, unless words stand before them.
        """
        boxes, gap = self.episode.boxes, self.options.box_gap
        if self._shown is None or not _same_tokens(self._shown[0], grid):
            self._shown = grid, cover_speakers(boxes, times, grid, gap)
        return build_plan(prompt.utterances, spans, grid, times, boxes, gap, self._shown[1])


@dataclass(frozen=True, slots=True, eq=False)
class ClipQuestion:
    """A question on a clip, ready for the model."""

    clip: Clip
    question: Question
    prompt: Prompt
    encoded: EncodedPrompt
    plan: AlignmentPlan | None  # None: no video to align to
    missing: Mapping[int, str] | None = None  # keys of the missing answers, by condition; None: all, without keys
    seconds: float = 0.0  # its share of the time that preparing its episode took

    @property
    def episode(self) -> Episode:
        """The episode, as far as the question may know it."""
        return self.clip.episode

    @property
    def frames(self) -> FrameSet | None:
        """The frames that the model sees; None: no video."""
        return self.clip.frames

    @property
    def prefix(self) -> Prefix:
        """The visual prefix of its clip, which runs through the model at the first use."""
        return self.clip.prefix(self.encoded)

    @property
    def alignable(self) -> bool:
        """Whether an alignment can change anything: some word's speaker has a visual token."""
        return self.plan is not None and bool(self.plan.pairs.any())


@dataclass(frozen=True, slots=True, eq=False)
class FailedQuestion:
    """A question that cannot be put to the model, and why."""

    episode: Episode
    question: Question
    error: QuestionError
    frames: FrameSet | None  # None: the frames could not be read, or none are used
    missing: Mapping[int, str] | None = None  # as for `ClipQuestion`
    seconds: float = 0.0


PreparedQuestion = ClipQuestion | FailedQuestion


def _same_tokens(one: VisualGrid, other: VisualGrid) -> bool:
    return one.frames == other.frames and np.array_equal(one.tokens, other.tokens)
