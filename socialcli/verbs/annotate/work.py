"""The work of `socialcli annotate`: one recording after the other, to one episodes file."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.annotating.episodes import episodes_of
from socialcli.annotating.recording import Annotation, Parts, Rules, annotate
from socialcli.converting.clip_media import media_at
from socialcli.converting.conversion import Conversion
from socialcli.converting.transcripts.reading import SUFFIXES, read_transcript
from socialcli.episodes.records import Episode
from socialcli.errors import InvalidInputError, NotFoundError, UsageError
from socialcli.perception.contract import PartOptions
from socialcli.perception.sight import Sight
from socialcli.plugins.registry import registry

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The names of the parts, and their weights."""

    detector: str
    detector_weights: str | None
    tracker: str
    voices: str
    active_speaker: str | None
    active_speaker_weights: Path | None
    rate: float  # frames a second in which people are looked for

    def load(self) -> Parts:
        """Load the parts. Raises UnknownNameError, MissingPackageError and CheckpointError."""
        known = registry()
        detector = known.detector(self.detector).item
        scores = None
        if self.active_speaker is not None:
            weights = None if self.active_speaker_weights is None else str(self.active_speaker_weights)
            scores = known.active_speaker(self.active_speaker).item.load(PartOptions(weights=weights))
        elif self.active_speaker_weights is not None:
            raise UsageError("--active-speaker-weights needs --active-speaker, the detector that they are of")
        return Parts(
            sight=Sight(
                finds=detector.finds,
                detect=detector.load(PartOptions(weights=self.detector_weights)),
                track=known.tracker(self.tracker).item.load(self.rate),
                rate=self.rate,
            ),
            voices=known.voice_analyser(self.voices).item.load(PartOptions()),
            scores=scores,
        )


def annotate_videos(
    conversion: Conversion,
    videos: Sequence[Path],
    subtitles: Path | None,
    chosen: Chosen,
    rules: Rules,
    *,
    tasks: Collection[str],
    dataset: str,
    window: float,
) -> None:
    """Annotate the videos and write their episodes. A video without a transcript stops the work before it begins.

    Raises UsageError, NotFoundError, InvalidInputError and VideoError.
    """
    if subtitles is not None and len(videos) > 1:
        raise UsageError("--subtitles is the transcript of one video; put those of several beside them, by their names")
    found = [(video, subtitles or _beside(video)) for video in videos]
    _check_names(videos)
    parts = chosen.load()

    def episodes() -> Iterator[Episode]:
        for video, transcript in found:
            with conversion.report.skipping_bad():
                media = media_at(video, conversion.media_root)
                lines = read_transcript(transcript, conversion.report, video=video)
                lines = [one for one in lines if media.length is None or one.start < media.length]
                if not lines:
                    raise InvalidInputError(
                        f"{transcript}: has no words within the video {video}; check that they match"
                    )
                annotation = annotate(video, lines, (media.width, media.height), parts, rules)
                _log_people(video, annotation)
                yield from episodes_of(annotation, video.stem, media, dataset, tasks, window)

    conversion.write(episodes())


def _beside(video: Path) -> Path:
    """The transcript with the video's name beside it."""
    if not video.is_file():
        raise NotFoundError(f"{video}: there is no such video file")
    for suffix in SUFFIXES:
        if (path := video.with_suffix(suffix)).is_file():
            return path
    raise UsageError(
        f"{video}: name its transcript with --subtitles, or put one beside it, such as {video.with_suffix('.srt').name}"
    )


def _check_names(videos: Sequence[Path]) -> None:
    """Raise UsageError where two videos would give episodes of one name."""
    stems = [video.stem for video in videos]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise UsageError(f"two videos are named {twice!r}, and so would be their episodes; rename one")


def _log_people(video: Path, found: Annotation) -> None:
    """What was found, for the user to check."""
    for person in found.people:
        _log.info(
            "%s: %s is on screen for %.1f s%s", video, person.speaker, person.seconds, _confidence(person.confidence)
        )
    unknown = sum(one.speaker is None for one in found.utterances)
    if unknown:
        _log.info("%s: %d of %d utterances have no speaker", video, unknown, len(found.utterances))


def _confidence(confidence: float) -> str:
    return f", and speaks with a confidence of {confidence:.2f}" if confidence else ", and says nothing"
