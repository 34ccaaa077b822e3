"""Create a clip from a script: line times, poses, frames, boxes and the video file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from _dialogues import Line, Place, Scene
from _people import PEOPLE, Pose, Sprite, draw_person
from _rooms import HEIGHT, ROOMS, WIDTH, draw_counter, draw_room
from PIL import Image

FPS = 25
BOX_EVERY = 5  # frames: five boxes a second
SMALLEST_BOX = 8  # pixels per side; a person whose visible part is smaller has no box
PAUSE = 0.06  # seconds between two lines
MARGIN = 0.12  # seconds before the first and after the last line
FOLLOW = 0.25  # share of the way to the target pose that a head or an arm moves in one frame

Extents = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; x1 and y1 exclusive


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line with its start and end in seconds of the file."""

    line: Line
    start: float
    end: float


def window(scene: Scene) -> tuple[float, float]:
    """The part of the file that the episode covers, seconds."""
    return scene.window or (0.0, scene.seconds)


def spoken_lines(scene: Scene) -> tuple[Spoken, ...]:
    """Give each line a share of the time in proportion to its length."""
    first, last = window(scene)
    lengths = [len(line.text) + 6 for line in scene.lines]
    overlaps = sum(line.overlap for line in scene.lines)
    talk = last - first - 2 * MARGIN - PAUSE * (len(lengths) - 1) + overlaps
    spoken: list[Spoken] = []
    moment = first + MARGIN
    for line, length in zip(scene.lines, lengths, strict=True):
        start = moment - line.overlap
        end = start + talk * length / sum(lengths)
        spoken.append(Spoken(line, round(start, 2), round(end, 2)))
        moment = end + PAUSE
    return tuple(spoken)


def poses(scene: Scene) -> Iterator[dict[str, Pose]]:
    """Everybody's pose in each frame, in order."""
    spoken = spoken_lines(scene)
    now = {place.name: Pose(_walked(place, 0.0)[0], place.feet, place.height) for place in scene.cast}
    for index in range(round(scene.seconds * FPS)):
        time = index / FPS
        for number, place in enumerate(scene.cast):
            wanted = _wanted(scene, spoken, place, number, time)
            before = now[place.name]
            now[place.name] = replace(
                wanted,
                turn=before.turn + FOLLOW * (wanted.turn - before.turn),
                point=before.point + FOLLOW * (wanted.point - before.point),
                gesture=before.gesture + FOLLOW * (wanted.gesture - before.gesture),
            )
        yield dict(now)


def _walked(place: Place, time: float) -> tuple[float, float]:
    """A person's position at a time, x in pixels, and speed in pixels per second."""
    for (t0, x0), (t1, x1) in zip(place.walk, place.walk[1:], strict=False):
        if t0 <= time <= t1:
            return x0 + (x1 - x0) * (time - t0) / (t1 - t0), (x1 - x0) / (t1 - t0)
    return (place.walk[-1][1], 0.0) if place.walk else (place.x, 0.0)


def _wanted(scene: Scene, spoken: Sequence[Spoken], place: Place, number: int, time: float) -> Pose:
    """The target pose of a person at a time."""
    x, speed = _walked(place, time)
    own = [item for item in spoken if item.line.by == place.name and item.start <= time < item.end]
    heard = [item for item in spoken if item.start <= time and item.line.by not in (None, place.name)]
    watched = own[-1].line.to if own else (heard[-1].line.by if heard else None)
    turn = math.copysign(1.0, speed) if speed else 0.0
    point = 0.0
    if watched is not None and not speed:
        other = next(other for other in scene.cast if other.name == watched)
        distance = _walked(other, time)[0] - x
        turn = math.copysign(min(1.0, 0.55 + abs(distance) / 600), distance)
        if own and time < own[-1].start + 0.65 * (own[-1].end - own[-1].start):
            point = math.copysign(1.0, distance)
    return Pose(
        x=x + 1.6 * math.sin(2 * math.pi * time / 2.9 + 1.7 * number),
        feet=place.feet,
        height=place.height * (1 + 0.005 * math.sin(2 * math.pi * time / 1.9 + number)),
        turn=turn,
        mouth=0.1 + 0.9 * abs(math.sin(math.pi * 3.7 * time)) if own else 0.0,
        point=point,
        gesture=0.6 + 0.4 * math.sin(2 * math.pi * 1.3 * time) if own else 0.0,
        stride=math.sin(2 * math.pi * 1.5 * time) if speed else 0.0,
        blink=(round(time * FPS) + 23 * number) % 75 < 4,
    )


def frames(scene: Scene) -> Iterator[Image.Image]:
    """The frames of the clip: RGB, `WIDTH` x `HEIGHT`, `FPS` per second."""
    room = draw_room(ROOMS[scene.room])
    counter = draw_counter(ROOMS[scene.room])
    back_to_front = sorted(scene.cast, key=lambda place: place.feet)
    for everybody in poses(scene):
        image = room.copy()
        for place in back_to_front:
            sprite = _sprite(place, everybody)
            image.paste(sprite.image, (sprite.left, sprite.top), sprite.image)
        if counter is not None:
            image.paste(counter, (0, HEIGHT - counter.height))
        yield image


def boxes(scene: Scene) -> Iterator[tuple[float, str, Extents]]:
    """Time, name and exact extents of every visible person, five times per second within the episode's window.

    The extents end at the frame's edges and at the counter; if people overlap, each has the whole outline.
    """
    first, last = window(scene)
    counter = ROOMS[scene.room].counter
    floor = HEIGHT if counter is None else counter[0]
    for index, everybody in enumerate(poses(scene)):
        time = round(index / FPS, 2)
        if index % BOX_EVERY or not first <= time <= last:
            continue
        for place in scene.cast:
            extents = _sprite(place, everybody).extents(WIDTH, floor)
            if extents and min(extents[2] - extents[0], extents[3] - extents[1]) >= SMALLEST_BOX:
                yield time, place.name, extents


def _sprite(place: Place, everybody: dict[str, Pose]) -> Sprite:
    return draw_person(PEOPLE[place.name], everybody[place.name])


def write_clip(scene: Scene, path: Path) -> None:
    """Encode a clip as H.264 (yuv420p, B-frames) in MP4. One thread, so that the same input gives the same file."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "medium", "crf": "23", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.thread_count = 1
        for image in frames(scene):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")))
        container.mux(stream.encode())
