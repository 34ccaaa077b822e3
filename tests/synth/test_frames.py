"""Frames, the boxes in them, and video files."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageColor, ImageFilter

from socialcli.synth.appearance import SHIRTS
from socialcli.synth.frames import Picture, encode, pictures
from socialcli.synth.poses import chest
from socialcli.synth.settings import SynthSettings, stream
from socialcli.synth.world import World, draw_world
from socialcli.video.sampling import sample_frames

SETTINGS = SynthSettings(frames=8, distractors=1)


def world(index: int = 0, settings: SynthSettings = SETTINGS) -> World:
    return draw_world(settings, stream(1, index, "world"))


def pixels(picture: Picture) -> npt.NDArray[np.int16]:
    return np.asarray(picture.image, dtype=np.int16)


@pytest.mark.parametrize("index", range(4))
def test_a_persons_box_holds_all_that_is_drawn_of_the_person_and_little_more(index: int) -> None:
    drawn = world(index)
    others = [replace(drawn, people=drawn.people[:-1], gestures=tuple(row[:-1] for row in drawn.gestures))]
    with_everybody, without_the_last = next(pictures(drawn)), next(pictures(others[0]))
    changed = (pixels(with_everybody) != pixels(without_the_last)).any(axis=2)
    ys, xs = np.nonzero(changed)
    x0, y0, x1, y1 = with_everybody.extents[-1]
    assert x0 <= xs.min() and xs.max() < x1 and y0 <= ys.min() and ys.max() < y1
    assert max(xs.min() - x0, x1 - 1 - xs.max(), ys.min() - y0, y1 - 1 - ys.max()) <= 3


def test_boxes_lie_inside_the_frame() -> None:
    for size in ((336, 336), (160, 90)):
        for picture in pictures(world(2, replace(SETTINGS, size=size, people=(8, 8)))):
            assert picture.image.size == size
            assert all(0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1] for x0, y0, x1, y1 in picture.extents)


@pytest.mark.parametrize("index", range(6))
@pytest.mark.parametrize("side", [336, 112])
def test_the_shirts_colour_is_seen_at_the_chest_also_in_a_small_frame(index: int, side: int) -> None:
    drawn = world(index)
    image = next(pictures(drawn)).image.resize((side, side), Image.Resampling.BICUBIC)
    blurred = image.filter(ImageFilter.MedianFilter(3))
    for person, pose in zip(drawn.people, drawn.poses(0), strict=True):
        x, y = chest(pose.foot, pose.height)
        found = blurred.getpixel((round(x * side / 336), round(y * side / 336)))
        assert isinstance(found, tuple)
        distances = {
            name: sum((a - b) ** 2 for a, b in zip(found, ImageColor.getrgb(colour), strict=True))
            for name, colour in SHIRTS.items()
        }
        near = abs(pose.hand[0] - x) + abs(pose.hand[1] - y) < 0.25 * pose.height  # a hand before the chest
        assert near or min(distances, key=distances.__getitem__) == person.look.shirt


def test_what_is_encoded_is_decoded_at_the_times_and_nearly_as_it_was(tmp_path: Path) -> None:
    shown = list(pictures(world()))
    path = tmp_path / "clip.mp4"
    path.write_bytes(encode((picture.image for picture in shown), (336, 336), 4))
    found = sample_frames(path, 8)
    assert found.times == tuple(number / 4 for number in range(8))
    for picture, frame in zip(shown, found.frames, strict=True):
        assert np.abs(pixels(picture) - frame.image).mean() < 4


def test_the_same_world_makes_the_same_bytes_and_another_one_other_bytes() -> None:
    files = [encode((picture.image for picture in pictures(world(index))), (336, 336), 4) for index in (0, 0, 1)]
    assert files[0] == files[1] != files[2]


def test_an_encoded_file_says_nothing_of_when_it_was_made() -> None:
    image = Image.new("RGB", (64, 64))
    data = encode([image, image], (64, 64), 4)
    header = data.index(b"mvhd") + 8
    assert data[header : header + 8] == bytes(8)
    assert io.BytesIO(data).read(12)[4:8] == b"ftyp"
