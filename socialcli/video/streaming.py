"""Every frame of a window of a video file, one at a time, so that hours of video need no more memory than seconds."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from socialcli.errors import VideoError
from socialcli.video.completeness import Progress
from socialcli.video.container import VideoFile, open_video
from socialcli.video.decoding import MOST_AHEAD, oriented
from socialcli.video.limits import DEFAULT_LIMITS, DecodeLimits
from socialcli.video.listing import NO_TIMES, check_packet
from socialcli.video.timing import Window

_EDGE = 1e-6  # seconds by which a frame may begin too late and still be on screen at a moment, as windows have it

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class StreamedFrame:
    """A decoded frame that is on screen from `time` until `end`, seconds on the file's clock.

    It keeps the decoder's own picture: only those that somebody looks at are converted to RGB.
    """

    time: float
    end: float
    path: Path
    picture: VideoFrame

    def image(self) -> Image:
        """The frame as it is shown, RGB, (height, width, 3), at its full size. Raises VideoError if turned askew."""
        return self._upright(self.picture)

    def thumbnail(self, longest: int) -> Image:
        """The frame as it is shown, RGB, scaled so that its longer side has at most `longest` pixels."""
        scale = min(1.0, longest / max(self.picture.width, self.picture.height))
        width, height = (max(1, round(side * scale)) for side in (self.picture.width, self.picture.height))
        return self._upright(self.picture.reformat(width, height), self.picture)

    def moments(self, rate: float) -> range:
        """The whole numbers k for which the frame is on screen at k / `rate` seconds.

        The moments are those of the file's clock, wherever a window starts. A still of a video with a variable frame
        rate is on screen at many of them, and of a video with more frames than `rate` most are at none.
        """
        first, stop = first_moment(self.time, rate), first_moment(self.end, rate)
        return range(first, max(first, stop))

    def _upright(self, picture: VideoFrame, original: VideoFrame | None = None) -> Image:
        image = np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
        return np.ascontiguousarray(oriented(image, original or picture, self.path))


def first_moment(time: float, rate: float) -> int:
    """The first whole number k for which k / `rate` seconds is not before `time`."""
    return math.ceil((time - _EDGE) * rate)


def stream_frames(
    path: Path, start: float | None = None, end: float | None = None, *, limits: DecodeLimits = DEFAULT_LIMITS
) -> Iterator[StreamedFrame]:
    """Decode every frame that is on screen from `start` to `end` seconds of a video file, in order of time.

    A frame stays on screen until the next one; the last one for its own duration or, without one, as long as the frame
    before it. The first may begin before the window. Close the iterator to stop early. A path from an episode goes
    through `resolve_media` first.

    Raises VideoError for a file that is missing, damaged or cut short, when it gets there, and where pictures change
    their size.
    """
    if not path.is_file():
        raise VideoError(f"{path}: no such video file; check the path")
    window = Window(start, end)
    with open_video(path, limits) as video:
        size = None
        for tick, stop, picture in _shown(video, _decoded(video, window)):
            frame = StreamedFrame(video.clock.seconds(tick), video.clock.seconds(stop), path, picture)
            if window.end is not None and frame.time > window.end + _EDGE:
                return
            limits.check_pixels(path, picture.width, picture.height)
            if (size := size or (picture.width, picture.height)) != (picture.width, picture.height):
                raise VideoError(
                    f"{path}: at {frame.time:.3f} s the pictures change from {size[0]}x{size[1]} to "
                    f"{picture.width}x{picture.height} pixels; convert the video to one size"
                )
            if window.start is None or frame.end > window.start + _EDGE:
                yield frame


def _shown(video: VideoFile, pictures: Iterator[VideoFrame]) -> Iterator[tuple[int, int, VideoFrame]]:
    """Each picture with the ticks at which it appears and disappears."""
    shown: tuple[int, VideoFrame] | None = None
    lasted = 0
    for tick, picture in _timed(video, pictures):
        if shown is not None:
            lasted = tick - shown[0]
            yield shown[0], tick, shown[1]
        shown = tick, picture
    if shown is not None:
        yield shown[0], shown[0] + (shown[1].duration or lasted), shown[1]


def _timed(video: VideoFile, pictures: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
    """Each picture with its tick.

    A decoder returns pictures in presentation order: where time stamps are in the order of storage instead, the first
    picture has the smallest of them.
    """
    ahead = MOST_AHEAD if video.format in NO_TIMES else 0
    waiting: deque[VideoFrame] = deque()
    ticks: list[int] = []
    for picture in pictures:
        tick = picture.pts if picture.pts is not None else picture.dts
        if tick is None:
            raise VideoError(f"{video.path}: frames without time stamps; convert the video, for example to MP4")
        waiting.append(picture)
        heapq.heappush(ticks, tick)
        if len(waiting) > ahead:
            yield heapq.heappop(ticks), waiting.popleft()
    while waiting:
        yield heapq.heappop(ticks), waiting.popleft()


def _decoded(video: VideoFile, window: Window) -> Iterator[VideoFrame]:
    """The pictures from one that is shown at or before the window's start to the end of the file."""
    first = video.clock.first_tick(window)
    pictures = _pictures(video, window, first)
    picture = next(pictures, None)
    if picture is not None and first is not None and picture.pts is not None and picture.pts > first:
        # Not every key frame is a whole picture: with gradual refresh, a decoder that starts in the middle withholds
        # incomplete pictures.
        pictures = _pictures(video, window, None)
        picture = next(pictures, None)
    if picture is not None:
        yield picture
        yield from pictures


def _pictures(video: VideoFile, window: Window, first: int | None) -> Iterator[VideoFrame]:
    last = video.clock.last_tick(window)
    progress = Progress()
    video.stream.codec_context.skip_frame = "DEFAULT"
    for packet in video.packets_from(first):
        is_video = packet.stream_index == video.stream.index
        progress.add(packet, is_video)
        if is_video:
            stamp = packet.dts if packet.dts is not None else packet.pts
            if packet.size and (last is None or stamp is None or stamp <= last):  # decoders read ahead of the window
                check_packet(video, packet)
            yield from video.frames_in(packet)
    progress.check_complete(video, window)
