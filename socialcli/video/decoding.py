"""Decodes sampled frames of a window of a video file, and as few others as the file allows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType, VideoFrame

from socialcli.errors import VideoError
from socialcli.video.container import VideoFile, open_video
from socialcli.video.frames import Frame
from socialcli.video.limits import DecodeLimits
from socialcli.video.listing import Listing, frames_of, list_frames
from socialcli.video.timing import Window, pick_uniform

_REORDER = 1.0  # seconds decoded past a window, since time stamps can be out of order
MOST_AHEAD = 16  # the most frames that a format allows between decoding and showing one
_UNIT = 65536  # 1.0 in the fixed-point numbers of a display matrix


def sample_file(path: Path, count: int, window: Window, limits: DecodeLimits) -> list[Frame]:
    """`count` frames of a video file, uniform over `window`; repeats are one object. Raises VideoError."""
    with open_video(path, limits) as video:
        listing = list_frames(video, window)
        if listing.trusted and not listing.ticks:
            raise _no_frame(video, window)
        frames = _sample_listed(video, listing, count) if listing.trusted else None
        # Only decoding reveals packets that never become a picture (hidden frames, a broken first group).
        return _sample_decoded(video, window, count, listing) if frames is None else frames


def _sample_listed(video: VideoFile, listing: Listing, count: int) -> list[Frame] | None:
    """Seek to and decode only the frames that the packets list; None where one of them is not decoded."""
    wanted = [listing.ticks[index] for index in pick_uniform(listing.ticks, count)]
    found: dict[int, Frame] = {}
    current: VideoFrame | None = None
    frames: Iterator[VideoFrame] = iter(())
    for tick in sorted(set(wanted)):
        if current is None or _seek_saves(listing.keys, current.pts, tick):
            _check_reference(current, frames)
            frames = video.frames_from(tick, wanted)
            current = next(frames, None)
        while current is not None and current.pts is not None and current.pts < tick:
            current = next(frames, None)
        if current is None or current.pts != tick:
            return None
        found[tick] = _frame(video, current, tick)
    _check_reference(current, frames)
    return [found[tick] for tick in wanted]


def _check_reference(frame: VideoFrame | None, later: Iterator[VideoFrame]) -> None:
    """Decode the next picture that a B-frame depends on: `later` raises VideoError if it is damaged."""
    if frame is not None and frame.pict_type == PictureType.B:
        next((one for one in islice(later, MOST_AHEAD) if one.pict_type != PictureType.B), None)


def _seek_saves(keys: Sequence[int], position: int | None, tick: int) -> bool:
    """Whether a key frame lies between `position` and `tick`, so that decoding can start there."""
    before = bisect_right(keys, tick)
    return position is None or (before > 0 and keys[before - 1] > position)


def _sample_decoded(video: VideoFile, window: Window, count: int, listing: Listing) -> list[Frame]:
    """Decode the whole window twice: for its times, then for its pictures.

    A decoder returns frames in presentation order, whatever their time stamps: the i-th frame has the i-th
    time.
    """
    first, last = video.clock.first_tick(window), video.clock.last_tick(window)
    begin = first
    ticks = _decoded_ticks(video, begin, last)
    inside = frames_of(video, window, ticks)
    if listing.trusted and (not inside or ticks[inside.start] > listing.ticks[0]):
        # Not every key frame is a whole picture: with gradual refresh, a decoder that starts in the middle withholds
        # incomplete pictures.
        begin = None
        ticks = _decoded_ticks(video, begin, last)
        inside = frames_of(video, window, ticks)
    if not inside:
        raise _no_frame(video, window)
    wanted = [inside[index] for index in pick_uniform(ticks[inside.start : inside.stop], count)]
    found: dict[int, Frame] = {}
    for place, frame in enumerate(video.frames_from(begin)):
        if place in wanted:
            found[place] = _frame(video, frame, ticks[place])
        if place == wanted[-1]:
            break
    return [found[place] for place in wanted]


def _decoded_ticks(video: VideoFile, first: int | None, last: int | None) -> list[int]:
    stop = None if last is None else last + video.clock.ticks(_REORDER)
    ticks = []
    for frame in video.frames_from(first):
        tick = frame.pts if frame.pts is not None else frame.dts
        if tick is None:
            raise VideoError(f"{video.path}: frames without time stamps; convert the video, for example to MP4")
        if stop is not None and tick > stop:
            break
        ticks.append(tick)
    return sorted(ticks)


def _no_frame(video: VideoFile, window: Window) -> VideoError:
    extent = "of unknown length" if video.duration is None else f"which runs from 0 to {video.duration:.3f} s"
    return VideoError(
        f"{video.path}: no frame is shown in the window {window} of the video, {extent}; correct video.start and "
        f"video.end"
    )


def _frame(video: VideoFile, frame: VideoFrame, tick: int) -> Frame:
    time = video.clock.seconds(tick)
    video.limits.check_pixels(video.path, frame.width, frame.height)
    image = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    return Frame(time, np.ascontiguousarray(oriented(image, frame, video.path)))


def oriented(image: npt.NDArray[np.uint8], frame: VideoFrame, path: Path) -> npt.NDArray[np.uint8]:
    """Turn and mirror the picture by its display matrix: (x, y) is shown at (a x + c y, b x + d y)."""
    try:
        # PyAV's type stubs know motion vectors only.
        data = cast("Mapping[str, bytes]", frame.side_data)["DISPLAYMATRIX"]
    except KeyError:
        return image
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(data), dtype=np.int32)[:5])
    turned = abs(b) + abs(c) > abs(a) + abs(d)
    if min(abs(a) + abs(d), abs(b) + abs(c)) > _UNIT // 100:
        raise VideoError(
            f"{path}: the video is to be shown turned by {frame.rotation} degrees; only quarter turns are "
            f"supported: convert it with the turn applied"
        )
    across, down = (c, b) if turned else (a, d)
    image = image.swapaxes(0, 1) if turned else image
    return image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]
