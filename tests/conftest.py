"""What several tests share: the sample data, the three model families, the real footage where it is at hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socialcli.api import load_model
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.video.frames import Frame, FrameSet

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores; the processes that they start inherit this
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample_data"
SHARED = ROOT.parent / "shared"
CASES = SHARED / "cases"  # inputs from the field, each with what is right
FAMILIES = ("llava-next-video", "qwen2.5-vl", "internvl3")


@cache
def tiny_model(family: str, frame_fit: str | None = None, **choices: Any) -> Any:
    """A family's tiny sample checkpoint, loaded once with these choices of `load_model`."""
    return load_model(family, str(SAMPLE / "checkpoints" / family), frame_fit=frame_fit, **choices)


@cache
def sample_episodes() -> tuple[Episode, ...]:
    """The episodes of the sample."""
    return tuple(row.episode for row in read_episodes(SAMPLE / "episodes.jsonl") if row.episode is not None)


def noise_frames(width: int, height: int, count: int = 8, seed: int = 0) -> FrameSet:
    """Frames of coarse random colour: every cell differs from its neighbours."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    large = small.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return FrameSet(tuple(Frame(0.5 * i, np.ascontiguousarray(image)) for i, image in enumerate(large)), count)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A copy of the inputs from the field; a test that asks for it is skipped where they are not at hand."""
    if not CASES.is_dir():
        pytest.skip(f"the inputs from the field are not at hand ({CASES})")
    return Path(shutil.copytree(CASES, tmp_path / "cases", copy_function=shutil.copyfile))


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Each of the three model families."""
    return str(request.param)


@pytest.fixture
def model(family: str) -> Any:
    """The family's tiny sample checkpoint."""
    return tiny_model(family)


@pytest.fixture
def make_model() -> Callable[..., Any]:
    """Load a family's tiny sample checkpoint with a frame fit."""
    return tiny_model


@pytest.fixture
def episode() -> Episode:
    """One sample episode."""
    return sample_episodes()[0]


@pytest.fixture
def real_footage() -> Path:
    """The episodes file of the real footage."""
    path = SHARED / "data" / "real" / "episodes.jsonl"
    if not path.is_file():
        pytest.skip(f"the real footage is not at hand ({path})")
    return path
