"""Draw the frames of a world, find the people in them, and encode them as a video."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from PIL import Image, ImageDraw

from socialcli.synth.figures import draw_person
from socialcli.synth.film.film import Film
from socialcli.synth.film.shots import View
from socialcli.synth.rooms import paint_room
from socialcli.synth.speech.spoken import RATE
from socialcli.synth.world import World

_SCALE = 2  # frames are drawn this many times larger, then reduced, for smooth edges

_X264 = {
    "preset": "veryfast",
    "crf": "18",
    "bf": "0",
    # x264's AVX-512 code sometimes decides differently on the same frames; its portable code never does.
    "x264-params": "asm=0",
}

_AAC_SAMPLES = 1024  # samples of a packet
_BIT_RATE = 64_000

Extents = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 exclusive


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame: RGB, and the rectangle of each person in the world; None for somebody who is not in the picture."""

    image: Image.Image
    extents: tuple[Extents | None, ...]


def pictures(world: World, film: Film | None = None) -> Iterator[Picture]:
    """The frames of the clip, in order. People further down in the picture are in front.

    With a film, its shots show the world, its lips move, and nobody has a rectangle who is not on screen.
    """
    room = paint_room(world.room, *(side * _SCALE for side in world.size))
    back_to_front = sorted(range(len(world.people)), key=lambda person: world.people[person].foot[1])
    shot, backdrop, shown = None, room, set(back_to_front)
    for frame in range(world.frames):
        poses = world.poses(frame)
        if film is not None:
            if shot is None or frame >= shot.end:
                shot = film.shot(frame)
                backdrop, shown = _seen_through(shot.view, room), set(shot.people)
            poses = tuple(map(shot.view.pose, poses))
        canvas = backdrop.copy()
        draw = ImageDraw.Draw(canvas)
        extents = {
            person: draw_person(
                draw,
                world.people[person].look,
                poses[person],
                _SCALE,
                None if film is None else film.lips.mouth(frame, person),
            )
            for person in back_to_front
        }
        inside = (_within(extents[person], world.size) if person in shown else None for person in range(len(poses)))
        yield Picture(canvas.reduce(_SCALE), tuple(inside))


def encode(
    images: Iterable[Image.Image], size: tuple[int, int], fps: int, sound: npt.NDArray[np.int16] | None = None
) -> bytes:
    """An MP4 file with H.264 (yuv420p). One thread and no dates, so that the same frames give the same bytes.

    Frame *i* is shown at *i* / `fps` seconds. Width and height, the `size` of the images, must be even. `sound` is one
    channel at `RATE` samples a second, which becomes AAC.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=_X264)
        (stream.width, stream.height), stream.pix_fmt, stream.thread_count = size, "yuv420p", 1
        track = None if sound is None else _SoundTrack(container, sound)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
            if track is not None:
                track.write(until=(index + 1) * RATE // fps)
        container.mux(stream.encode())
        if track is not None:
            track.finish()
    return file.getvalue()


class _SoundTrack:
    """The sound of a file, written piece by piece beside the frames."""

    def __init__(self, container: OutputContainer, sound: npt.NDArray[np.int16]) -> None:
        self._container, self._sound, self._written = container, sound, 0
        self._stream = container.add_stream("aac", rate=RATE, layout="mono", options={"b": str(_BIT_RATE)})
        self._stream.codec_context.flags |= av.codec.context.Flags.bitexact

    def write(self, until: int) -> None:
        """Encode the whole pieces before sample `until`."""
        while self._written + _AAC_SAMPLES <= min(until, len(self._sound)):
            self._piece(_AAC_SAMPLES)

    def finish(self) -> None:
        """Encode what is left."""
        self.write(len(self._sound))
        if self._written < len(self._sound):
            self._piece(len(self._sound) - self._written)
        self._container.mux(self._stream.encode())

    def _piece(self, samples: int) -> None:
        piece = self._sound[self._written : self._written + samples]
        frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._written, Fraction(1, RATE)
        self._container.mux(self._stream.encode(frame))
        self._written += samples


def _seen_through(view: View, room: Image.Image) -> Image.Image:
    """What the camera shows of the empty room, as large as the room."""
    if view == View():
        return room
    (x, y), (width, height) = view.corner, room.size
    x0, y0 = x * _SCALE, y * _SCALE
    box = (x0, y0, min(width, x0 + width / view.zoom), min(height, y0 + height / view.zoom))
    return room.resize(room.size, Image.Resampling.BICUBIC, box)


def _within(bounds: tuple[float, float, float, float], size: tuple[int, int]) -> Extents | None:
    x0, y0 = max(0, math.floor(bounds[0])), max(0, math.floor(bounds[1]))
    x1, y1 = min(size[0], math.ceil(bounds[2])), min(size[1], math.ceil(bounds[3]))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
