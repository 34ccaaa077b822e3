"""An open video file: one video stream, its clock, and its packets or frames from any moment on.

`local_file`, `open_container`, `next_packet` and `origin_of` also serve the sound of a file. ffmpeg gets an open Python
file, never a name. Formats and protocols by which a file can open another one are disabled (HLS and DASH playlists,
concat scripts).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeVar

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from socialcli.errors import VideoError
from socialcli.interrupts import uninterrupted
from socialcli.video.limits import DecodeLimits
from socialcli.video.timing import Clock

VIDEO_FORMATS = ("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "ogg", "asf")
_UNSEEKABLE = frozenset({"mpeg"})  # time stamps are too sparse to be right after a seek
_SECONDS_BACK = (0, 1, 4, 16)  # tried in turn: where frames are stored out of order, a seek can land too late
_MICROSECOND = Fraction(1, 1_000_000)

AnyStream = TypeVar("AnyStream", bound=Stream)


class LocalSource:
    """A file as ffmpeg sees it: it can read and seek, nothing else.

    A broken header can make ffmpeg seek to an impossible offset. Such a seek returns a negative error number, as
    ffmpeg expects: an exception would make PyAV print a traceback.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Wrap an open binary file."""
        self._file = file
        self.read = file.read
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek as a file does; return the new offset, or a negative error number."""
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
        self.container = open_container(self._file, VIDEO_FORMATS)
        self.stream = _video_stream(self.container, self.path)
        self.limits.check_pixels(self.path, self.stream.codec_context.width, self.stream.codec_context.height)
        self.stream.codec_context.options = {"max_pixels": str(self.limits.max_pixels)}
        self.stream.thread_type = "AUTO"
        self.clock = Clock(self.stream.time_base or _MICROSECOND, origin_of(self.container))
        self._at_start = True

    @property
    def format(self) -> str:
        """ffmpeg's name of the file's format, the first of several: "mov", "matroska", "mpegts" ..."""
        return str(self.container.format.name).split(",")[0]

    @property
    def duration(self) -> float | None:
        """The file's duration by its header or its last time stamps, seconds; None if it has neither."""
        duration = self.container.duration
        return None if duration is None or self.format in _UNSEEKABLE else duration / 1_000_000

    def close(self) -> None:
        """Close the container, not the file object."""
        self.container.close()

    def packets_from(self, tick: int | None) -> Iterator[Packet[Stream]]:
        """Packets of all streams, from a video key frame shown at or before `tick`, or from the first one.

        Ends with one empty packet per stream, which flushes the decoder.
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
        """Decoded frames in presentation order, beginning at or before `tick` (None: the first).

        Frames that are not `wanted` may be skipped if no other frame depends on them. Raises VideoError for a damaged
        frame, wanted or not: decoders conceal damage, and frames that depend on it would look intact.
        """
        for packet in self.packets_from(tick):
            if packet.stream_index == self.stream.index:
                needed = wanted is None or packet.pts is None or packet.pts in wanted
                self.stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
                yield from self.frames_in(packet)

    def frames_in(self, packet: Packet[Stream]) -> Iterator[VideoFrame]:
        """The frames that the decoder returns for the next packet of the video. Raises VideoError for a damaged one."""
        if isinstance(packet.stream, VideoStream):
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
            with uninterrupted():
                self.container.seek(tick, stream=self.stream)
        except av.error.FFmpegError:  # before the first time stamp, or the file is not seekable
            return iter(())
        return self._packets()

    def _packets(self) -> Iterator[Packet[Stream]]:
        self._at_start = False
        packets = self.container.demux()
        while (packet := next_packet(packets)) is not None:
            self._packets_read += 1
            self.limits.check_time(self.path)
            if self._packets_read > self.limits.max_packets:
                raise VideoError(
                    f"{self.path}: finding the clip takes more than {self.limits.max_packets} packets; "
                    f"cut the clip out of the file, or convert the file"
                )
            yield packet

    def _next_key(self, packets: Iterator[Packet[Stream]]) -> Packet[Stream] | None:
        """Skip to the first key frame: packets before it cannot be decoded."""
        for packet in packets:
            if packet.stream_index == self.stream.index and packet.is_keyframe and packet.size:
                return packet
        return None


def next_packet(packets: Iterator[Packet[AnyStream]]) -> Packet[AnyStream] | None:
    """The next packet; None at the end.

    PyAV raises EOFError inside to find the end of a file. An interrupt that arrives while Cython builds that error's
    traceback is lost without a word: defer it until the packet is there.
    """
    with uninterrupted():
        return next(packets, None)


def open_container(file: BinaryIO, formats: Sequence[str]) -> InputContainer:
    """Open a file from its beginning as one of ffmpeg's `formats`; it cannot make ffmpeg open another file."""
    file.seek(0)
    options = {"format_whitelist": ",".join(formats), "protocol_whitelist": "none"}
    with uninterrupted():  # see `next_packet`; here, ffmpeg would take an interrupt for invalid data
        return av.open(LocalSource(file), "r", options=options, metadata_errors="replace")


@contextmanager
def local_file(path: Path, limits: DecodeLimits, what: str = "video") -> Iterator[BinaryIO]:
    """Open a local file; errors of ffmpeg and of the system, here and in the body, become VideoError about `what`."""
    try:
        with path.open("rb") as file:
            limits.check_bytes(path, path.stat().st_size)
            yield file
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path}: the {what} cannot be decoded ({error.strerror}); it is damaged, cut short or encrypted: "
            f"fetch it again or convert it"
        ) from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}); check the file's permissions") from error


@contextmanager
def open_video(path: Path, limits: DecodeLimits) -> Iterator[VideoFile]:
    """Open a local video file; errors of ffmpeg, here and in the body, become VideoError."""
    with local_file(path, limits) as file:
        video = _opened(path, file, limits)
        try:
            yield video
        finally:
            video.close()


def _opened(path: Path, file: BinaryIO, limits: DecodeLimits) -> VideoFile:
    try:
        return VideoFile(path, file, limits)
    except av.error.FFmpegError as error:
        raise not_media(path, error, "video", VIDEO_FORMATS) from error


def not_media(path: Path, error: av.error.FFmpegError, what: str, formats: Sequence[str]) -> VideoError:
    """The error for a file that ffmpeg cannot open as `what`."""
    return VideoError(
        f"{path}: not a {what} file ({error.strerror}). If it should be one, it was cut short "
        f"and its header is missing: fetch it again. Formats: {', '.join(formats)}"
    )


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        raise VideoError(f"{path}: no video in this file, only sound or data; name a file with pictures")
    if stream.codec_context is None:
        raise VideoError(f"{path}: no decoder for this kind of video; convert it, for example to H.264")
    return stream


def origin_of(container: InputContainer) -> Fraction:
    """The container's start, seconds: exact from a stream, since ffmpeg rounds the container's to microseconds."""
    start = Fraction(container.start_time or 0, 1_000_000)
    for stream in container.streams:
        if stream.start_time is not None and stream.time_base is not None:
            exact = stream.start_time * stream.time_base
            if abs(exact - start) <= _MICROSECOND:
                return exact
    return start
