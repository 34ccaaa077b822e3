"""The sound of a file, as one channel at 16 kHz on the file's clock, in blocks or as a window.

Sample i of a window is heard at `start` + i / RATE seconds of the clock of `socialcli.video`, to a millisecond where
the format rounds its time stamps to milliseconds. Where nothing is recorded, before the sound begins and in gaps of its
time stamps, there is silence. Packets that cannot be decoded become silence, too, with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from socialcli.errors import VideoError
from socialcli.interrupts import uninterrupted
from socialcli.video.container import VIDEO_FORMATS, local_file, next_packet, not_media, open_container, origin_of
from socialcli.video.limits import DEFAULT_LIMITS, DecodeLimits
from socialcli.video.timing import Window

Sound: TypeAlias = npt.NDArray[np.float32]

RATE = 16_000  # samples a second, as speech models take
BLOCK = 10 * RATE  # samples of a block

_FORMATS = (*VIDEO_FORMATS, "wav", "mp3", "flac", "aac", "aiff")
_UNSEEKABLE = frozenset({"mpeg", "aac"})  # time stamps are too sparse, or estimated, after a seek
_SECONDS_BACK = (1, 16)  # decoded before a window, since codecs need some packets before they are exact
_JITTER = Fraction(1, 25)  # seconds by which time stamps may differ from the count of samples: rounding, not a gap
_LONGEST_GAP = 6 * 3600  # seconds
# Channels weigh as in ITU-R BS.775; others, those of surround sound, 0.5. What people say is in the centre.
_WEIGHTS = {"FC": 1.0, "FL": 0.7071, "FR": 0.7071, "LFE": 0.0, "LFE2": 0.0}

_log = logging.getLogger(__name__)


class SoundFile:
    """The sound of a file that `open_sound` has opened. Not thread-safe: it has one position."""

    def __init__(self, path: Path, file: BinaryIO, limits: DecodeLimits) -> None:
        """Open the container in `file`; raises FFmpegError."""
        self.path = path
        self.limits = limits
        self.damaged = 0  # packets that could not be decoded
        self._file = file
        self._open()

    def _open(self) -> None:
        self.container = open_container(self._file, _FORMATS)
        stream = self.container.streams.best("audio")
        self.stream = stream if isinstance(stream, AudioStream) else None
        self._origin = origin_of(self.container)

    @property
    def format(self) -> str:
        """ffmpeg's name of the file's format, the first of several."""
        return str(self.container.format.name).split(",")[0]

    def close(self) -> None:
        """Close the container, not the file object."""
        self.container.close()

    def blocks(self, start: float | None = None, end: float | None = None) -> Iterator[Sound]:
        """The sound from `start` to `end`, seconds, in blocks of BLOCK samples, the last one shorter.

        With an `end`, there are exactly as many samples as fit, with silence where the sound ends earlier. Without
        one, it goes on as long as there is sound. Raises VideoError where the file cannot be read.
        """
        window = Window(start, end)
        first = round((window.start or 0.0) * RATE)
        last = None if window.end is None else round(window.end * RATE)
        frames = self._frames_from(window.start or 0.0, window.end)
        yield from _in_blocks(_on_clock(_resampled(frames), first, last, self.path))
        if self.damaged:
            _log.warning("%s: %d packets of sound are damaged and become silence", self.path, self.damaged)

    def _frames_from(self, start: float, end: float | None) -> Iterator[tuple[Fraction | None, AudioFrame]]:
        """Decoded frames with their times, seconds, from before `start` to the first one after `end`."""
        for frame in self._decoded(self._packets_from(start)):
            time = None
            if frame.pts is not None and frame.time_base is not None:
                time = frame.pts * frame.time_base - self._origin
            if end is not None and time is not None and time > end:
                return
            yield time, frame

    def _decoded(self, packets: Iterable[Packet[AudioStream]]) -> Iterator[AudioFrame]:
        """The frames of whole packets; damaged ones are counted. Raises VideoError where all are damaged."""
        self.damaged = whole = 0
        reason = None
        for packet in packets:
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self.damaged += 1
                reason = error
                continue
            whole += len(frames)
            yield from frames
        if reason is not None and not whole:
            raise VideoError(
                f"{self.path}: none of the sound can be decoded ({reason.strerror}); it is damaged or encrypted: "
                f"fetch it again or convert it"
            )

    def _packets_from(self, start: float) -> Iterator[Packet[AudioStream]]:
        if self.stream is None:
            return
        for seconds in _SECONDS_BACK:
            first = self._first_after_seek(start - seconds)
            if first is not None and first <= start:
                self._seek(start - seconds)
                break
        else:
            self.close()
            self._open()
        packets = self.container.demux(self.stream)
        most = self.limits.max_packets
        for _ in range(most):
            packet = next_packet(packets)
            if packet is None:
                return
            self.limits.check_time(self.path)
            yield packet
        raise VideoError(f"{self.path}: the sound has more than {most} packets; cut the recording into parts")

    def _first_after_seek(self, seconds: float) -> Fraction | None:
        """The time of the first packet after a seek, seconds; None where seeking is impossible or pointless."""
        if seconds <= 0 or self.format in _UNSEEKABLE or not self._seek(seconds):
            return None
        packet = None if self.stream is None else next_packet(self.container.demux(self.stream))
        return None if packet is None or packet.pts is None else packet.pts * packet.time_base - self._origin

    def _seek(self, seconds: float) -> bool:
        microsecond = int((Fraction(seconds) + self._origin) * 1_000_000)
        try:
            with uninterrupted():
                self.container.seek(microsecond)  # by the pictures where there are any: few files index sound
        except av.error.FFmpegError:
            return False
        return True


@contextmanager
def open_sound(path: Path, limits: DecodeLimits = DEFAULT_LIMITS) -> Iterator[SoundFile | None]:
    """Open the sound of a local video or sound file; None where it has no sound.

    Raises VideoError where the file cannot be read, and for errors of ffmpeg in the body.
    """
    with local_file(path, limits, "sound") as file:
        try:
            sound = SoundFile(path, file, limits)
        except av.error.FFmpegError as error:
            raise not_media(path, error, "video or sound", _FORMATS) from error
        try:
            yield None if sound.stream is None else sound
        finally:
            sound.close()


def sound_of(
    path: Path, start: float | None = None, end: float | None = None, *, limits: DecodeLimits = DEFAULT_LIMITS
) -> Sound | None:
    """The sound of a file from `start` to `end` seconds, as `SoundFile.blocks` has it; None where it has none."""
    with open_sound(path, limits) as sound:
        if sound is None:
            return None
        blocks = list(sound.blocks(start, end))
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _resampled(frames: Iterable[tuple[Fraction | None, AudioFrame]]) -> Iterator[tuple[int, Sound]]:
    """Stretches of sound with the number of samples before them on the clock.

    Time stamps are rounded to milliseconds in some formats. So a frame follows the previous one without a seam unless
    its time stamp says that sound is missing, or of other sound.
    """
    resampler: AudioResampler | None = None
    due, at, kind = Fraction(0), 0, None
    for stamp, frame in frames:
        time = due if stamp is None else stamp
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or now != kind or abs(time - due) > _JITTER:
            yield from _samples(resampler, None, at)
            resampler = AudioResampler("fltp", frame.layout, RATE)
            due, at, kind = time, round(time * RATE), now
        due += Fraction(frame.samples, frame.sample_rate)
        frame.pts = None  # the resampler would stretch and squeeze sound to fit its time stamps
        for place, samples in _samples(resampler, frame, at):
            yield place, samples
            at = place + len(samples)
    yield from _samples(resampler, None, at)


def _samples(resampler: AudioResampler | None, frame: AudioFrame | None, at: int) -> Iterator[tuple[int, Sound]]:
    """What the resampler puts out for a frame, or, for None, the rest it holds."""
    for block in [] if resampler is None else resampler.resample(frame):
        samples = _mixed(block)
        yield at, samples
        at += len(samples)


def _mixed(frame: AudioFrame) -> Sound:
    """The weighted mean of a planar float frame's channels, from -1 to 1.

    ffmpeg does not divide by the sum of the weights when it mixes floats: loud sound would leave the range.
    """
    channels = np.asarray(frame.to_ndarray(), dtype=np.float32)
    weights = np.array([_WEIGHTS.get(channel.name, 0.5) for channel in frame.layout.channels], np.float32)
    if not weights.any():
        weights[:] = 1.0
    one: Sound = np.clip(channels.T @ (weights / weights.sum()), -1.0, 1.0)
    return one


def _on_clock(placed: Iterable[tuple[int, Sound]], first: int, last: int | None, path: Path) -> Iterator[Sound]:
    """The samples from `first` to `last`, with silence where there are none."""
    position = first
    for at, samples in placed:
        if last is not None and at >= last:
            break
        samples = samples[max(position - at, 0) : None if last is None else last - at]
        if not len(samples):
            continue
        if at - position > _LONGEST_GAP * RATE:
            raise VideoError(
                f"{path}: the time stamps of the sound jump from {position / RATE:.1f} to {at / RATE:.1f} s; "
                f"convert the file"
            )
        yield from _silence(at - position)
        yield samples
        position = max(at, position) + len(samples)
    if last is not None:
        yield from _silence(last - position)


def _silence(count: int) -> Iterator[Sound]:
    for begin in range(0, count, BLOCK):
        yield np.zeros(min(BLOCK, count - begin), np.float32)


def _in_blocks(pieces: Iterable[Sound]) -> Iterator[Sound]:
    """The same samples in blocks of one size."""
    held: list[Sound] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        while count >= BLOCK:
            whole = np.concatenate(held)
            yield whole[:BLOCK]
            held, count = [whole[BLOCK:]], count - BLOCK
    if count:
        yield np.concatenate(held)
