from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from _clips import FPS, frames
from _dialogues import SCENES, Scene
from _people import PEOPLE
from _rooms import ROOMS, draw_counter, draw_room
from make import make_videos
from PIL import ImageColor

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode

Picture = npt.NDArray[np.uint8]
EDGE = 4  # pixels; compression blurs outlines by that much
CHANGED = 24  # of 255: how much brighter or darker than the empty room a pixel is that belongs to somebody
RINGING = 30  # pixels in a frame that compression may change as much
LUMINANCE = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Clip:
    """A stored clip: its script, its episode, its file and its pictures."""

    scene: Scene
    episode: Episode
    path: Path
    pictures: list[Picture]


def decoded(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def episodes(sample_data: Path) -> dict[str, Episode]:
    rows = read_episodes(sample_data / "episodes.jsonl")
    return {row.episode.episode_id: row.episode for row in rows if row.episode is not None}


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.id)
def clip(request: pytest.FixtureRequest, sample_data: Path, episodes: dict[str, Episode]) -> Clip:
    episode = episodes[request.param.id]
    path = sample_data / episode.video.path
    return Clip(request.param, episode, path, decoded(path))


def test_making_a_clip_again_gives_the_same_frames(tmp_path: Path) -> None:
    scene = replace(SCENES[0], seconds=2.0, window=None)
    for attempt in ("first", "second"):
        make_videos(tmp_path / attempt, [scene])
    first, second = (decoded(tmp_path / attempt / "videos" / f"{scene.id}.mp4") for attempt in ("first", "second"))
    assert len(first) == 2 * FPS
    np.testing.assert_array_equal(first, second)


def test_the_clip_shows_what_the_script_draws(clip: Clip) -> None:
    for image, picture in zip(islice(frames(clip.scene), 8), clip.pictures, strict=False):
        assert np.abs(np.asarray(image, np.int16) - picture).mean() < 5.0


def test_the_clip_is_h264_of_the_annotated_size(clip: Clip) -> None:
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == Fraction(FPS)
        assert (stream.width, stream.height) == (clip.episode.video.width, clip.episode.video.height)
        assert stream.frames == len(clip.pictures) == round(clip.scene.seconds * FPS)


def test_the_boxes_are_the_extents_of_the_people(clip: Clip) -> None:
    empty = _empty_room(clip.scene)
    for time in (1.0, 3.0, 5.0):
        changed = np.abs((clip.pictures[round(time * FPS)] - empty) @ LUMINANCE) > CHANGED
        outside = changed.copy()
        for x0, y0, x1, y1 in _edges(clip.episode, time):
            rows, columns = np.nonzero(changed[y0:y1, x0:x1])
            assert max(rows.min(), columns.min()) <= EDGE
            assert min(rows.max() - (y1 - y0), columns.max() - (x1 - x0)) >= -1 - EDGE
            outside[max(0, y0 - EDGE) : y1 + EDGE, max(0, x0 - EDGE) : x1 + EDGE] = False
        assert outside.sum() <= RINGING


def test_every_box_holds_the_shirt_of_its_speaker(clip: Clip) -> None:
    names = {f"speaker{number}": place.name for number, place in enumerate(clip.scene.cast, start=1)}
    whole = [box for box in clip.episode.boxes if box.x0 > 0 and box.x1 < clip.episode.video.width]
    assert len(whole) > 50
    for box in whole:
        inside = clip.pictures[round(box.time * FPS)][int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
        shirt = ImageColor.getrgb(PEOPLE[names[box.speaker]].shirt)
        assert (np.abs(inside - np.array(shirt, np.int16)).max(axis=2) < 24).mean() > 0.08


def _edges(episode: Episode, time: float) -> list[tuple[int, int, int, int]]:
    """The boxes of one moment."""
    now = [box for box in episode.boxes if box.time == time]
    assert now
    return [(int(box.x0), int(box.y0), int(box.x1), int(box.y1)) for box in now]


def _empty_room(scene: Scene) -> npt.NDArray[np.int16]:
    room = draw_room(ROOMS[scene.room])
    counter = draw_counter(ROOMS[scene.room])
    if counter is not None:
        room.paste(counter, (0, room.height - counter.height))
    return np.asarray(room, np.int16)


def test_everything_together_is_small(sample_data: Path) -> None:
    stored = [path for path in sample_data.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in stored) < 20_000_000
