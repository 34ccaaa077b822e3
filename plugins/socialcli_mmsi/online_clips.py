"""From a row of OnlineMMSI to its episode, with boxes where MMSI's keypoints are joined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from socialcli.converting.footage import Footage, footage_at
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import finite
from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video

from .keypoints import Extents, Keypoints
from .online import MOST_PLAYERS, Row, meant, timed
from .selection import TASKS
from .transcripts import shown

MISSING = "clips whose video is not there"
UNPLACED = "clips without boxes, since neither their name nor their video tells how long they are"
OTHERS = "boxes dropped of players beyond those who play (--players, or as the text says)"
_FAR = 10  # times as long as its video: no clip is cut so badly
BEYOND = "clips without boxes, since they begin after the last step of their game's keypoints"
_GAMES = 8  # whose keypoints are in memory at a time


class Joined:
    """The keypoints of MMSI's games, in `folder`; `name` finds a clip's game and seconds in its name."""

    def __init__(self, folder: Path, name: re.Pattern[str], extents: Extents, report: Report) -> None:
        """Read nothing yet; a few games' keypoints stay in memory."""
        self._folder = folder
        self._name = name
        self._extents = extents
        self.report = report
        self.keypoints = lru_cache(maxsize=_GAMES)(self._read)

    def place(self, row: Row, path: Path) -> _Place:
        """Where the clip of a row of `path` is in its game. Raises SourceError."""
        stem = Path(row.clip).stem
        found = self._name.fullmatch(stem)
        if found is None:
            message = f"{stem!r} does not match --clip-name {self._name.pattern}; give a pattern that does"
            raise SourceError(path, row.number, "video_name", message)
        groups = found.groupdict()
        try:
            start, end = (None if groups.get(one) is None else finite(groups[one]) for one in ("start", "end"))
        except ValueError as error:
            message = f"{stem!r} does not name seconds where --clip-name finds them ({error})"
            raise SourceError(path, row.number, "video_name", message) from None
        return _Place(self, groups["game"] or "", start, end)

    def _read(self, game: str, size: tuple[int, int]) -> Keypoints:
        """The keypoints of a game, for pictures of `size` (width, height)."""
        return Keypoints(self._folder / f"{game}.npy", MOST_PLAYERS, size, self._extents, self.report)


@dataclass(frozen=True, slots=True)
class _Place:
    """Which part of which game a clip is, in seconds; None for what its name does not say."""

    joined: Joined
    game: str
    start: float | None
    end: float | None

    def check(self, length: float, row: Row, path: Path) -> None:
        """Raise SourceError where a clip of `length` seconds is far too short for what its name says."""
        if self.start is not None and self.end is not None and self.end - self.start > _FAR * length:
            message = (
                f"{row.clip!r} lasts {length:g} s, and not {self.end - self.start:g}: are the times in its name "
                "milliseconds or frames? name the clips with seconds"
            )
            raise SourceError(path, row.number, "video_name", message)

    def boxes(self, length: float, size: tuple[int, int]) -> Iterator[Box]:
        """The boxes of a clip of `length` seconds, in pixels of pictures of `size`, on the clip's own clock."""
        start = self.start if self.start is not None else (self.end or 0.0) - length
        keypoints = self.joined.keypoints(self.game, size)
        if not keypoints.reach(start):
            self.joined.report.count(BEYOND)
            self.joined.report.boxes_met += 1  # at least
        for box in keypoints.between(start, start + length):
            yield replace(box, time=round(box.time - start, 6))


class ClipMaker:
    """Makes the episode of a row."""

    def __init__(
        self,
        kind: str,
        media_root: Path,
        size: tuple[int, int],
        players: int | None,
        joined: Joined | None,
        report: Report,
    ) -> None:
        """Prepare for questions of a `kind` (STI, PCR, MPP). `players` play in each clip; None: as its row says."""
        self._kind = kind
        self._media_root = media_root
        self._size = size
        self._players = players
        self._joined = joined
        self._report = report

    def episode(self, row: Row, path: Path, split: str) -> Episode:
        """The episode of a row of `path`. Raises SourceError, VideoError."""
        footage = footage_at(path.parent / row.clip, self._media_root, self._size)
        if not footage.found:
            self._report.count(MISSING)
        place = None if self._joined is None else self._joined.place(row, path)
        length = _length(footage, place)
        if place is not None and length is not None:
            place.check(length, row, path)
        name = f"{split}/{Path(row.clip).with_suffix('').as_posix()}/{row.number}"
        utterances, span = self._utterances(row, path, length)
        question = Question(name, TASKS[self._kind], utterances[-1].id, span, answer=f"Player{row.answer}")
        players = self._players or row.players
        boxes = () if place is None else self._boxes(place, length, footage, players)
        return Episode(
            episode_id=name,
            dataset="online-mmsi",
            split=split,
            video=Video(footage.path, footage.width, footage.height),
            speakers=tuple(Speaker(f"Player{number}", f"Player {number}") for number in range(players)),
            utterances=utterances,
            boxes=boxes,
            questions=(question,),
        )

    def _utterances(
        self, row: Row, path: Path, length: float | None
    ) -> tuple[tuple[Utterance, ...], tuple[int, int] | None]:
        """What is said, and the characters of the last utterance that are asked about."""
        spans = [None] * (len(row.said) - 1) + [meant(row.said[-1][1], self._kind, path, row.number)]
        texts = [shown(words, span) for (_, words), span in zip(row.said, spans, strict=True)]
        said = tuple(
            Utterance(f"u{place}", start, end, text, f"Player{player}")
            for place, ((player, _), (text, _), (start, end)) in enumerate(
                zip(row.said, texts, timed(row.said, length), strict=True), start=1
            )
        )
        return said, texts[-1][1]

    def _boxes(self, place: _Place, length: float | None, footage: Footage, players: int) -> tuple[Box, ...]:
        """The boxes of those who play; none where the length of the clip is not known."""
        if length is None:
            self._report.count(UNPLACED)
            return ()
        names = {f"Player{number}" for number in range(players)}
        found = list(place.boxes(length, (footage.width, footage.height)))
        boxes = tuple(box for box in found if box.speaker in names)
        if len(boxes) < len(found):
            self._report.count(OTHERS, len(found) - len(boxes))
        return boxes


def _length(footage: Footage, place: _Place | None) -> float | None:
    """How long a clip is: as its video says, else its name; None where neither does."""
    if footage.length is not None:
        return footage.length
    if place is not None and place.start is not None and place.end is not None and place.start < place.end:
        return place.end - place.start
    return None
