"""From the frames of a recording to its shots, each with the tracks of the people in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from socialcli.perception.appearance import appearance, is_alone
from socialcli.perception.contract import Detect, Detection, Finds, Image, Rectangle, Track, TrackShot
from socialcli.perception.shots import WIDTH, CutFinder
from socialcli.video.streaming import StreamedFrame, first_moment

RATE = 5.0  # frames a second in which people are looked for
_LOOK_AGAIN = 2.0  # seconds after which somebody's colours are taken again, to save memory
_SAME = 0.3  # intersection over union of boxes from which they are taken for the same person's


@dataclass(frozen=True, slots=True)
class Shot:
    """What is seen between two cuts, from `start` to `end` seconds on the file's clock.

    Tracks number frames by moments of the file: number k is the frame on screen at k / rate seconds. Some detections
    have an embedding: the detector's own or, where it has none, the colours of `appearance`.
    """

    start: float
    end: float
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A detector of what `finds` says, and a tracker that was loaded for `rate` frames a second."""

    finds: Finds
    detect: Detect
    track: TrackShot
    rate: float = RATE

    def shots(self, frames: Iterable[StreamedFrame]) -> Iterator[Shot]:
        """The shots of a recording, as soon as each has ended; all its frames are needed, to find the cuts.

        Memory grows with the detections alone. Raises MissingPackageError without scenedetect, and what `frames`
        raises.
        """
        cuts, looks = CutFinder(), _Looks(self.finds, self.rate)
        found: dict[int, Sequence[Detection]] = {}
        start, end = None, 0.0
        for frame in frames:
            start = frame.time if start is None else start
            moments = frame.moments(self.rate)
            if moments:
                image = frame.image()
                found |= dict.fromkeys(moments, looks.added(self.detect(image), image, moments[0]))
            for cut in cuts.add(frame.thumbnail(WIDTH), frame.time):
                first = first_moment(cut, self.rate)
                yield self._shot(start, cut, {number: one for number, one in found.items() if number < first})
                found = {number: one for number, one in found.items() if number >= first}
                start = cut
            end = frame.end
        if start is not None:
            yield self._shot(start, end, found)

    def _shot(self, start: float, end: float, found: Mapping[int, Sequence[Detection]]) -> Shot:
        return Shot(start, end, tuple(self.track(found)))


class _Looks:
    """Takes somebody's colours when they appear, and again every few seconds, where nobody else is in the way."""

    def __init__(self, finds: Finds, rate: float) -> None:
        self._finds = finds
        self._pause = _LOOK_AGAIN * rate
        self._recent: list[tuple[int, Rectangle]] = []

    def added(self, detections: Sequence[Detection], image: Image, number: int) -> Sequence[Detection]:
        """The detections, some of them with an embedding that they lack."""
        self._recent = [one for one in self._recent if number - one[0] < self._pause]
        boxes = [one.box for one in detections]
        result = []
        for place, one in enumerate(detections):
            if one.embedding is None and not any(one.box.iou(box) > _SAME for _, box in self._recent):
                others = boxes[:place] + boxes[place + 1 :]
                vector = appearance(image, one.box, self._finds) if is_alone(one.box, others, self._finds) else None
                if vector is not None:
                    one = replace(one, embedding=vector)
                    self._recent.append((number, one.box))
            result.append(one)
        return result
