"""Draw the frames of a world, find the people in them, and encode them as a video."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from PIL import Image, ImageDraw

from socialcli.synth.figures import draw_person
from socialcli.synth.rooms import paint_room
from socialcli.synth.world import World

_SCALE = 2  # frames are drawn this many times larger, then reduced, for smooth edges

_X264 = {
    "preset": "veryfast",
    "crf": "18",
    "bf": "0",
    # x264's AVX-512 code sometimes decides differently on the same frames; its portable code never does.
    "x264-params": "asm=0",
}

Extents = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 exclusive


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame: RGB, and the rectangle of each person in the world; None for somebody who is not in the picture."""

    image: Image.Image
    extents: tuple[Extents | None, ...]


def pictures(world: World) -> Iterator[Picture]:
    """The frames of the clip, in order. People further down in the picture are in front."""
    width, height = world.size
    room = paint_room(world.room, width * _SCALE, height * _SCALE)
    back_to_front = sorted(range(len(world.people)), key=lambda person: world.people[person].foot[1])
    for frame in range(world.frames):
        canvas = room.copy()
        draw, poses = ImageDraw.Draw(canvas), world.poses(frame)
        extents = {
            person: draw_person(draw, world.people[person].look, poses[person], _SCALE) for person in back_to_front
        }
        inside = tuple(_within(extents[person], world.size) for person in range(len(poses)))
        yield Picture(canvas.reduce(_SCALE), inside)


def encode(images: Iterable[Image.Image], size: tuple[int, int], fps: int) -> bytes:
    """An MP4 file with H.264 (yuv420p). One thread and no dates, so that the same frames give the same bytes.

    Frame *i* is shown at *i* / `fps` seconds. Width and height, the `size` of the images, must be even.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=_X264)
        (stream.width, stream.height), stream.pix_fmt, stream.thread_count = size, "yuv420p", 1
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _within(bounds: tuple[float, float, float, float], size: tuple[int, int]) -> Extents | None:
    x0, y0 = max(0, math.floor(bounds[0])), max(0, math.floor(bounds[1]))
    x1, y1 = min(size[0], math.ceil(bounds[2])), min(size[1], math.ceil(bounds[3]))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
