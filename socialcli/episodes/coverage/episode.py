"""The coverage of one episode according to its annotation alone, without video or model.

An utterance is near a box if its speaker has a box in the clip within `max_gap` seconds of it. Once frames are sampled,
an utterance is covered if some visual token shows its speaker in the utterance's frames (`socialcli.alignment.plan`).
The two differ if no sampled frame is near the box, if the frame used for the utterance lies outside it, or if the
model does not see that part of the picture.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.episodes.records import Episode
from socialcli.episodes.tracks import MAX_GAP, ROUNDING
from socialcli.words.spelling import folded


@dataclass(frozen=True, slots=True)
class EpisodeCoverage:
    """The coverage of one episode. Labels are speakers' ids, each once, in order of mention."""

    episode_id: str
    utterances: int
    unknown: int  # utterances with an unknown speaker
    near: int  # utterances that are near a box of their speaker
    boxes: int  # in the clip
    without_box: tuple[str, ...]  # speakers who say something and have no box
    elsewhere: tuple[str, ...]  # speakers who have boxes, but none near anything that they say
    without_speaker: tuple[str, ...]  # labels of boxes whose speaker says nothing

    def as_record(self) -> dict[str, Any]:
        """The counts and labels as JSON values."""
        return {
            "episode_id": self.episode_id,
            "utterances": self.utterances,
            "unknown_speaker": self.unknown,
            "near_box": self.near,
            "labels_without_box": list(self.without_box),
            "labels_elsewhere": list(self.elsewhere),
            "labels_without_speaker": list(self.without_speaker),
        }


def annotated_coverage(episode: Episode, max_gap: float = MAX_GAP) -> EpisodeCoverage:
    """Count the utterances near a box, and list the speakers who lack boxes or words."""
    moments = _moments(episode)
    near: dict[str, int] = {}  # by speaker, in order of mention
    for line in episode.utterances:
        if line.speaker is not None:
            found = _is_near(moments.get(line.speaker, ()), line.start, line.end, max_gap)
            near[line.speaker] = near.get(line.speaker, 0) + found
    return EpisodeCoverage(
        episode_id=episode.episode_id,
        utterances=len(episode.utterances),
        unknown=sum(line.speaker is None for line in episode.utterances),
        near=sum(near.values()),
        boxes=sum(map(len, moments.values())),
        without_box=tuple(label for label in near if label not in moments),
        elsewhere=tuple(label for label, count in near.items() if label in moments and not count),
        without_speaker=tuple(label for label in moments if label not in near),
    )


def spelling_variants(labels: Iterable[str], others: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of labels that differ only in spelling: case, spaces, dashes, Unicode form."""
    spelled = {folded(other): other for other in others}
    pairs = ((label, spelled.get(folded(label))) for label in labels)
    return [(label, other) for label, other in pairs if other is not None and other != label]


def _moments(episode: Episode) -> Mapping[str, Sequence[float]]:
    """The times of each speaker's boxes in the clip, ascending; speakers in order of mention."""
    video = episode.video
    first = -ROUNDING + (0.0 if video.start is None else video.start)
    last = ROUNDING + (float("inf") if video.end is None else video.end)
    moments: defaultdict[str, list[float]] = defaultdict(list)
    for box in episode.boxes:
        if first <= box.time <= last:
            moments[box.speaker].append(box.time)
    return {speaker: sorted(times) for speaker, times in moments.items()}


def _is_near(times: Sequence[float], start: float, end: float, max_gap: float) -> bool:
    gap = max_gap + ROUNDING
    following = bisect_left(times, start - gap)
    return following < len(times) and times[following] <= end + gap
