"""Create the episode of a TVQA+ clip from its questions, subtitles and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from socialcli.converting.clip_media import ClipMedia, MediaFolder
from socialcli.converting.labels import known_name
from socialcli.converting.report import Report
from socialcli.converting.transcripts.lines import Line
from socialcli.episodes.records import Box, Episode, Speaker, Utterance, Video

from .annotations import SIZE, AnnotatedQuestion, people_boxes
from .people import People
from .subtitles import Subtitles

MISSING = "clips whose pictures are missing"
UNKNOWN = "lines whose speaker the subtitles do not name"


@dataclass(frozen=True, slots=True)
class ClipMaker:
    """Creates the episode of a clip."""

    media_folder: MediaFolder
    subtitles: Subtitles
    frame_rate: float | None  # images per second, if clips are folders of images
    split: str | None
    persons: Sequence[str]  # names of people besides the cast and the subtitles' speakers
    report: Report
    source: tuple[int, int] = SIZE  # width and height of the pictures that the boxes refer to

    def episode(self, clip: str, asked: Sequence[AnnotatedQuestion]) -> Episode:
        """The episode of a clip, with all its questions. Raises SourceError, VideoError."""
        media = self.media_folder.find(clip)
        lines = self.subtitles.of(clip)
        people = People((name for line in lines if (name := known_name(line.speaker))), self.persons)
        utterances = self._utterances(lines, people)
        boxes = people_boxes(asked, people, (media.width, media.height), self.source, self.report)
        if not media.found:
            self.report.count(MISSING)
        return Episode(
            episode_id=clip,
            dataset="tvqa-plus",
            split=self.split,
            video=self._video(media),
            speakers=_speakers(utterances, boxes),
            utterances=tuple(utterances),
            boxes=tuple(boxes),
            questions=tuple(one.question for one in asked),
        )

    def _video(self, media: ClipMedia) -> Video:
        return Video(media.path, media.width, media.height, fps=self.frame_rate)

    def _utterances(self, lines: Iterable[Line], people: People) -> list[Utterance]:
        found = []
        for number, line in enumerate(lines, start=1):
            name = people.who(line.speaker) if line.speaker else None
            if name is None:
                self.report.count(UNKNOWN)
            found.append(Utterance(f"u{number}", line.start, line.end, line.text, name))
        return found


def _speakers(utterances: Iterable[Utterance], boxes: Iterable[Box]) -> tuple[Speaker, ...]:
    """Everybody who speaks or is seen; those who speak come first, in order of speaking."""
    speaking = [one.speaker for one in utterances if one.speaker is not None]
    names = dict.fromkeys([*speaking, *(box.speaker for box in boxes)])
    return tuple(Speaker(name, name) for name in names)
