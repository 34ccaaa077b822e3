"""What of a clip the model gets to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.alignment.plan import utterance_frames
from socialcli.episodes.records import Box, Episode, Speaker, Utterance, Video
from socialcli.inference.clip_view import AskOptions, sample_clip
from tests.video.clips import HEIGHT, WIDTH, numbers, write_slides


def _clip(folder: Path, start: float | None, end: float | None) -> tuple[Episode, AskOptions]:
    write_slides(folder / "slides.mp4", [0, 4000, 9000], 10_000)
    video = Video("slides.mp4", WIDTH, HEIGHT, start=start, end=end)
    boxes = (Box("anna", 6.0, 0, 0, 40, 40),)
    line = Utterance("u1", 5.5, 7.0, "Look.", "anna")
    episode = Episode("e1", video, (Speaker("anna"),), (line,), boxes, ())
    return episode, AskOptions(media_root=folder, frames=4, boxes_as="text")


def test_a_slide_from_before_the_clip_is_seen_from_its_start_on(tmp_path: Path) -> None:
    episode, options = _clip(tmp_path, 5.5, 8.0)
    scene, frames = sample_clip(episode, options)
    assert frames is not None and scene is not None
    assert numbers(frames) == [1] * 4 and frames.distinct == 1
    assert frames.times == scene.times == (5.5,) * 4
    assert all(scene.boxes["anna"])
    assert utterance_frames(episode.utterances[0], frames.times) == (0, 1, 2, 3)


@pytest.mark.parametrize(("start", "end", "times"), [(4.0, 8.0, 4.0), (8.0, 10.0, 9.0), (None, 3.0, 0.0)])
def test_frames_of_the_clip_keep_their_times(tmp_path: Path, start: float | None, end: float, times: float) -> None:
    _, frames = sample_clip(*_clip(tmp_path, start, end))
    assert frames is not None and frames.times == (times,) * 4
