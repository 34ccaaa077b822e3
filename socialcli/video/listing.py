"""Lists the frames in a window of a video file from its packets, without decoding."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from av.packet import Packet
from av.stream import Stream

from socialcli.errors import VideoError
from socialcli.video.completeness import Progress
from socialcli.video.container import VideoFile
from socialcli.video.timing import Window, within

_REORDER = 1.0  # seconds read on past a window: frames are not stored in the order of presentation
NO_TIMES = frozenset({"avi"})  # stores no presentation times; ffmpeg numbers packets in storage order instead


@dataclass(frozen=True, slots=True)
class Listing:
    """The frames of a window by its packets, in ticks of the video's clock.

    `ticks` are the sorted presentation times inside the window or, if it has none, that of the frame on screen;
    `keys` are those of all key frames read, also before the window. `trusted` is false where packets carry no
    presentation times, so that frames must be decoded to find them.
    """

    ticks: list[int]
    keys: list[int]
    trusted: bool


def list_frames(video: VideoFile, window: Window) -> Listing:
    """Read the packets of `window` and list its frames.

    Raises VideoError where a packet is damaged or encrypted, and where the file ends before the window does
    although its header or index promises more.
    """
    packets = list(_video_packets(video, window))
    times = sorted({packet.tick for packet in packets if packet.tick is not None and packet.shown})
    inside = frames_of(video, window, times)
    return Listing(
        ticks=times[inside.start : inside.stop],
        keys=sorted(packet.tick for packet in packets if packet.tick is not None and packet.key),
        trusted=video.format not in NO_TIMES and all(packet.tick is not None for packet in packets),
    )


def frames_of(video: VideoFile, window: Window, ticks: Sequence[int]) -> range:
    """The indices of the sorted `ticks` inside a window or, if there are none, of the frame on screen at its start.

    A frame stays until the next one, the last one until the file ends. Empty where nothing is on screen.
    """
    first = video.clock.first_tick(window)
    inside = within(ticks, first, video.clock.last_tick(window))
    if inside or first is None or window.start is None:
        return inside
    later = bisect_left(ticks, first)
    lasts = later < len(ticks) or (video.duration is not None and window.start < video.duration)
    return range(later - 1, later) if later > 0 and lasts else inside


class _Entry(NamedTuple):
    """A packet without its data, which would fill the memory."""

    tick: int | None
    key: bool
    shown: bool


def _video_packets(video: VideoFile, window: Window) -> Iterator[_Entry]:
    """The video's packets that can belong to the window, checked for damage."""
    first, last = video.clock.first_tick(window), video.clock.last_tick(window)
    stop = None if last is None else last + video.clock.ticks(_REORDER)
    progress = Progress()
    for packet in video.packets_from(first):
        is_video = packet.stream_index == video.stream.index
        progress.add(packet, is_video)
        if not is_video or not packet.size:
            continue
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stop is not None and stamp is not None and stamp > stop:
            return
        if last is None or stamp is None or stamp <= last:
            check_packet(video, packet)
        yield _Entry(packet.pts, packet.is_keyframe, not packet.is_discard)
    progress.check_complete(video, window)


def check_packet(video: VideoFile, packet: Packet[Stream]) -> None:
    """Raise VideoError where a packet is encrypted or damaged."""
    if packet.has_sidedata("encryption_info"):
        raise VideoError(f"{video.path}: the video is encrypted; get a copy without copy protection")
    if packet.is_corrupt:
        where = "" if packet.pts is None else f" near {video.clock.seconds(packet.pts):.3f} s"
        raise VideoError(f"{video.path}: the video is damaged or cut short{where}; fetch it again")
