"""Pairs the videos of two episodes files and reads both annotations of each, one recording in memory at a time.

Each file is read twice: for its videos, and for their episodes. Files that list the videos in the same order are
streamed; otherwise the episodes in between stay in memory until they are needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from socialcli.agreement.annotation import Annotation, joined_annotation
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.errors import InvalidInputError

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """What an episodes file holds."""

    path: Path
    last_rows: Mapping[str, int]  # by video: the row of its last episode, in the order of these rows
    videos: Mapping[str, str]  # by episode id
    problems: tuple[str, ...]  # of rows that cannot be read: the first message of each

    @classmethod
    def read(cls, path: Path) -> Contents:
        """Read a file. Raises NotFoundError if there is none, InvalidInputError if it cannot be read as a whole."""
        last_rows: dict[str, int] = {}
        videos: dict[str, str] = {}
        problems: list[str] = []
        for row in read_episodes(path, str(path)):
            if row.episode is None:
                problems += [problem.located(row.source_name) for problem in row.problems[:1]]
                continue
            video = _video(row.episode)
            last_rows[video] = row.row
            videos[row.episode.episode_id] = video
        return cls(path, dict(sorted(last_rows.items(), key=lambda item: item[1])), videos, tuple(problems))

    def warnings(self) -> list[str]:
        """A warning about rows that cannot be read, if there are any."""
        if not self.problems:
            return []
        count = len(self.problems)
        return [
            f"{count} {'row' if count == 1 else 'rows'} of {self.path} cannot be read and "
            f"{'is' if count == 1 else 'are'} left out; `socialcli validate` lists the problems; the first: "
            f"{self.problems[0]}"
        ]


def paired_videos(reference: Contents, other: Contents) -> dict[str, str]:
    """The video of `other` that each video of the reference is, in the reference's order.

    Videos are the same if their paths are; if not, where each file has a single one of that file name; if not, where
    their episodes have ids in common.
    """
    pairs = {video: video for video in reference.last_rows if video in other.last_rows}
    for same in (_same_names, _same_episodes):
        left = [video for video in reference.last_rows if video not in pairs]
        taken = set(pairs.values())
        pairs |= same(reference, other, left, [video for video in other.last_rows if video not in taken])
    return {video: pairs[video] for video in reference.last_rows if video in pairs}


def unpaired_warnings(reference: Contents, other: Contents, pairs: Mapping[str, str]) -> list[str]:
    """Warnings about videos that one file alone has."""
    found = set(pairs.values())
    sides = (
        ([video for video in reference.last_rows if video not in pairs], reference, other),
        ([video for video in other.last_rows if video not in found], other, reference),
    )
    return [
        f"{len(alone)} of {len(here.last_rows)} videos of {here.path} are not in {there.path} and are left out: "
        f"{named(alone)}"
        for alone, here, there in sides
        if alone
    ]


def annotation_pairs(
    reference: Contents, other: Contents, pairs: Mapping[str, str]
) -> Iterator[tuple[Annotation, Annotation]]:
    """Both annotations of each pair of videos. Raises as `Contents.read` does."""
    of_reference, of_other = _Reader(reference, set(pairs)), _Reader(other, set(pairs.values()))
    for video, same in pairs.items():
        yield of_reference.annotation(video), of_other.annotation(same)


def named(videos: list[str]) -> str:
    """The first few of some videos, for a message."""
    return ", ".join([*videos[:_MOST_NAMED], *(["..."] if len(videos) > _MOST_NAMED else [])])


class _Reader:
    """Reads a file up to the last episode of one video after the other."""

    def __init__(self, contents: Contents, videos: Set[str]) -> None:
        """`videos` are those that will be read; the others are not kept."""
        self._contents, self._videos = contents, videos
        self._rows = read_episodes(contents.path)
        self._row = 0
        self._waiting: dict[str, list[Episode]] = {}

    def annotation(self, video: str) -> Annotation:
        """The annotation of a video, each video once. Raises InvalidInputError if the file no longer holds it."""
        while self._row < self._contents.last_rows[video] and (row := next(self._rows, None)) is not None:
            self._row = row.row
            if row.episode is not None and _video(row.episode) in self._videos:
                episode = replace(row.episode, questions=())  # they may be most of it
                self._waiting.setdefault(_video(episode), []).append(episode)
        if video not in self._waiting:
            raise InvalidInputError(f"{self._contents.path}: changed while it was read; run the command again")
        return joined_annotation(video, self._waiting.pop(video))


def _video(episode: Episode) -> str:
    return str(PurePosixPath(episode.video.path))


def _same_names(reference: Contents, other: Contents, left: list[str], free: list[str]) -> dict[str, str]:
    counts = [Counter(PurePosixPath(video).name for video in one.last_rows) for one in (reference, other)]
    by_name = {PurePosixPath(video).name: video for video in free}
    names = {video: PurePosixPath(video).name for video in left}
    return {
        video: by_name[name]
        for video, name in names.items()
        if name in by_name and all(count[name] == 1 for count in counts)
    }


def _same_episodes(reference: Contents, other: Contents, left: list[str], free: list[str]) -> dict[str, str]:
    alone = set(left), set(free)
    links = {(video, other.videos.get(episode_id)) for episode_id, video in reference.videos.items()}
    links = {(video, same) for video, same in links if video in alone[0] and same in alone[1]}
    counts = [Counter(link[side] for link in links) for side in (0, 1)]
    return {video: same for video, same in links if same and counts[0][video] == 1 and counts[1][same] == 1}
