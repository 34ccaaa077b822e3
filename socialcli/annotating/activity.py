"""How much each face of a recording speaks, from moment to moment: by crops of it, and by the sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from socialcli.attribution.activity import Activity
from socialcli.perception.contract import Image, Rectangle, Sound, SpeechScores, Track
from socialcli.perception.crops import face_crop
from socialcli.perception.mouths import mouth_motion
from socialcli.perception.people import Person, box_at
from socialcli.video.streaming import StreamedFrame

RATE = 25.0  # crops of a second: a syllable takes a fifth of a second
STRETCH = 2.0  # seconds of crops that are scored together: active speaker detectors are trained on about as many
_SIDE = 112  # pixels of a crop
# Log-odds from motion: SLOPE times the logarithm of how often the face's usual motion there is, less OFFSET.
_SLOPE, _OFFSET = 2.0, 1.0
_NOISE = 0.004  # motion of a still mouth: noise of the camera and of a codec

Floats = npt.NDArray[np.float64]
SoundOf: TypeAlias = "Callable[[float, float], Sound | None]"
"""The sound from one time to another, in seconds; None where the recording has none."""


@dataclass(slots=True)
class _Run:
    """Crops of a track at moments that follow each other."""

    person: int
    track: int
    first: int  # the number of the first moment
    crops: list[Image] = field(default_factory=list)

    @property
    def stop(self) -> int:
        return self.first + len(self.crops)


def activities(
    frames: Iterable[StreamedFrame],
    people: Sequence[Person],
    rate: float,
    sound: SoundOf,
    scores: SpeechScores | None = None,
) -> list[Activity]:
    """When the face of each of the `people` is seen, and the log-odds that it speaks then.

    `rate` is that of the frames that their tracks number. `scores`: those of an active speaker detector for crops at
    `RATE`. Without, a mouth speaks that moves more than it usually does; where several do, their log-odds are alike, so
    that nobody is sure. Memory is that of a few seconds of crops.
    """
    found: list[list[tuple[range, Floats]]] = [[] for _ in people]
    for runs in _stretches(frames, people, rate):
        for run in runs:
            of_run = _motion(run) if scores is None else _by_detector(run, scores, sound)
            found[run.person].append((range(run.first, run.stop), of_run))
    return [_activity(some, of_motion=scores is None) for some in found]


def _activity(parts: Sequence[tuple[range, Floats]], *, of_motion: bool) -> Activity:
    if not parts:
        return Activity(np.zeros(0), np.zeros(0), RATE)
    moments = np.concatenate([np.array(moments) for moments, _ in parts])
    values = np.concatenate([part for _, part in parts])
    return Activity(moments / RATE, _log_odds(values) if of_motion else values, RATE)


def _log_odds(motion: Floats) -> Floats:
    """Log-odds that a mouth speaks, by its motion beside what is usual for this face in the recording.

    The usual motion is the median: most people are silent most of the time. An arm that always moves before a face, or
    a beard, is then nothing special.
    """
    return np.asarray(_SLOPE * (np.log((motion + _NOISE) / (np.median(motion) + _NOISE)) - _OFFSET))


def _stretches(frames: Iterable[StreamedFrame], people: Sequence[Person], rate: float) -> Iterator[list[_Run]]:
    """The crops of all faces, some seconds at a time. A run ends with its track, and where its face is not found."""
    tracks = sorted(
        ((number, index, track) for number, person in enumerate(people) for index, track in enumerate(person.tracks)),
        key=lambda one: one[2].first,
    )
    runs: list[_Run] = []
    begun: int | None = None
    for frame in frames:
        for moment in frame.moments(RATE):
            begun = moment if begun is None else begun
            if moment - begun >= STRETCH * RATE:
                yield runs
                runs, begun = [], moment
            number = moment * rate / RATE
            tracks = [one for one in tracks if one[2].last >= number]
            faces = [
                (person, index, box)
                for person, index, track in _here(tracks, number)
                if (box := box_at(track, number)) is not None
            ]
            if faces:
                _add_crops(runs, frame.image(), moment, faces)
    yield runs


def _here(tracks: Sequence[tuple[int, int, Track]], number: float) -> Iterator[tuple[int, int, Track]]:
    for one in tracks:
        if one[2].first > number:
            return
        yield one


def _add_crops(runs: list[_Run], image: Image, moment: int, faces: Sequence[tuple[int, int, Rectangle]]) -> None:
    for person, index, box in faces:
        run = next((one for one in runs if (one.person, one.track, one.stop) == (person, index, moment)), None)
        if run is None:
            run = _Run(person, index, moment)
            runs.append(run)
        run.crops.append(face_crop(image, box, _SIDE))


def _by_detector(run: _Run, scores: SpeechScores, sound: SoundOf) -> Floats:
    heard = sound(run.first / RATE, run.stop / RATE)
    if heard is None:
        return np.zeros(len(run.crops))
    return np.asarray(scores(run.crops, RATE, heard), dtype=np.float64)


def _motion(run: _Run) -> Floats:
    return np.asarray(mouth_motion(run.crops, RATE), dtype=np.float64)
