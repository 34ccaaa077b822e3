"""Shot cuts: where a recording jumps to another picture, so that no track goes on there."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from socialcli.errors import MissingPackageError
from socialcli.perception.contract import Image

WIDTH = 256  # pixels of the longer side of the pictures that `CutFinder` should get; larger ones only take time
SHORTEST = 8  # frames of a shot, at least: a flash light is no shot

_AHEAD = 2  # frames behind a cut that decide whether it is one: motion goes on, a cut does not
_RATE = 25.0  # scenedetect wants one; only frames are counted with it


class CutFinder:
    """Finds cuts in the frames that it gets one by one, by scenedetect's AdaptiveDetector.

    That compares the change from frame to frame in hue, saturation and brightness with the changes around it, so that
    a moving camera or person is no cut. Fades and dissolves are not found. It needs every frame: of frames at 5 a
    second, each differs from the last.
    """

    def __init__(self) -> None:
        """Raises MissingPackageError without scenedetect."""
        try:
            from scenedetect import FrameTimecode
            from scenedetect.detectors import AdaptiveDetector
        except ImportError as error:
            raise MissingPackageError("finding shot cuts", "scenedetect-headless", "annotate") from error
        self._timecode = FrameTimecode
        self._detector = AdaptiveDetector(min_scene_len=SHORTEST, window_width=_AHEAD)
        self._times: deque[float] = deque(maxlen=_AHEAD + 1)  # of the frames that a cut can still be found at
        self._count = 0

    def add(self, image: Image, time: float) -> Sequence[float]:
        """Look at the next frame, shown at `time` seconds; return the times of the first frames of new shots.

        A cut becomes known two frames later.
        """
        self._times.append(time)
        found = self._detector.process_frame(self._timecode(self._count, _RATE), image[..., ::-1].copy())  # BGR
        self._count += 1
        first = self._count - len(self._times)  # the number of the earliest frame in `_times`
        return [self._times[cut.frame_num - first] for cut in found]
