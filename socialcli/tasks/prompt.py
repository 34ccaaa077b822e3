"""Builds the text of a prompt, and finds every utterance in it.

A prompt names the people, gives the transcript (one line per utterance, with its speaker's label), asks the question,
and lists the candidates under letters. The characters of each utterance are recorded, because their tokens are the
rows that the alignment acts on.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from socialcli.episodes.records import Box, Episode, Question, Utterance
from socialcli.errors import AnnotationError
from socialcli.tasks.base import Candidate, Task
from socialcli.tasks.labels import speaker_labels
from socialcli.tasks.names import BoxesAs, Context
from socialcli.tasks.orders import GIVEN, CandidateOrder
from socialcli.tasks.speakers import MASK, asked_utterance, spliced
from socialcli.tasks.special_tokens import harmless
from socialcli.words.boundaries import stands_alone

LETTERS = string.ascii_uppercase
UNKNOWN_SPEAKER = "Somebody"
_INSTRUCTION = "Answer with the letter of the right option only."
_TRANSCRIPT = "Transcript:"


@dataclass(frozen=True, slots=True)
class Scene:
    """The video as the prompt describes it: the times of the frames, and the boxes in them."""

    times: Sequence[float]  # seconds, one per frame
    boxes: Mapping[str, Sequence[Box | None]]  # speaker's id -> its box in each frame
    size: tuple[int, int]  # width, height of the original frames
    boxes_as: BoxesAs = "none"
    colors: Mapping[str, str] | None = None  # speaker's id -> name of its colour, for an overlay


@dataclass(frozen=True, slots=True)
class Mention:
    """A speaker's label in a prompt behind the transcript: the characters [start, end)."""

    speaker: str  # id
    start: int
    end: int
    in_options: bool  # in a candidate, or in the question itself


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question as text. `spans[i]` are the characters [start, end) of `utterances[i]`: its label and its words."""

    text: str
    utterances: tuple[Utterance, ...]
    spans: tuple[tuple[int, int], ...]
    candidates: tuple[Candidate, ...]  # in the order of their letters
    mentions: tuple[Mention, ...] = ()  # speakers' labels in the question and the options, in order
    asked: Utterance | None = None  # the utterance in question; None: the question is about the clip
    order: CandidateOrder = GIVEN
    gold: int | None = None  # place of the gold answer among the candidates; None: unlabelled, or unknown

    @property
    def letters(self) -> str:
        """The letters of the candidates, in order."""
        return LETTERS[: len(self.candidates)]


def build_prompt(
    task: Task,
    episode: Episode,
    question: Question,
    scene: Scene | None,
    context: Context = "full",
    order: CandidateOrder = GIVEN,
) -> Prompt:
    """The prompt for `question` of `episode`; `scene` is None where the model gets no video (inputs L).

    Raises AnnotationError where the question lacks what its task needs.
    """
    labels = speaker_labels(episode.speakers, task.named)
    given = task.candidates(episode, question, labels)
    if len(given) > len(LETTERS):
        raise AnnotationError(f"{len(given)} candidates are more than the {len(LETTERS)} letters")
    gold = question.place_of_answer([item.id for item in given])
    if question.answer_index is not None and gold is None:
        raise AnnotationError(
            f"the task {question.task!r} reorders equal candidates, so it is unknown which of them is the gold answer; "
            "keep their order, or give different candidates"
        )
    utterances = known_utterances(episode, question, context)
    hidden = question.span if task.masks_span else None
    lines = [_line(one, labels, hidden if one.id == question.utterance else None) for one in utterances]
    head, spans = _head(episode, scene, labels, lines)
    candidates = order.arranged(given)
    asked, options = _question_parts(task, episode, question, labels, candidates)
    return Prompt(
        text=f"{head}{asked}{options}{_INSTRUCTION}",
        utterances=utterances,
        spans=spans,
        candidates=candidates,
        mentions=(*_mentions(len(head), asked, labels, False), *_mentions(len(head + asked), options, labels, True)),
        asked=next((line for line in utterances if line.id == question.utterance), None),
        order=order,
        gold=order.place_of(gold),
    )


def build_transcript(episode: Episode, scene: Scene | None) -> Prompt:
    """The part of a prompt that comes before any question: the people, the boxes if the prompt has them, the words."""
    labels = speaker_labels(episode.speakers, named=False)
    lines = [_line(utterance, labels) for utterance in episode.utterances]
    text, spans = _head(episode, scene, labels, lines)
    return Prompt(text, episode.utterances, spans, candidates=())


def speaker_prompt(lines: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The prompt of `--regions model` with one speaker's lines alone, and the characters [start, end) of each line.

    The lines are those of the question's own prompt, label included, so that a hidden name stays hidden.
    """
    head = f"{_TRANSCRIPT}\n"
    return head + "\n".join(lines), _spans(len(head), lines)


