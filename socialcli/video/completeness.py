"""Detects truncated files by what their header promises: one must not pass for a shorter clip."""

from __future__ import annotations

import math
from dataclasses import dataclass

from av.packet import Packet
from av.stream import Stream

from socialcli.errors import VideoError
from socialcli.video.container import VideoFile
from socialcli.video.timing import Window

_KEEPS_DURATION = frozenset({"avi", "flv", "matroska", "mov"})  # their headers say how long the file is
_INDEXES_ALL = frozenset({"avi", "mov"})  # their index names every packet, by its decoding time
_SLACK = 0.5  # seconds of error allowed in a header's duration
_END_OF_TIME = 2**62  # ticks


@dataclass(slots=True)
class Progress:
    """How far a file has been read, packet by packet."""

    reached: float = -math.inf  # latest end of a packet of any stream, seconds on the container's clock
    newest: float = -math.inf  # latest presentation tick of the video
    decoded: float = -math.inf  # latest decoding tick of the video
    longest: float = 0.0  # longest gap between two video packets, ticks
    count: int = 0  # video packets

    def add(self, packet: Packet[Stream], is_video: bool) -> None:
        """Record the next packet of the file."""
        stamps = [stamp for stamp in (packet.pts, packet.dts) if stamp is not None]
        if not stamps:
            return
        stamp = max(stamps)
        self.reached = max(self.reached, float((stamp + (packet.duration or 0)) * packet.time_base))
        if is_video:
            if self.count:
                self.longest = max(self.longest, stamp - self.newest)
            self.newest = max(self.newest, stamp)
            self.decoded = self.decoded if packet.dts is None else max(self.decoded, packet.dts)
            self.count += 1

    def check_complete(self, video: VideoFile, window: Window) -> None:
        """Raise VideoError where the file ended before the end of the window that its header promises."""
        promised = max(self._by_index(video, window), self._by_duration(video, window))
        if promised > -math.inf:
            found = max(0.0, self.reached - float(video.clock.origin))
            raise VideoError(
                f"{video.path}: the file is cut short: its header promises video up to {promised:.3f} s, its "
                f"data end at {found:.3f} s; fetch it again"
            )

    def _by_index(self, video: VideoFile, window: Window) -> float:
        """The time of the last frame in the window that the index lists and the data lack, seconds; -inf if none."""
        if video.format not in _INDEXES_ALL:
            return -math.inf
        last = video.clock.last_tick(window)
        entries = video.stream.index_entries
        at = entries.search_timestamp(_END_OF_TIME if last is None else last, backward=True, any_frame=True)
        if at < 0 or entries[at].is_discard or entries[at].timestamp <= self.decoded:
            return -math.inf
        return video.clock.seconds(entries[at].timestamp)

    def _by_duration(self, video: VideoFile, window: Window) -> float:
        """The duration in the header if the data end well before it and before the window's end, seconds; else -inf."""
        if video.duration is None or video.format not in _KEEPS_DURATION or self.count < 2:
            return -math.inf
        # The last frame may last as long as the longest before it, and not every format stores its duration.
        slack = max(_SLACK, 2 * self.longest * float(video.clock.time_base))
        needed = video.duration if window.end is None else min(video.duration, window.end)
        # ffmpeg's writer of Matroska counts a duration from 0, not from the file's first time stamp.
        missing = needed - (self.reached - (0.0 if video.format == "matroska" else float(video.clock.origin)))
        return video.duration if missing > slack else -math.inf
