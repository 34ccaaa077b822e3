"""The episodes of an annotated recording: one for each window."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator

from socialcli.annotating.recording import Annotation
from socialcli.annotating.windows import Window, windows
from socialcli.converting.clip_media import ClipMedia
from socialcli.converting.questions import questions
from socialcli.episodes.records import Episode, Question, Speaker, Video

MOST_CANDIDATES = 26  # one letter each


def episodes_of(
    found: Annotation, name: str, media: ClipMedia, dataset: str, tasks: Collection[str], longest: float
) -> Iterator[Episode]:
    """An episode for each window of up to `longest` seconds, with unlabelled questions of `tasks`."""
    moments = [box.time for box in found.boxes]
    length = media.length or max(one.end for one in found.utterances)
    for number, window in enumerate(windows(found.utterances, length, longest), start=1):
        boxes = found.boxes[bisect_left(moments, window.start) : bisect_right(moments, window.end)]
        there = {one.speaker for one in window.utterances} | {box.speaker for box in boxes}
        speakers = tuple(one for one in found.speakers if one.id in there)
        yield Episode(
            f"{name}/{number}",
            Video(media.path, media.width, media.height, start=window.start, end=window.end),
            speakers,
            window.utterances,
            boxes,
            tuple(_questions(window, tasks, speakers, name)),
            dataset=dataset,
        )


def _questions(window: Window, tasks: Collection[str], speakers: Collection[Speaker], name: str) -> Iterator[Question]:
    names = [one.name for one in speakers if one.name is not None]
    for utterance in window.utterances:
        others = len(speakers) - (utterance.speaker is not None)
        for one in questions(utterance, tasks, names, name):
            if 1 <= (others if one.task == "target" else len(speakers)) <= MOST_CANDIDATES:
                yield one
