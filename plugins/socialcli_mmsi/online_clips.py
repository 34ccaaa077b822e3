"""From a row of OnlineMMSI to its episode, with boxes where MMSI's keypoints are joined."""

from __future__ import annotations

import re
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
_GAMES = 8  # whose keypoints are in memory at a time


@dataclass(frozen=True, slots=True)
class Joined:
    """Where the keypoints of a clip are: `name` finds the game and its first or last second in the clip's name."""

    keypoints: Path
    name: re.Pattern[str]
    extents: Extents


@dataclass(frozen=True, slots=True)
class _Place:
    """Which part of which game a clip is, in seconds; None for what its name does not say."""

    game: str
    start: float | None
    end: float | None


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
        self._keypoints = lru_cache(maxsize=_GAMES)(self._read_keypoints)

    def episode(self, row: Row, path: Path, split: str) -> Episode:
        """The episode of a row of `path`. Raises SourceError, VideoError."""
        footage = footage_at(path.parent / row.clip, self._media_root, self._size)
        if not footage.found:
            self._report.count(MISSING)
        place = None if self._joined is None else self._place(row, path, self._joined.name)
        length = _length(footage, place)
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

    def _place(self, row: Row, path: Path, name: re.Pattern[str]) -> _Place:
        stem = Path(row.clip).stem
        found = name.fullmatch(stem)
        if found is None:
            message = f"{stem!r} does not match --clip-name {name.pattern}; give a pattern that does"
            raise SourceError(path, row.number, "video_name", message)
        groups = found.groupdict()
        try:
            start, end = (None if groups.get(one) is None else finite(groups[one]) for one in ("start", "end"))
        except ValueError as error:
            message = f"{stem!r} does not name seconds where --clip-name finds them ({error})"
            raise SourceError(path, row.number, "video_name", message) from None
        return _Place(groups["game"] or "", start, end)

    def _boxes(self, place: _Place, length: float | None, footage: Footage, players: int) -> tuple[Box, ...]:
        """The boxes of a clip on its own clock."""
        if length is None:
            self._report.count(UNPLACED)
            return ()
        start = place.start if place.start is not None else (place.end or 0.0) - length
        keypoints = self._keypoints(place.game, (footage.width, footage.height))
        names = {f"Player{number}" for number in range(players)}
        found = keypoints.between(start, start + length)
        return tuple(replace(box, time=round(box.time - start, 6)) for box in found if box.speaker in names)

    def _read_keypoints(self, game: str, size: tuple[int, int]) -> Keypoints:
        assert self._joined is not None
        file = self._joined.keypoints / f"{game}.npy"
        return Keypoints(file, MOST_PLAYERS, size, self._joined.extents, self._report)


def _length(footage: Footage, place: _Place | None) -> float | None:
    """How long a clip is: as its video says, else its name; None where neither does."""
    if footage.length is not None:
        return footage.length
    if place is not None and place.start is not None and place.end is not None and place.start < place.end:
        return place.end - place.start
    return None
