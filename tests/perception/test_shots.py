from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.errors import MissingPackageError
from socialcli.perception.shots import WIDTH, CutFinder
from socialcli.video.streaming import stream_frames

from ..video.clips import write_video
from .pictures import FOOTAGE, needs_footage, wall

COLORS = [(200, 60, 60), (60, 200, 60), (60, 60, 200), (180, 180, 60)]


def scene(color: int, step: int) -> npt.NDArray[np.uint8]:
    """A dark figure that walks in front of a coloured wall."""
    image = np.full((120, 160, 3), COLORS[color], np.uint8)
    image[40:, 10 + 3 * step : 50 + 3 * step] = 20
    return image


def cuts(path: Path) -> list[float]:
    finder = CutFinder()
    return [cut for frame in stream_frames(path) for cut in finder.add(frame.thumbnail(WIDTH), frame.time)]


def test_cuts_are_found_to_the_frame(tmp_path: Path) -> None:
    pytest.importorskip("scenedetect")
    lengths = [20, 30, 12, 25]
    shown = [(color, step) for color, length in enumerate(lengths) for step in range(length)]
    path = write_video(tmp_path / "cuts.mp4", len(shown), draw=lambda index: scene(*shown[index]))
    assert cuts(path) == pytest.approx([20 / 25, 50 / 25, 62 / 25])


def test_motion_of_people_and_of_the_camera_is_no_cut(tmp_path: Path) -> None:
    pytest.importorskip("scenedetect")
    view = wall(960, 320, (20, 10, 300), (420, 10, 300))
    path = write_video(tmp_path / "pan.mp4", 60, draw=lambda index: view[:, 10 * index : 10 * index + 320])
    assert cuts(path) == []


@needs_footage
def test_the_real_footage_is_one_shot() -> None:
    pytest.importorskip("scenedetect")
    assert cuts(FOOTAGE) == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    with pytest.raises(MissingPackageError, match=r"needs the package scenedetect-headless: pip install 'socialcli"):
        CutFinder()
