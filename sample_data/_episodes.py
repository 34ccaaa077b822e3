"""Create an episode's record from a script: people become numbered speakers, words become spans."""

from __future__ import annotations

import re
from typing import Any

from _clips import Spoken, boxes, spoken_lines
from _dialogues import Ask, Scene
from _rooms import HEIGHT, WIDTH


def episode_record(scene: Scene) -> dict[str, Any]:
    """The episode of a scene, in the form of `schemas/episode.schema.json`."""
    ids = {place.name: f"speaker{number}" for number, place in enumerate(scene.cast, start=1)}
    video: dict[str, Any] = {"path": f"videos/{scene.id}.mp4", "width": WIDTH, "height": HEIGHT}
    if scene.window is not None:
        video["start"], video["end"] = scene.window
    return {
        "schema_version": "1.0",
        "episode_id": scene.id,
        "dataset": "sample",
        "split": scene.split,
        "video": video,
        "speakers": [{"id": ids[name], "name": name} if name in scene.named else {"id": ids[name]} for name in ids],
        "utterances": [_utterance(index, said, ids) for index, said in enumerate(spoken_lines(scene))],
        "boxes": [
            {"speaker": ids[name], "time": time} | dict(zip(("x0", "y0", "x1", "y1"), map(float, edges), strict=True))
            for time, name, edges in boxes(scene)
        ],
        "questions": _questions(scene, ids),
    }


def _utterance(index: int, said: Spoken, ids: dict[str, str]) -> dict[str, Any]:
    speaker = {"speaker": ids[said.line.by]} if said.line.by is not None else {}
    return {"id": _utterance_id(index), **speaker, "start": said.start, "end": said.end, "text": said.line.text}


def _utterance_id(index: int) -> str:
    return f"u{index + 1}"


def _questions(scene: Scene, ids: dict[str, str]) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    questions = []
    for ask in scene.asks:
        counts[ask.task] = counts.get(ask.task, 0) + 1
        questions.append({"id": f"{scene.id}/{ask.task}-{counts[ask.task]}", **_question(scene, ask, ids)})
    return questions


def _question(scene: Scene, ask: Ask, ids: dict[str, str]) -> dict[str, Any]:
    question: dict[str, Any] = {"task": ask.task}
    if ask.line is not None:
        question["utterance"] = _utterance_id(ask.line)
        if ask.word is not None:
            question["span"] = _span(scene.lines[ask.line].text, ask.word)
    if ask.candidates:
        question["text"] = ask.text
        question["candidates"] = list(ask.candidates)
    if ask.known and ask.answer is not None:
        question["answer"] = ask.answer if ask.candidates else ids[ask.answer]
    return question


def _span(text: str, word: str) -> list[int]:
    """The place of a word in a text, [start, end) in characters. Raises ValueError unless it occurs exactly once."""
    found = list(re.finditer(rf"\b{re.escape(word)}\b", text))
    if len(found) != 1:
        raise ValueError(f"{word!r} occurs {len(found)} times in {text!r}")
    return list(found[0].span())
