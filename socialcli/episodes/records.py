"""An episode in memory: one clip with its people, words, boxes and questions.

All times are seconds on the clock of the video file (see `socialcli.video`); all boxes are pixels of the
original frame, x to the right and y down. `schemas/episode.schema.json` says the same for files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Video:
    """Where the clip is: `path` is relative to the media root, a video file or a folder of images."""

    path: str
    width: int  # pixels, as displayed (rotation applied)
    height: int
    start: float | None = None  # seconds; None: the beginning of the file
    end: float | None = None  # seconds; None: the end of the file
    fps: float | None = None  # images per second, for a folder of images only


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person of the clip."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words said from `start` to `end` seconds; `speaker` is None if unknown."""

    id: str
    start: float
    end: float
    text: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """Where a speaker is seen at one moment, in pixels of the original frame."""

    speaker: str
    time: float
    x0: float
    y0: float
    x1: float
    y1: float


def place_of(
    answer: str | None, index: int | None, candidates: Sequence[str] | None, lettered: Sequence[str]
) -> int | None:
    """The place of an answer in `lettered`: its `index`, if these are the `candidates` it counts; else by text."""
    if answer is None:
        return None
    if index is not None and tuple(lettered) == candidates:
        return index
    return lettered.index(answer) if lettered.count(answer) == 1 else None


@dataclass(frozen=True, slots=True)
class Question:
    """One question about the clip; `span` is [start, end) in characters of its utterance's text.

    `answer` is the text of the gold candidate. `answer_index` is its place among the candidates, counted from 0; it is
    set only if several candidates have the same text as the answer.
    """

    id: str
    task: str
    utterance: str | None = None
    span: tuple[int, int] | None = None
    text: str | None = None
    candidates: tuple[str, ...] | None = None
    answer: str | None = None
    answer_index: int | None = None

    def place_of_answer(self, lettered: Sequence[str]) -> int | None:
        """The place of the gold answer among the candidates, given their ids in the order a task letters them.

        None if the question is unlabelled, or if neither place nor text identifies a single candidate.
        """
        return place_of(self.answer, self.answer_index, self.candidates, lettered)


@dataclass(frozen=True, slots=True)
class Episode:
    """One clip with its people, words, boxes and questions."""

    episode_id: str
    video: Video
    speakers: tuple[Speaker, ...]
    utterances: tuple[Utterance, ...]
    boxes: tuple[Box, ...]
    questions: tuple[Question, ...]
    dataset: str | None = None
    split: str | None = None
    schema_version: str = SCHEMA_VERSION

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Episode:
        """Build an episode from a record that has passed `socialcli.episodes.checking.record`.

        Absent and null fields mean the same, and so do 1 and 1.0, so equal records from JSONL and Parquet files give
        equal episodes. A gold answer given by text, by place or by both gives the same episode, too. Raises KeyError or
        TypeError for a record that was not checked.
        """
        return cls(
            episode_id=record["episode_id"],
            video=Video(**_fields(record["video"])),
            speakers=tuple(Speaker(**_fields(item)) for item in record["speakers"]),
            utterances=tuple(Utterance(**_fields(item)) for item in record["utterances"]),
            boxes=tuple(Box(**_fields(item)) for item in record["boxes"]),
            questions=tuple(_question(item) for item in record["questions"]),
            dataset=record.get("dataset"),
            split=record.get("split"),
            schema_version=record["schema_version"],
        )

    def to_record(self) -> dict[str, Any]:
        """The episode as a JSON object, fields in the schema's order, without those that are None."""
        return {
            "schema_version": self.schema_version,
            "episode_id": self.episode_id,
            **_present({"dataset": self.dataset, "split": self.split}),
            "video": _present(asdict(self.video)),
            "speakers": [_present(asdict(item)) for item in self.speakers],
            "utterances": [_present(asdict(item)) for item in self.utterances],
            "boxes": [asdict(item) for item in self.boxes],
            "questions": [_present(asdict(item)) for item in self.questions],
        }


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("start", "end", "fps", "time", "x0", "y0", "x1", "y1"), float),
    **dict.fromkeys(("width", "height", "answer_index"), int),
    "span": lambda span: (int(span[0]), int(span[1])),
    "candidates": tuple,
}


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _CONVERSIONS[name](value) if name in _CONVERSIONS else value
        for name, value in item.items()
        if value is not None
    }


def _question(item: Mapping[str, Any]) -> Question:
    """A question whose answer is normalized: as text, with its place only if the text is ambiguous."""
    fields = _fields(item)
    place = fields.get("answer_index")
    if place is not None:
        fields["answer"] = fields["candidates"][place]
        if fields["candidates"].count(fields["answer"]) == 1:
            del fields["answer_index"]
    return Question(**fields)


def _present(item: Mapping[str, Any]) -> dict[str, Any]:
    """`item` without nulls, with tuples as lists."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in item.items() if value is not None
    }
