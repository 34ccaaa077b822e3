"""From a row of OnlineMMSI to its episode, with boxes where MMSI's keypoints are joined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from socialcli.converting.footage import Footage, footage_at
from socialcli.converting.report import Report, SourceError
from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video

from .keypoints import STEPS, Extents, read_boxes
from .online import Row, meant, timed
from .selection import TASKS
from .transcripts import shown

MISSING = "clips whose video is not there"
_MOST_PLAYERS = 99  # whoever has keypoints; the row says how many play


@dataclass(frozen=True, slots=True)
class Joined:
    """Where the keypoints of a clip are: `name` finds the game and its first or last second in the clip's name."""

    keypoints: Path
    name: re.Pattern[str]
    size: tuple[int, int]
    confidence: float
    margin: float


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
        self._boxes = lru_cache(maxsize=1)(self._read_boxes)  # rows of a game stand together

    def episode(self, row: Row, path: Path, split: str) -> Episode:
        """The episode of a row of `path`. Raises SourceError, UsageError, VideoError."""
        place = path.parent / row.clip
        footage = footage_at(place, self._media_root, self._size)
        if not footage.found:
            self._report.count(MISSING)
        name = f"{split}/{Path(row.clip).with_suffix('').as_posix()}/{row.number}"
        players = self._players or row.players
        spans = [None] * (len(row.said) - 1) + [meant(row.said[-1][1], self._kind, path, row.number)]
        texts = [shown(words, span) for (_, words), span in zip(row.said, spans, strict=True)]
        utterances = tuple(
            Utterance(f"u{place}", start, end, text, f"Player{player}")
            for place, ((player, _), (text, _), (start, end)) in enumerate(
                zip(row.said, texts, timed(row.said, footage.length), strict=True), start=1
            )
        )
        question = Question(name, TASKS[self._kind], utterances[-1].id, texts[-1][1], answer=f"Player{row.answer}")
        return Episode(
            episode_id=name,
            dataset="online-mmsi",
            split=split,
            video=Video(footage.path, footage.width, footage.height),
            speakers=tuple(Speaker(f"Player{number}", f"Player {number}") for number in range(players)),
            utterances=utterances,
            boxes=self._joined_boxes(row, path, footage, players),
            questions=(question,),
        )

    def _joined_boxes(self, row: Row, path: Path, footage: Footage, players: int) -> tuple[Box, ...]:
        """The boxes of a clip on its own clock."""
        if self._joined is None:
            return ()
        length = footage.length
        stem = Path(row.clip).stem
        found = self._joined.name.fullmatch(stem)
        if found is None:
            message = f"{stem!r} does not match --clip-name {self._joined.name.pattern}; give a pattern that does"
            raise SourceError(path, row.number, "video_name", message)
        groups = found.groupdict()
        if groups.get("start") is not None:
            start = float(groups["start"])
        elif length is not None:
            start = float(groups["end"]) - length
        else:
            message = "names when the clip ends, and the video is not there to tell its length; fetch the video"
            raise SourceError(path, row.number, "video_name", message)
        steps = self._boxes(groups["game"], (footage.width, footage.height))
        last = len(steps) / STEPS if length is None else start + length
        inside = range(max(0, -int(-start * STEPS // 1)), min(len(steps), int(last * STEPS + 1e-9) + 1))
        names = {f"Player{number}" for number in range(players)}
        return tuple(
            replace(box, time=round(step / STEPS - start, 6))
            for step in inside
            for box in steps[step]
            if box.speaker in names
        )

    def _read_boxes(self, game: str, size: tuple[int, int]) -> Sequence[tuple[Box, ...]]:
        joined = self._joined
        if joined is None:
            return ()
        extents = Extents(size, joined.size, joined.confidence, joined.margin)
        return read_boxes(joined.keypoints / f"{game}.npy", _MOST_PLAYERS, extents, self._report)
