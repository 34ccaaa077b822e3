"""The model's input for one question and the alignment's view of it: frames, prompt, grid, boxes, plan.

Nothing is recomputed differently here: spans, grid and plan are the ones that a run uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from socialcli.alignment.grid import VisualGrid, covered
from socialcli.alignment.plan import AlignmentPlan, utterance_frames
from socialcli.alignment.steering.modes import METHOD, Steering
from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.episode import annotated_coverage
from socialcli.episodes.coverage.record import Coverage
from socialcli.episodes.records import Box, Episode, Question
from socialcli.episodes.tracks import speaker_boxes
from socialcli.models.contract import InputChoices, LoadOptions, choices_of
from socialcli.tasks.base import Task
from socialcli.tasks.labels import speaker_labels
from socialcli.tasks.prompt import UNKNOWN_SPEAKER
from socialcli.verbs.inspect.regions import InspectedRegion, inspected_regions
from socialcli.verbs.inspect.steered import SteeredTokens, Tokens, steered_tokens
from socialcli.video.frames import FrameSet

if TYPE_CHECKING:
    from socialcli.inference.clip import ClipQuestion
    from socialcli.inference.clip_view import AskOptions

Rectangle = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the original frame


@dataclass(frozen=True, slots=True)
class InspectedFrame:
    """One sampled frame; `step` is the temporal step that contains it."""

    index: int
    time: float  # seconds
    width: int  # of the original frame, pixels
    height: int
    step: int
    seen: Rectangle  # the part of the frame that the model sees


@dataclass(frozen=True, slots=True)
class InspectedUtterance:
    """One utterance of the prompt: its label and words, their position, and the frames F(u)."""

    id: str
    speaker: str | None  # None: unknown, so none of its tokens is aligned
    label: str
    start: float  # seconds
    end: float
    text: str  # label and words, as in the prompt
    characters: tuple[int, int]  # [start, end) in the prompt
    tokens: Tokens
    frames: tuple[int, ...]  # F(u); empty without video


@dataclass(frozen=True, slots=True)
class InspectedBox:
    """A speaker's box in one sampled frame, interpolated if it was annotated at other times."""

    speaker: str
    frame: int
    box: Rectangle
    seen: float  # share (0 to 1) of the box's area that the model sees
    tokens: Tokens  # the tokens that this box covers; none if the model does not see the person


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """Everything between annotation and attention, for one question under one condition.

    For an episode without questions, `question` is None, and the prompt ends with the transcript. Without video
    (inputs L) there are no frames and boxes, and `grid` and `plan` are None. `pairs[i]` holds the plan's columns that
    all tokens of `utterances[i]` are biased towards, or away from; `steered` has every bias.
    """

    episode: Episode  # the part that the question may use (context past: no later boxes)
    question: Question | None
    model: str
    checkpoint: str
    choices: InputChoices  # how the model family turned the clip into its input
    options: AskOptions
    labels: Mapping[str, str]  # speaker's id -> the speaker's label in the prompt, in the episode's order
    prompt: str
    token_ids: Tokens
    frames: tuple[InspectedFrame, ...]
    distinct_frames: int  # number of distinct pictures among the frames
    utterances: tuple[InspectedUtterance, ...]
    grid: VisualGrid | None
    boxes: tuple[InspectedBox, ...]  # by speaker, then by frame
    steering: Steering
    regions: tuple[InspectedRegion, ...]  # that the model finds, by speaker and step; none where it need not
    plan: AlignmentPlan | None  # under `steering`
    pairs: tuple[Tokens, ...]
    steered: tuple[SteeredTokens, ...]

    @property
    def name(self) -> str:
        """The question's id, or the episode's if there is no question."""
        return self.episode.episode_id if self.question is None else self.question.id

    @property
    def unseen(self) -> tuple[InspectedBox, ...]:
        """The boxes that cover no token."""
        return tuple(box for box in self.boxes if not box.tokens)

    @property
    def coverage(self) -> Coverage:
        """How many utterances of the prompt have a visual token of their speaker, and whose do not."""
        counter = CoverageCounter()
        counter.add(annotated_coverage(self.episode, self.options.box_gap))
        if self.plan is not None:
            counter.add_prompt(self.episode.episode_id, self.plan.utterances, self.plan.covered)
        return counter.total(self.options.box_gap)

    @property
    def inputs(self) -> str:
        """The model's inputs as `--inputs` names them: L, VL or VLB."""
        if not self.options.with_video:
            return "L"
        return "VL" if self.options.boxes_as == "none" else "VLB"


