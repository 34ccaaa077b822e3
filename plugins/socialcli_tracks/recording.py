"""Create the episodes of a recording."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from socialcli.converting.clip_media import ClipMedia
from socialcli.converting.diarization import Diarization, Turn
from socialcli.converting.questions import questions
from socialcli.converting.report import Report
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.utterances import context_window
from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video

from .boxes import TrackedBox
from .labels import Labels

UNKNOWN = "utterances whose speaker is unknown"
LATE = "utterances dropped because they begin after the video's end"
CUT = "utterances cut at the video's end"
LEAST_SECONDS = 0.1  # of an utterance: cues may have no length
MOST_CANDIDATES = 26  # one letter each


@dataclass(frozen=True, slots=True)
class Recording:
    """A video with its utterances, boxes and labels; boxes and utterances are in order of time.

    `lines`, `turns` and `tracks` are what its files say, before labels decide who that is.
    """

    name: str
    dataset: str
    video: Path
    media: ClipMedia
    utterances: tuple[Utterance, ...]
    boxes: tuple[Box, ...]
    labels: Labels
    lines: tuple[Line, ...]
    turns: tuple[Turn, ...]
    tracks: tuple[TrackedBox, ...]

    def episode(self) -> Episode:
        """The whole recording as one episode without questions."""
        return self._cut(self.name, self.labels.people(), self.utterances, self.boxes, (), None)

    def episodes(self, tasks: Collection[str], length: int, online: bool, report: Report) -> Iterator[Episode]:
        """An episode for each utterance with questions of `tasks`, with `length` utterances before and after it."""
        moments = [box.time for box in self.boxes]
        names = self.labels.spoken_names()
        for place, utterance in enumerate(self.utterances):
            found = list(questions(utterance, tasks, names, self.name))
            if not found:
                continue
            around = [self.utterances[one] for one in context_window(place, len(self.utterances), length, online)]
            end = utterance.end if online else max(one.end for one in around)
            said = tuple(replace(one, end=min(one.end, end)) for one in around)
            clip = (min(one.start for one in said), end)
            seen = self.boxes[bisect_left(moments, clip[0]) : bisect_right(moments, clip[1])]
            people = self._people(said, seen)
            asked = tuple(one for one in found if _can_be_asked(one, utterance, people, report))
            if asked:
                yield self._cut(f"{self.name}/{utterance.id}", people, said, seen, asked, clip)

    def _people(self, said: Sequence[Utterance], seen: Sequence[Box]) -> tuple[Speaker, ...]:
        """Everybody in the table; without one, everybody who speaks or is seen in the clip."""
        everybody = self.labels.people()
        if self.labels.given:
            return everybody
        there = {one.speaker for one in said} | {box.speaker for box in seen}
        return tuple(one for one in everybody if one.id in there)

    def _cut(
        self,
        name: str,
        people: tuple[Speaker, ...],
        utterances: tuple[Utterance, ...],
        boxes: tuple[Box, ...],
        asked: tuple[Question, ...],
        clip: tuple[float, float] | None,
    ) -> Episode:
        start, end = clip or (None, None)
        video = Video(self.media.path, self.media.width, self.media.height, start=start, end=end)
        return Episode(name, video, people, utterances, boxes, asked, dataset=self.dataset)


def _can_be_asked(question: Question, utterance: Utterance, people: Sequence[Speaker], report: Report) -> bool:
    """Whether there are people to choose from; if not, the question is counted as dropped."""
    number = len(people) - (question.task == "target" and utterance.speaker in {one.id for one in people})
    if 1 <= number <= MOST_CANDIDATES:
        return True
    report.count(
        f"questions of {question.task} dropped because they have {number} candidates instead of 1 to {MOST_CANDIDATES}"
    )
    return False


def read_utterances(
    lines: Sequence[Line], labels: Labels, diarization: Diarization | None, length: float, report: Report
) -> tuple[Utterance, ...]:
    """The utterances of subtitles, cut at the video's end; speakers come from a line's label or the diarization."""
    found = []
    for number, line in enumerate(lines, start=1):
        if line.start >= length:
            report.count(LATE)
            continue
        label = None if line.speaker is None or labels.is_nobody(line.speaker) else line.speaker
        if label is None and diarization is not None:
            label = diarization.speaker(line.start, line.end)
        speaker = None if label is None else labels.speaker(label, "utterances of", report)
        if speaker is None:
            report.count(UNKNOWN)
        end = max(line.end, line.start + LEAST_SECONDS)
        if end > length:
            report.count(CUT)
        found.append(Utterance(f"u{number}", line.start, min(end, length), line.text, speaker))
    return tuple(found)
