"""From a recording with what was said and seen to its episodes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from socialcli.converting.context import context
from socialcli.converting.footage import Footage
from socialcli.converting.report import Report
from socialcli.converting.subtitles import Line
from socialcli.episodes.records import Box, Episode, Question, Utterance, Video

from .asking import questions
from .diarization import Diarization
from .labels import Labels

UNKNOWN = "utterances whose speaker is not known"
LATE = "utterances dropped that begin after the video's end"


@dataclass(frozen=True, slots=True)
class Recording:
    """A video with everything known of it; boxes and utterances are in order of time."""

    name: str
    dataset: str
    footage: Footage
    length: float  # seconds to the last picture
    utterances: tuple[Utterance, ...]
    boxes: tuple[Box, ...]
    labels: Labels

    def episode(self) -> Episode:
        """All of it as one episode without questions."""
        return self._cut(self.name, self.utterances, self.boxes, (), None)

    def episodes(self, tasks: Collection[str], length: int, online: bool) -> Iterator[Episode]:
        """An episode for each utterance that `tasks` ask about, with `length` utterances before and after it."""
        moments = [box.time for box in self.boxes]
        names = self.labels.spoken_names()
        for place, utterance in enumerate(self.utterances):
            asked = tuple(questions(utterance, tasks, names, self.name))
            if asked:
                said = [self.utterances[one] for one in context(place, len(self.utterances), length, online)]
                end = utterance.end if online else max(one.end for one in said)
                clip = (said[0].start, end)
                seen = self.boxes[bisect_left(moments, clip[0]) : bisect_right(moments, clip[1])]
                shown = tuple(one for one in said if one.end <= end)
                yield self._cut(f"{self.name}/{utterance.id}", shown, seen, asked, clip)

    def _cut(
        self,
        name: str,
        utterances: tuple[Utterance, ...],
        boxes: tuple[Box, ...],
        asked: tuple[Question, ...],
        clip: tuple[float, float] | None,
    ) -> Episode:
        start, end = clip or (None, None)
        video = Video(self.footage.path, self.footage.width, self.footage.height, start=start, end=end)
        return Episode(name, video, self.labels.people(), utterances, boxes, asked, dataset=self.dataset)


def said(
    lines: Sequence[Line], labels: Labels, diarization: Diarization | None, length: float, report: Report
) -> tuple[Utterance, ...]:
    """The utterances of subtitles, cut at the video's end; whom no name in a line tells, the diarization does."""
    found = []
    for number, line in enumerate(lines, start=1):
        if line.start >= length:
            report.count(LATE)
            continue
        label = line.speaker
        if label is None and diarization is not None:
            label = diarization.speaker(line.start, line.end)
        speaker = None if label is None else labels.speaker(label, "utterances of", report)
        if speaker is None:
            report.count(UNKNOWN)
        found.append(Utterance(f"u{number}", line.start, min(line.end, length), line.text, speaker))
    return tuple(found)
