"""Clips and episodes for benchmarks: H.264, 640x360, 25 frames per second, four people who talk, boxes, questions.

The pictures have the grain and motion of filmed material, so that decoding costs as much as usual.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from socialcli.episodes.writing import EpisodeWriter

WIDTH, HEIGHT, FPS = 640, 360, 25
BOXES_A_SECOND = 5
PEOPLE = ("anna", "ben", "carla", "david")
LINES = (
    ("anna", "Ben, did you bring the tickets for tonight?"),
    ("ben", "No, I gave them to Carla before lunch."),
    ("carla", "To me? I put them on the table, next to his keys."),
    ("david", "They are not there. Did Anna look in her bag?"),
    ("ben", "Then ask David, he was the last one in the kitchen."),
    ("david", "I only made some tea, and she saw me do it."),
)
QUIZ = (
    ("What is everybody looking for?", ("The tickets", "The keys", "A book", "A cup of tea")),
    ("Where are the tickets said to be?", ("On the table", "In the bag", "In the kitchen", "At home")),
    ("Who made some tea?", ("Speaker 4", "Speaker 1", "Speaker 2", "Nobody")),
    ("What lies next to the tickets?", ("The keys", "A book", "A cup", "A jacket")),
    ("Where did they go last?", ("The kitchen", "The garden", "The street", "Nowhere")),
)
MIXED = (  # task, line, word of the span, answer
    ("mentioned", 1, "Carla", "carla"),
    ("coref", 4, "he", "david"),
    ("target", 0, None, "ben"),
    ("mentioned", 3, "Anna", "anna"),
    ("coref", 5, "she", "anna"),
)

Kind = Literal["videoqa", "mixed"]


def write_episodes(folder: Path, name: str, clips: int, kind: Kind, questions: int, seconds: float = 8.0) -> Path:
    """Write `name`.jsonl to `folder`, with `clips` clips of `questions` questions each. Existing videos are reused."""
    path = folder / f"{name}.jsonl"
    with EpisodeWriter(path) as writer:
        for number in range(clips):
            video = folder / f"clip-{number}.mp4"
            if not video.exists():
                write_video(video, seconds, seed=number)
            writer.write(episode_record(f"clip-{number}", video.name, kind, questions, seconds))
    return path


def write_video(path: Path, seconds: float, seed: int) -> None:
    """Encode a clip: a textured room with a panning camera, swaying people, and grain."""
    rng = np.random.default_rng(seed)
    room = _texture(rng, WIDTH + 200, HEIGHT)
    people = [_texture(rng, right - left, bottom - top) for left, top, right, bottom in map(_place, PEOPLE)]
    grain = rng.normal(0, 4, (16, HEIGHT, WIDTH, 1))
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(round(seconds * FPS)):
            pan = round(100 + 90 * np.sin(index / 40))
            picture = room[:, pan : pan + WIDTH].copy()
            for person, pixels in zip(PEOPLE, people, strict=True):
                left, top, right, bottom = map(round, _box(person, index / FPS))
                picture[top:bottom, left:right] = pixels
            noisy = np.clip(picture + grain[index % 16], 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
        container.mux(stream.encode())


def _texture(rng: np.random.Generator, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Smooth colour with some detail, (height, width, 3)."""
    coarse = rng.integers(40, 216, (max(height // 40, 2), max(width // 40, 2), 3), dtype=np.uint8)
    fine = rng.normal(0, 6, (height, width, 1)).cumsum(axis=1) % 24
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float64)
    pixels: npt.NDArray[np.uint8] = np.clip(smooth + fine - 12, 0, 255).astype(np.uint8)
    return pixels


def _place(person: str) -> tuple[int, int, int, int]:
    """A person's place at rest: left, top, right and bottom in pixels."""
    left = 30 + 155 * PEOPLE.index(person)
    return left, 80, left + 110, HEIGHT - 20


def _box(person: str, time: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = _place(person)
    sway = round(15 * np.sin(2 * time + PEOPLE.index(person)), 2)
    return left + sway, top, right + sway, bottom


def episode_record(name: str, video: str, kind: Kind, questions: int, seconds: float) -> dict[str, Any]:
    """An episode in the form of `schemas/episode.schema.json`, with 20 boxes per second."""
    pause = seconds / len(LINES)
    asked = _questions(kind, questions)
    times = [index / BOXES_A_SECOND for index in range(round(seconds * BOXES_A_SECOND))]
    return {
        "schema_version": "1.0",
        "episode_id": name,
        "video": {"path": video, "width": WIDTH, "height": HEIGHT},
        "speakers": [{"id": person} for person in PEOPLE],
        "utterances": [
            {"id": f"u{index}", "speaker": by, "start": index * pause, "end": (index + 0.9) * pause, "text": text}
            for index, (by, text) in enumerate(LINES)
        ],
        "boxes": [
            {"speaker": person, "time": time, **dict(zip(("x0", "y0", "x1", "y1"), _box(person, time), strict=True))}
            for time in times
            for person in PEOPLE
        ],
        "questions": [{**question, "id": f"{name}/{index}"} for index, question in enumerate(asked)],
    }


def _questions(kind: Kind, count: int) -> list[dict[str, Any]]:
    if kind == "videoqa":
        return [
            {"task": "videoqa", "text": text, "candidates": list(options), "answer": options[0]}
            for text, options in QUIZ[:count]
        ]
    return [_mixed(*question) for question in MIXED[:count]]


def _mixed(task: str, line: int, word: str | None, answer: str) -> dict[str, Any]:
    question = {"task": task, "utterance": f"u{line}", "answer": answer}
    if word is None:
        return question
    start = LINES[line][1].index(f" {word} ") + 1
    return {**question, "span": [start, start + len(word)]}
