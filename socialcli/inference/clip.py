"""(torch) A clip in the model, and the questions on it.

A question is prepared on its `Clip` once: `ClipQuestion` holds its words, its tokens, its alignment plan and the clip,
and goes as it is through batches and conditions to its answers. `FailedQuestion` takes its place where that fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.regions.cells import ANYBODY, Attention
from socialcli.alignment.regions.sources import GroundingHeads
from socialcli.alignment.steering.modes import METHOD, Steering
from socialcli.alignment.steering.prompt import SteeredPrompt
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.clip_view import AskOptions, known_until, sample_clip, show_frames
from socialcli.inference.prefix import Prefix, compute_prefix
from socialcli.inference.regions.clip_regions import ClipRegions, Lines, lines_by_speaker
from socialcli.inference.regions.first_pass import word_attention
from socialcli.models.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.tasks.base import Task
from socialcli.tasks.orders import GIVEN, CandidateOrder
from socialcli.tasks.prompt import Prompt, build_prompt, build_transcript
from socialcli.video.frames import FrameSet


class Clip:
    """What the questions on a clip share: its frames, and the keys and values that the model makes of them."""

    def __init__(
        self,
        adapter: Adapter,
        episode: Episode,
        options: AskOptions,
        frames: FrameSet | None = None,
        until: float = math.inf,
    ) -> None:
        """Sample and encode the episode's frames up to `until` seconds, or take `frames` instead of its video.

        Nothing runs through the model yet. Raises VideoError.
        """
        self.adapter, whole = adapter, episode
        self.episode = episode = known_until(episode, until)
        self.options = options
        self.scene, self.frames = (
            sample_clip(episode, options) if frames is None else show_frames(episode, options, frames)
        )
        self.clip: EncodedClip | None = adapter.encode_clip(self.frames) if self.frames is not None else None
        self._prefix: Prefix | None = None
        self.regions = ClipRegions(whole, until, options.box_gap, self._attention)
        self._plans: dict[Steering, tuple[SteeredPrompt, AlignmentPlan]] = {}  # the last one, and its prompt
        self._plans_with_errors: dict[Steering, tuple[AlignmentPlan, AlignmentPlan]] = {}  # the last one without, with

    def ask(self, question: Question, task: Task, order: CandidateOrder = GIVEN) -> ClipQuestion:
        """Put a question into words, tokenize it, and plan its alignment. Raises AnnotationError and PromptError."""
        return self._encoded(
            question, build_prompt(task, self.episode, question, self.scene, self.options.context, order)
        )

    def transcribe(self) -> ClipQuestion:
        """The clip's words without a question, for those who only look at them. Raises PromptError."""
        return self._encoded(Question(self.episode.episode_id, task=""), build_transcript(self.episode, self.scene))

    def _encoded(self, question: Question, prompt: Prompt) -> ClipQuestion:
        labels = [(mention.start, mention.end) for mention in prompt.mentions]
        encoded = self.adapter.encode_prompt(prompt.text, [*prompt.spans, *labels], self.clip)
        words = len(prompt.spans)
        spans, label_tokens = encoded.token_spans[:words], encoded.token_spans[words:]
        asked = ClipQuestion(self, question, prompt, replace(encoded, token_spans=spans), label_tokens)
        asked.plan_under(METHOD)  # every condition needs it, and errors show here
        return asked

    def prefix(self, encoded: EncodedPrompt) -> Prefix:
        """The clip's prefix, computed from the first prompt on the clip that needs it. No bias reaches it."""
        if self._prefix is None:
            self._prefix = compute_prefix(self.adapter, self.clip, encoded)
        return self._prefix

    def plan(self, asked: ClipQuestion, steering: Steering) -> AlignmentPlan | None:
        """The plan of a question; None without video. Questions with the same transcript share it where it decides."""
        if steering.mode.of_transcript and steering.perturbation is not None:
            return self._plan_with_error(asked, steering)
        prompt = self.steered(asked, steering)
        if prompt is None:
            return None
        if not steering.mode.of_transcript:
            return steering.plan(prompt)
        before = self._plans.get(steering)
        if before is None or not _same_words(before[0], prompt):
            before = self._plans[steering] = prompt, steering.plan(prompt)
        return before[1]

    def _plan_with_error(self, asked: ClipQuestion, steering: Steering) -> AlignmentPlan | None:
        """The same for a plan with an annotation error: questions that share the plan without it share this one, too.

        With dozens of errors, comparing their transcripts each time would cost as much as the plans.
        """
        exact = asked.plan_under(replace(steering, perturbation=None))
        before = self._plans_with_errors.get(steering)
        if before is not None and before[0] is exact:
            return before[1]
        prompt = self.steered(asked, steering)
        if exact is None or prompt is None:
            return None
        self._plans_with_errors[steering] = exact, steering.plan(prompt)
        return self._plans_with_errors[steering][1]

    def steered(self, asked: ClipQuestion, steering: Steering = METHOD) -> SteeredPrompt | None:
        """A question as a steering mode sees it; None without video.

        An annotation error changes who speaks and where, and nothing else. Regions of the model run it, once for each
        speaker's lines: raises PromptError and ModelError.
        """
        grid, error = asked.encoded.grid, steering.perturbation
        if grid is None or self.frames is None:
            return None
        prompt, times = asked.prompt, self.frames.times
        lines = {line.id: line for line in self.regions.annotation(error).utterances}
        if steering.regions.source == "people":  # towards all of them, whoever says it
            lines = {id: replace(line, speaker=line.speaker or ANYBODY) for id, line in lines.items()}
        utterances = tuple(lines[line.id] for line in prompt.utterances)
        spoken = lines_by_speaker(utterances, [prompt.text[start:end] for start, end in prompt.spans])
        labels = list(zip(prompt.mentions, asked.label_tokens, strict=True))
        speakers = {speaker.id for speaker in self.episode.speakers}
        return SteeredPrompt(
            utterances=utterances,
            spans=asked.encoded.token_spans,
            asked=None if prompt.asked is None else lines[prompt.asked.id],
            candidates=frozenset(one.id for one in prompt.candidates) & speakers,
            labels=[(mention.speaker, tokens) for mention, tokens in labels],
            named=frozenset(mention.speaker for mention, _ in labels if not mention.in_options),
            last=asked.encoded.length - 1,
            grid=grid,
            times=times,
            regions=self.regions.shown(steering.regions, error, spoken, grid, times),
        )

    def _attention(self, lines: Lines, heads: GroundingHeads) -> Attention | None:
        """Where a speaker's lines look, by a pass of their own behind the prefix; None without video."""
        return None if self.clip is None else word_attention(self.adapter, self.clip, self.prefix, lines, heads)