def inspect_question(
    asked: ClipQuestion, task: Task | None, source: LoadOptions, steering: Steering = METHOD
) -> Inspection:
    """Take a prepared question apart, or with `task` None a transcript; `source` is how its clip's model was loaded."""
    clip = asked.clip
    spec, options, episode = clip.adapter.spec, clip.options, clip.episode
    labels = speaker_labels(episode.speakers, task is not None and task.named)
    grid, frames = asked.encoded.grid, clip.frames
    utterances, plan = _utterances(asked, labels, frames), asked.plan_under(steering)
    return Inspection(
        episode=episode,
        question=None if task is None else asked.question,
        model=spec.name,
        checkpoint=source.checkpoint,
        choices=choices_of(clip.adapter, source),
        options=options,
        labels=labels,
        prompt=asked.prompt.text,
        token_ids=_numbers(asked.encoded.ids),
        frames=_frames(frames, grid) if frames is not None and grid is not None else (),
        distinct_frames=frames.distinct if frames is not None else 0,
        utterances=utterances,
        grid=grid,
        boxes=_boxes(episode, labels, frames.times, grid, options.box_gap) if frames and grid else (),
        steering=steering,
        regions=inspected_regions(asked, steering),
        plan=plan,
        pairs=tuple(_own_columns(plan, line) for line in utterances),
        steered=() if plan is None else steered_tokens(asked, plan, labels),
    )


def _frames(frames: FrameSet, grid: VisualGrid) -> tuple[InspectedFrame, ...]:
    step_of_frame = grid.step_of_frame
    left, top, right, bottom = grid.seen
    size = (frames.width, frames.height)
    seen = (max(left, 0.0), max(top, 0.0), min(right, float(size[0])), min(bottom, float(size[1])))
    return tuple(
        InspectedFrame(index, time, *size, step_of_frame[index], seen) for index, time in enumerate(frames.times)
    )


def _utterances(
    asked: ClipQuestion, labels: Mapping[str, str], frames: FrameSet | None
) -> tuple[InspectedUtterance, ...]:
    prompt = asked.prompt
    return tuple(
        InspectedUtterance(
            id=line.id,
            speaker=line.speaker,
            label=labels[line.speaker] if line.speaker is not None else UNKNOWN_SPEAKER,
            start=line.start,
            end=line.end,
            text=prompt.text[slice(*span)],
            characters=span,
            tokens=_numbers(tokens),
            frames=utterance_frames(line, frames.times) if frames is not None else (),
        )
        for line, span, tokens in zip(prompt.utterances, prompt.spans, asked.encoded.token_spans, strict=True)
    )


def _boxes(
    episode: Episode, labels: Mapping[str, str], times: Sequence[float], grid: VisualGrid, max_gap: float
) -> tuple[InspectedBox, ...]:
    tracks = speaker_boxes(episode.boxes, times, max_gap)
    step_of_frame, seen = grid.step_of_frame, grid.seen
    found = []
    for speaker in (speaker for speaker in labels if speaker in tracks):
        for frame, box in enumerate(tracks[speaker]):
            if box is not None:
                tokens = grid.tokens[step_of_frame[frame]][covered(box, grid.cells)]
                tokens = np.sort(tokens[tokens >= 0])
                corners = (box.x0, box.y0, box.x1, box.y1)
                found.append(InspectedBox(speaker, frame, corners, _share(box, seen), _numbers(tokens)))
    return tuple(found)


def _share(box: Box, window: Rectangle) -> float:
    """The share of the box's area inside the window; for a box without area, 1 if it lies inside, else 0."""
    cut = replace(
        box,
        x0=max(box.x0, window[0]),
        y0=max(box.y0, window[1]),
        x1=min(box.x1, window[2]),
        y1=min(box.y1, window[3]),
    )
    if cut.x1 < cut.x0 or cut.y1 < cut.y0:
        return 0.0
    area = (box.x1 - box.x0) * (box.y1 - box.y0)
    return (cut.x1 - cut.x0) * (cut.y1 - cut.y0) / area if area > 0 else 1.0


def _own_columns(plan: AlignmentPlan | None, line: InspectedUtterance) -> Tokens:
    """The columns that every token of the utterance is paired with."""
    if plan is None or not line.tokens or not np.isin(line.tokens, plan.rows).all():
        return ()
    rows = np.searchsorted(plan.rows, line.tokens)
    return _numbers(plan.columns[plan.pairs[rows].all(axis=0)])


def _numbers(values: Sequence[int] | np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Tokens:
    return tuple(int(value) for value in values)
