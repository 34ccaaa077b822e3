"""What the checks ask about: frames of noise, three people in them, what they say, and a question of each task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video
from socialcli.tasks.base import Task
from socialcli.tasks.coref import Coref
from socialcli.tasks.mentioned import Mentioned
from socialcli.tasks.target import Target
from socialcli.tasks.videoqa import VideoQA
from socialcli.video.frames import Frame, FrameSet

WIDTH, HEIGHT = 640, 360
SECONDS_PER_FRAME = 0.5
BLOCK = 8  # pixels of one colour on each side: small against a cell, and not lost when a frame is scaled down

TASKS: dict[str, Task] = {task.name: task for task in (VideoQA(), Target(), Coref(), Mentioned())}

_SPEAKERS = (Speaker("ana", "Ana"), Speaker("ben", "Ben"), Speaker("zoe", "Zoë"))
# Quotes, digits, accents, other scripts and an emoji: a letter can take several tokens, a token several letters.
_LINES = (
    ("ana", "Did you take it, Ben? It was here at 10:45!"),
    ("ben", "No... I thought that she had it -- ask Zoë."),
    ("zoe", "Me? I put it on the café's table, don't you remember?"),
    ("ana", "He said “maybe later”, and then he left. 😀"),
    (None, "Is anybody there?"),
    ("ben", "谢谢, I see. It's under Ana's coat; give it to her."),
)


def noise_frames(width: int = WIDTH, height: int = HEIGHT, count: int = 8) -> FrameSet:
    """Frames of coarse random colour, the same each time: every cell differs from its neighbours and in time."""
    drawn = np.random.default_rng(0).integers(0, 256, (count, height // BLOCK + 1, width // BLOCK + 1, 3), np.uint8)
    large = drawn.repeat(BLOCK, axis=1).repeat(BLOCK, axis=2)[:, :height, :width]
    images = [np.ascontiguousarray(image) for image in large]
    return FrameSet(tuple(Frame(SECONDS_PER_FRAME * index, image) for index, image in enumerate(images)), count)


def noise_episode(frames: FrameSet, rounds: int = 1) -> Episode:
    """An episode about `frames`, with a question of each task; its people say their lines `rounds` times."""
    utterances = _utterances(frames.times, rounds)
    return Episode(
        episode_id="noise",
        video=Video("noise", frames.width, frames.height),
        speakers=_SPEAKERS,
        utterances=utterances,
        boxes=tuple(box for time in frames.times for box in _boxes(time, frames.width, frames.height)),
        questions=_questions(utterances),
    )


def _utterances(times: Sequence[float], rounds: int) -> tuple[Utterance, ...]:
    """The lines, one after the other over the whole clip, so that they fall on different frames."""
    lines = _LINES * rounds
    step = (times[-1] + SECONDS_PER_FRAME) / len(lines)
    return tuple(
        Utterance(f"u{index}", step * index, step * (index + 1), text, speaker)
        for index, (speaker, text) in enumerate(lines)
    )


def _boxes(time: float, width: int, height: int) -> list[Box]:
    """Each speaker in a third of the frame, with a margin, moving down with time."""
    third, top = width / 3, height * (0.1 + 0.05 * time)
    return [
        Box(speaker.id, time, third * place + 0.1 * third, top, third * place + 0.9 * third, top + 0.6 * height)
        for place, speaker in enumerate(_SPEAKERS)
    ]


def _questions(utterances: Sequence[Utterance]) -> tuple[Question, ...]:
    """Four questions whose prompts have different lengths."""
    pronoun, name = utterances[1], utterances[5]
    return (
        Question("videoqa", "videoqa", text="Who has it now?", candidates=("Ana", "Ben", "Nobody", "All of them")),
        Question("target", "target", utterance=utterances[3].id),
        Question("coref", "coref", utterance=pronoun.id, span=_span(pronoun.text, "she")),
        Question("mentioned", "mentioned", utterance=name.id, span=_span(name.text, "Ana")),
    )


def _span(text: str, part: str) -> tuple[int, int]:
    start = text.index(part)
    return start, start + len(part)
