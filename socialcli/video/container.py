"""An open video file: one video stream, its clock, and its packets or frames from any moment on.

ffmpeg gets an open Python file, never a name, and neither a format nor a protocol with which a file could
make it open another one (HLS and DASH playlists, concat scripts).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from socialcli.errors import VideoError
from socialcli.video.limits import DecodeLimits
from socialcli.video.timing import Clock

_FORMATS = ("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "ogg", "asf")
_OPTIONS = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "none"}
_UNSEEKABLE = frozenset({"mpeg"})  # time stamps are too sparse to be right after a seek
_SECONDS_BACK = (0, 1, 4, 16)  # tried in turn: a seek can land too late where frames are stored out of order
_MICROSECOND = Fraction(1, 1_000_000)


class LocalSource:
    """What ffmpeg may do with a file: read it and move in it.

    A broken header can send it to a place that no file has. That answers with ffmpeg's own kind of error, a negative
    number: an exception would have PyAV print a traceback.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Stand before an open binary file."""
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as a file does; the new place, or a negative error number."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            return -(error.errno or errno.EIO)


class VideoFile:
    """A video file that `open_video` has opened. Not thread-safe: it has one position."""

    def __init__(self, path: Path, file: BinaryIO, limits: DecodeLimits) -> None:
        """Open the container in `file`; raises VideoError or FFmpegError."""
        self.path = path
        self.limits = limits
        self._file = file
        self._packets_read = 0
        self._open()

    def _open(self) -> None:
        self._file.seek(0)
        source = LocalSource(self._file)
        self.container: InputContainer = av.open(source, "r", options=_OPTIONS, metadata_errors="replace")
        self.stream = _video_stream(self.container, self.path)
        self.limits.check_pixels(self.path, self.stream.codec_context.width, self.stream.codec_context.height)
        self.stream.codec_context.options = {"max_pixels": str(self.limits.max_pixels)}
        self.stream.thread_type = "AUTO"
        self.clock = Clock(self.stream.time_base or _MICROSECOND, _origin(self.container))
        self._at_start = True

    @property
    def format(self) -> str:
        """ffmpeg's name of the file's format, the first of several: "mov", "matroska", "mpegts" ..."""
        return str(self.container.format.name).split(",")[0]

    @property
    def duration(self) -> float | None:
        """Seconds that the file lasts by its header or its last time stamps; None where it has neither."""
        duration = self.container.duration
        return None if duration is None or self.format in _UNSEEKABLE else duration / 1_000_000

    def close(self) -> None:
        """Close the container, not the file object."""
        self.container.close()

    def packets_from(self, tick: int | None) -> Iterator[Packet[Stream]]:
        """Packets of all streams, from a video key frame shown at or before `tick`, or from the first one.

        Ends with one empty packet per stream, which makes a decoder give out what it holds back.
        """
        if tick is not None and self._can_seek(tick):
            for seconds in _SECONDS_BACK:
                packets = self._packets_after_seek(tick - self.clock.ticks(seconds))
                key = self._next_key(packets)
                if key is not None and key.pts is not None and key.pts <= tick:
                    return chain([key], packets)
        if not self._at_start:
            self.close()
            self._open()
        packets = self._packets()
        key = self._next_key(packets)
        return packets if key is None else chain([key], packets)

    def frames_from(self, tick: int | None, wanted: Container[int] | None = None) -> Iterator[VideoFrame]:
        """Decoded frames in the order of presentation, beginning at or before `tick` (None: the first).

        Of the frames whose tick is not `wanted`, those that no other frame is made from may be left out. Raises
        VideoError for a damaged frame, wanted or not: decoders patch it up, and what is made from it looks sound.
        """
        for packet in self.packets_from(tick):
            if isinstance(packet.stream, VideoStream) and packet.stream_index == self.stream.index:
                needed = wanted is None or packet.pts is None or packet.pts in wanted
                self.stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
                for frame in packet.decode():
                    if isinstance(frame, VideoFrame):
                        self._check_whole(frame)
                        yield frame

    def _check_whole(self, frame: VideoFrame) -> None:
        if frame.is_corrupt:
            where = "" if frame.pts is None else f" at {self.clock.seconds(frame.pts):.3f} s"
            raise VideoError(f"{self.path}: the picture{where} is damaged; fetch the file again")

    def _can_seek(self, tick: int) -> bool:
        start = self.stream.start_time
        return self.format not in _UNSEEKABLE and (start is None or tick > start)

    def _packets_after_seek(self, tick: int) -> Iterator[Packet[Stream]]:
        self._at_start = False
        try:
            self.container.seek(tick, stream=self.stream)
        except av.error.FFmpegError:  # before the first time stamp, or no way to seek in this file
            return iter(())
        return self._packets()

    def _packets(self) -> Iterator[Packet[Stream]]:
        self._at_start = False
        for packet in self.container.demux():
            self._packets_read += 1
            self.limits.check_time(self.path)
            if self._packets_read > self.limits.max_packets:
                raise VideoError(
                    f"{self.path}: more than {self.limits.max_packets} packets had to be read; "
                    f"cut the clip out of the file, or convert the file"
                )
            yield packet

    def _next_key(self, packets: Iterator[Packet[Stream]]) -> Packet[Stream] | None:
        """Skip what cannot be decoded without earlier packets, up to the first key frame."""
        for packet in packets:
            if packet.stream_index == self.stream.index and packet.is_keyframe and packet.size:
                return packet
        return None


@contextmanager
def open_video(path: Path, limits: DecodeLimits) -> Iterator[VideoFile]:
    """Open a local video file; every error of ffmpeg, here and in the body, comes out as VideoError."""
    try:
        with path.open("rb") as file:
            limits.check_bytes(path, path.stat().st_size)
            video = _opened(path, file, limits)
            try:
                yield video
            finally:
                video.close()
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path}: the video cannot be decoded ({error.strerror}); it is damaged, cut short or encrypted: "
            f"fetch it again or convert it"
        ) from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}); check the file's permissions") from error


def _opened(path: Path, file: BinaryIO, limits: DecodeLimits) -> VideoFile:
    try:
        return VideoFile(path, file, limits)
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path}: not a video file that can be read ({error.strerror}). Where it should be one, it was "
            f"cut short and its header is missing: fetch it again. Formats: {', '.join(_FORMATS)}"
        ) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        raise VideoError(f"{path}: no video in this file, only sound or data; name one with pictures")
    if stream.codec_context is None:
        raise VideoError(f"{path}: no decoder knows this kind of video; convert it, for example to H.264")
    return stream


def _origin(container: InputContainer) -> Fraction:
    """The container's start in seconds: ffmpeg rounds it to microseconds, its stream has it exactly."""
    start = Fraction(container.start_time or 0, 1_000_000)
    for stream in container.streams:
        if stream.start_time is not None and stream.time_base is not None:
            exact = stream.start_time * stream.time_base
            if abs(exact - start) <= _MICROSECOND:
                return exact
    return start
