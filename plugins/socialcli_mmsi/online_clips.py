"""Create the episode of a row of OnlineMMSI, with boxes if MMSI's keypoints are given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from socialcli.converting.clip_media import ClipMedia, media_at
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite
from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video

from .keypoints import BoxRule, Keypoints
from .online import MOST_PLAYERS, Row, estimated_times, question_span
from .selection import TASKS
from .transcripts import display_text

MISSING = "clips whose video is missing"
UNPLACED = "clips without boxes because neither their name nor their video gives their length"
OTHERS = "boxes dropped of people who do not play (--players, or as the text says)"
_FAR = 10  # times the video's length: no clip is cut that badly
BEYOND = "clips without boxes because they begin after the last step of their game's keypoints"
_GAMES = 8  # games whose keypoints are held in memory


class GameKeypoints:
    """The keypoints of MMSI's games in `folder`; the pattern `name` finds a clip's game and seconds in its name."""

    def __init__(self, folder: Path, name: re.Pattern[str], box_rule: BoxRule, report: Report) -> None:
        """Read nothing yet; later, a few games' keypoints are held in memory."""
        self._folder = folder
        self._name = name
        self._box_rule = box_rule
        self.report = report
        self.keypoints = lru_cache(maxsize=_GAMES)(self._read)

    def place(self, row: Row, path: Path) -> _Place:
        """The place of a row's clip in its game; `path` is the row's file. Raises SourceError."""
        stem = Path(row.clip).stem
        found = self._name.fullmatch(stem)
        if found is None:
            message = f"{stem!r} does not match --clip-name {self._name.pattern}; use a pattern that does"
            raise SourceError(path, row.number, "video_name", message)
        groups = found.groupdict()
        try:
            start, end = (None if groups.get(one) is None else parse_finite(groups[one]) for one in ("start", "end"))
        except ValueError as error:
            message = f"{stem!r} does not have seconds where --clip-name expects them ({error})"
            raise SourceError(path, row.number, "video_name", message) from None
        return _Place(self, groups["game"] or "", start, end)

    def _read(self, game: str, size: tuple[int, int]) -> Keypoints:
        """The keypoints of a game, for pictures of `size` (width, height)."""
        return Keypoints(self._folder / f"{game}.npy", MOST_PLAYERS, size, self._box_rule, self.report)


@dataclass(frozen=True, slots=True)
class _Place:
    """The part of a game that a clip shows, in seconds; None for what its name does not give."""

    games: GameKeypoints
    game: str
    start: float | None
    end: float | None

    def check(self, length: float, row: Row, path: Path) -> None:
        """Raise SourceError if a clip of `length` seconds is far shorter than its name says."""
        if self.start is not None and self.end is not None and self.end - self.start > _FAR * length:
            message = (
                f"{row.clip!r} lasts {length:g} s instead of {self.end - self.start:g}: are the times in its name "
                "milliseconds or frames? name the clips with seconds"
            )
            raise SourceError(path, row.number, "video_name", message)

    def boxes(self, length: float, size: tuple[int, int]) -> Iterator[Box]:
        """The boxes of a clip of `length` seconds, in pixels of pictures of `size`, on the clip's own clock."""
        start = self.start if self.start is not None else (self.end or 0.0) - length
        keypoints = self.games.keypoints(self.game, size)
        if not keypoints.cover(start):
            self.games.report.count(BEYOND)
            self.games.report.boxes_read += 1  # at least
        for box in keypoints.between(start, start + length):
            yield replace(box, time=round(box.time - start, 6))


class ClipMaker:
    """Creates the episode of a row."""

    def __init__(
        self,
        kind: str,
        media_root: Path,
        size: tuple[int, int],
        players: int | None,
        games: GameKeypoints | None,
        report: Report,
    ) -> None:
        """Prepare for questions of a `kind` (STI, PCR, MPP). `players` per clip; None: as its row says."""
        self._kind = kind
        self._media_root = media_root
        self._size = size
        self._players = players
        self._games = games
        self._report = report

    def episode(self, row: Row, path: Path, split: str) -> Episode:
        """The episode of a row of `path`. Raises SourceError, VideoError."""
        media = media_at(path.parent / row.clip, self._media_root, self._size)
        if not media.found:
            self._report.count(MISSING)
        place = None if self._games is None else self._games.place(row, path)
        length = _length(media, place)
        if place is not None and length is not None:
            place.check(length, row, path)
        name = f"{split}/{Path(row.clip).with_suffix('').as_posix()}/{row.number}"
        utterances, span = self._utterances(row, path, length)
        question = Question(name, TASKS[self._kind], utterances[-1].id, span, answer=f"Player{row.answer}")
        players = self._players or row.players
        boxes = () if place is None else self._boxes(place, length, media, players)
        return Episode(
            episode_id=name,
            dataset="online-mmsi",
            split=split,
            video=Video(media.path, media.width, media.height),
            speakers=tuple(Speaker(f"Player{number}", f"Player {number}") for number in range(players)),
            utterances=utterances,
            boxes=boxes,
            questions=(question,),
        )

    def _utterances(
        self, row: Row, path: Path, length: float | None
    ) -> tuple[tuple[Utterance, ...], tuple[int, int] | None]:
        """The utterances, and the characters of the last one that the question is about."""
        spans = [None] * (len(row.said) - 1) + [question_span(row.said[-1][1], self._kind, path, row.number)]
        texts = [display_text(words, span) for (_, words), span in zip(row.said, spans, strict=True)]
        said = tuple(
            Utterance(f"u{place}", start, end, text, f"Player{player}")
            for place, ((player, _), (text, _), (start, end)) in enumerate(
                zip(row.said, texts, estimated_times(row.said, length), strict=True), start=1
            )
        )
        return said, texts[-1][1]

    def _boxes(self, place: _Place, length: float | None, media: ClipMedia, players: int) -> tuple[Box, ...]:
        """The boxes of the players; none if the length of the clip is unknown."""
        if length is None:
            self._report.count(UNPLACED)
            return ()
        names = {f"Player{number}" for number in range(players)}
        found = list(place.boxes(length, (media.width, media.height)))
        boxes = tuple(box for box in found if box.speaker in names)
        if len(boxes) < len(found):
            self._report.count(OTHERS, len(found) - len(boxes))
        return boxes


def _length(media: ClipMedia, place: _Place | None) -> float | None:
    """The length of a clip in seconds, from its video or else its name; None if neither gives it."""
    if media.length is not None:
        return media.length
    if place is not None and place.start is not None and place.end is not None and place.start < place.end:
        return place.end - place.start
    return None