def known_utterances(episode: Episode, question: Question, context: Context) -> tuple[Utterance, ...]:
    """The utterances that the prompt may show: all, or (past) those that end no later than the one in question.

    A question without an utterance is asked at the end of the clip, so that everything is past.
    """
    if context == "full" or question.utterance is None:
        return episode.utterances
    now = asked_utterance(episode, question)
    return tuple(line for line in episode.utterances if line.end <= now.end)


def _head(
    episode: Episode, scene: Scene | None, labels: Mapping[str, str], lines: Sequence[str]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text up to the end of the transcript, and the characters [start, end) of each of its lines."""
    head = "".join(f"{part}\n" for part in (*_people(episode, labels), *_scene_lines(scene, labels), _TRANSCRIPT))
    return head + "".join(f"{line}\n" for line in lines), _spans(len(head), lines)


def _people(episode: Episode, labels: Mapping[str, str]) -> list[str]:
    people = ", ".join(labels[speaker.id] for speaker in episode.speakers)
    return [f"People in the video: {people}."] if people else []


def _line(utterance: Utterance, labels: Mapping[str, str], hidden: tuple[int, int] | None = None) -> str:
    """A line of the transcript, without the characters that are `hidden`."""
    label = labels[utterance.speaker] if utterance.speaker is not None else UNKNOWN_SPEAKER
    words = harmless(utterance.text) if hidden is None else spliced(utterance.text, hidden, MASK)
    return f"{label}: {words}"


def _spans(start: int, lines: Sequence[str]) -> tuple[tuple[int, int], ...]:
    spans = []
    for line in lines:
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return tuple(spans)


def _question_parts(
    task: Task, episode: Episode, question: Question, labels: dict[str, str], candidates: Sequence[Candidate]
) -> tuple[str, str]:
    """The question, and its options under letters."""
    asked = harmless(question.text) if question.text else task.sentence(episode, question, labels)
    options = "".join(f"{letter}. {item.label}\n" for letter, item in zip(LETTERS, candidates, strict=False))
    return f"Question: {asked}\n", options


def _mentions(start: int, text: str, labels: Mapping[str, str], in_options: bool) -> Iterator[Mention]:
    """The speakers' labels in a part of the prompt that begins at `start`, as whole words, spelt as they are there."""
    speakers = {label: speaker for speaker, label in labels.items()}
    longest_first = sorted(map(re.escape, speakers), key=len, reverse=True)
    for found in re.finditer("|".join(longest_first), text) if speakers else ():
        if stands_alone(text, *found.span()):
            yield Mention(speakers[found[0]], start + found.start(), start + found.end(), in_options)


def _scene_lines(scene: Scene | None, labels: Mapping[str, str]) -> list[str]:
    if scene is None or scene.boxes_as == "none" or not scene.boxes:
        return []
    if scene.boxes_as == "overlay":
        drawn = [(speaker, color) for speaker, color in (scene.colors or {}).items() if any(scene.boxes[speaker])]
        marked = ", ".join(f"{labels[speaker]} is in the {color} box" for speaker, color in drawn)
        return [f"Boxes drawn on the frames: {marked}."] if marked else []
    width, height = scene.size
    frames = [_boxes_of_frame(index, scene, labels) for index in range(len(scene.times))]
    return [f"Boxes as [left, top, right, bottom] in pixels of the {width}x{height} frames:", *frames]


def _boxes_of_frame(index: int, scene: Scene, labels: Mapping[str, str]) -> str:
    present = ((speaker, track[index]) for speaker, track in scene.boxes.items())
    boxes = [
        f"{labels[speaker]} [{box.x0:.0f}, {box.y0:.0f}, {box.x1:.0f}, {box.y1:.0f}]" for speaker, box in present if box
    ]
    return f"Frame {index + 1} ({scene.times[index]:.2f} s): {'; '.join(boxes) or 'nobody'}"