@dataclass(frozen=True, slots=True, eq=False)
class ClipQuestion:
    """A question on a clip, ready for the model."""

    clip: Clip
    question: Question
    prompt: Prompt
    encoded: EncodedPrompt
    label_tokens: Sequence[Indices]  # those of the prompt's mentions
    missing: Mapping[int, str] | None = None  # keys of the missing answers, by condition; None: all, without keys
    seconds: float = 0.0  # its share of the time that preparing its episode took
    _plans: dict[Steering, AlignmentPlan | None] = field(default_factory=dict)

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
    def order(self) -> CandidateOrder:
        """The order in which its candidates are asked."""
        return self.prompt.order

    @property
    def plan(self) -> AlignmentPlan | None:
        """The method's plan; None: no video to align to."""
        return self.plan_under(METHOD)

    def plan_under(self, steering: Steering) -> AlignmentPlan | None:
        """The plan under a steering mode; None: no video to align to."""
        if steering not in self._plans:
            self._plans[steering] = self.clip.plan(self, steering)
        return self._plans[steering]

    @property
    def region_in_question(self) -> Indices:
        """The tokens that show whom the question is about, and never its answer; none without video."""
        prompt = self.clip.steered(self)
        return np.empty(0, dtype=np.int64) if prompt is None else prompt.region_in_question


@dataclass(frozen=True, slots=True, eq=False)
class FailedQuestion:
    """A question that cannot be put to the model, and why."""

    episode: Episode
    question: Question
    error: QuestionError
    frames: FrameSet | None  # None: the frames could not be read, or none are used
    order: CandidateOrder = GIVEN
    missing: Mapping[int, str] | None = None  # as for `ClipQuestion`
    seconds: float = 0.0


PreparedQuestion = ClipQuestion | FailedQuestion


def _same_words(one: SteeredPrompt, other: SteeredPrompt) -> bool:
    """Whether two prompts have the same transcript, at the same place behind the same visual tokens."""
    return (
        one.utterances == other.utterances
        and one.regions is other.regions
        and all(map(np.array_equal, one.spans, other.spans))
    )
