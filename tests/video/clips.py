"""Little videos whose pictures say which they are: eight stripes, black or white, are the number in binary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from socialcli.video.frames import Frame, FrameSet

WIDTH, HEIGHT = 128, 48
_STRIPE = WIDTH // 8
TICK = Fraction(1, 1000)

B_FRAMES = "bframes=3:b-adapt=0:keyint=12:min-keyint=12:scenecut=0"


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> npt.NDArray[np.uint8]:
    """The picture of a number below 256, RGB."""
    bits = [(number >> place) & 1 for place in range(8)]
    row = np.repeat(np.array(bits, np.uint8) * 255, width // 8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (height, width, 3)))


def number(image: npt.NDArray[np.uint8]) -> int:
    """The number that a decoded picture shows; lossy coding cannot change it."""
    stripe = image.shape[1] // 8
    return sum(
        1 << place for place in range(8) if image[8:24, place * stripe + 4 : (place + 1) * stripe - 4].mean() > 127
    )


def numbers(frames: FrameSet | Sequence[Frame]) -> list[int]:
    """The numbers of the frames, in order."""
    return [number(frame.image) for frame in (frames.frames if isinstance(frames, FrameSet) else frames)]


def write_video(
    path: Path,
    count: int,
    *,
    rate: int = 25,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    milliseconds: Sequence[int] | None = None,
    draw: Callable[[int], npt.NDArray[np.uint8]] = picture,
    sound: float = 0.0,
) -> Path:
    """Encode `count` pictures at a constant rate, or at the given times; with `sound` seconds of silence."""
    with av.open(str(path), "w", container_options=container or {}) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.height, stream.width = draw(0).shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"g": "12"} if options is None else options
        speech = output.add_stream("aac", rate=16000) if sound else None
        if milliseconds is not None:
            stream.codec_context.time_base = TICK
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(draw(index), format="rgb24")
            frame.pts = index if milliseconds is None else milliseconds[index]
            frame.time_base = Fraction(1, rate) if milliseconds is None else TICK
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if speech is not None:
            for block in silence(sound):
                output.mux(speech.encode(block))
            output.mux(speech.encode(None))
    return path


def silence(seconds: float) -> list[av.AudioFrame]:
    """Blocks of 1024 samples at 16 kHz."""
    blocks = []
    for index in range(int(seconds * 16000 / 1024)):
        block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        block.sample_rate = 16000
        block.pts = index * 1024
        blocks.append(block)
    return blocks


def write_sound(path: Path, seconds: float = 0.5) -> Path:
    """A file with sound alone."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16000)
        for block in silence(seconds):
            output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    return path


def shift(source: Path, target: Path, seconds: float) -> Path:
    """Copy a video's packets with all their times moved; what moves before 0 is cut off by an edit list."""
    with (
        av.open(str(source)) as data,
        av.open(str(target), "w", container_options={"avoid_negative_ts": "0"}) as output,
    ):
        stream = data.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for packet in data.demux(stream):
            if packet.pts is not None and packet.dts is not None:
                ticks = round(seconds / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + ticks, packet.dts + ticks, copy
                output.mux(packet)
    return target


def cut(source: Path, target: Path, share: float) -> Path:
    """The first part of a file."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def set_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into an MP4's track header: (x, y) is shown at (a x + c y, b x + d y)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40  # after the type: version, times, ids, layer, volume
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 0], dtype=">i4") * 65536
    matrix[8] = 1 << 30
    data[place : place + 36] = matrix.astype(">i4").tobytes()
    path.write_bytes(bytes(data))
    return path


def write_slides(path: Path, milliseconds: Sequence[int], end: int, codec: str = "libx264", sound: float = 0.0) -> Path:
    """A picture at each of the given times, each lasting until the next one, and the last until `end`."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = TICK
        stream.options = {"g": "12", "bf": "0"}
        speech = output.add_stream("aac", rate=16000) if sound else None
        packets = []
        for index, time in enumerate(milliseconds):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = time, TICK
            packets += stream.encode(frame)
        packets += stream.encode(None)
        ends = dict(zip(milliseconds, [*milliseconds[1:], end], strict=True))
        for packet in packets:
            packet.duration = ends[round(packet.pts * packet.time_base / TICK)] - round(
                packet.pts * packet.time_base / TICK
            )
            packet.duration = round(packet.duration * TICK / packet.time_base)
            output.mux(packet)
        if speech is not None:
            for block in silence(sound):
                output.mux(speech.encode(block))
            output.mux(speech.encode(None))
    return path


def record(
    path: Path,
    sound: npt.NDArray[np.float32],
    rate: int,
    *,
    codec: str = "aac",
    layout: str = "mono",
    channels: Sequence[int] | None = None,
    begins: float = 0.0,
    gap: tuple[float, float] | None = None,
    pictures: int = 0,
) -> Path:
    """Encode `sound` on these channels of the layout (None: all); from `gap[0]` seconds on it comes `gap[1]` later."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25) if pictures else None
        stream = output.add_stream(codec, rate=rate, layout=layout)
        if video is not None:
            video.width, video.height, video.pix_fmt = 128, 48, "yuv420p"
            for index in range(pictures):
                frame = av.VideoFrame.from_ndarray(picture(index % 256), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                output.mux(video.encode(frame))
            output.mux(video.encode(None))
        count = av.AudioLayout(layout).nb_channels
        wide = np.zeros((count, len(sound)), np.float32)
        wide[list(range(count) if channels is None else channels)] = sound
        size = stream.codec_context.frame_size or 1024
        kind = "s16" if codec.startswith("pcm") else "fltp"
        for place in range(0, len(sound), size):
            part = np.ascontiguousarray(wide[:, place : place + size])
            if kind == "s16":
                part = np.ascontiguousarray((part.T * 32767).astype(np.int16).reshape(1, -1))
            block = av.AudioFrame.from_ndarray(part, format=kind, layout=layout)
            late = gap[1] if gap is not None and place / rate >= gap[0] else 0.0
            block.sample_rate, block.pts = rate, place + round((begins + late) * rate)
            block.time_base = Fraction(1, rate)
            output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    return path
