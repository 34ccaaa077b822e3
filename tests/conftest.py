"""What several tests share: the sample data, the three model families, the real footage where it is at hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from socialcli.api import load_model
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.video.frames import Frame, FrameSet

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores; the processes that they start inherit this
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadlines: on a busy machine an example may take any time. `poe fast` asks for the profile with fewer examples.
settings.register_profile("full", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=25)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "full"))

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample_data"
SHARED = ROOT.parent / "shared"
CASES = SHARED / "cases"  # inputs from the field, each with what is right
FAMILIES = ("llava-next-video", "qwen2.5-vl", "internvl3")
ALL_FAMILIES = (
    *FAMILIES,
    "qwen3-vl",
    "llava-onevision",
    "smolvlm2",
    "qwen2-vl",
    "gemma-4",
    "qwen3.5",
    "llama-3.2-vision",
)


# What `poe fast` leaves out, by paths below tests/. A command itself is tested in verbs/VERB/test_VERB*.py.
VERBS = (
    *("run", "sweep", "stress", "measure", "train", "plan", "inspect", "accuracy", "compare", "synth", "validate"),
    *("plugin", "agreement"),
)
E2E = (
    "faults/*",
    "test_docs.py",
    "test_packaging.py",
    "verbs/run/test_again_killed.py",
    *(f"verbs/{verb}/test_{verb}*.py" for verb in VERBS),
    "verbs/test_coverage.py",
)
SLOW = (
    *("benchmarks/*", "conformance/test_f*.py", "layouts/*", "sample_data/*"),
    *("alignment/test_head_attention.py", "inference/test_session.py", "models/test_grid.py"),
    *("synth/test_speaking.py", "synth/test_*words.py"),
    *("verbs/plugin/new/test_read*.py", "verbs/*/test_plot*.py", "verbs/inspect/test_rec*.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests as `e2e` and `slow` by their files, and put these first: two workers are then busy to the end.

    Tests marked `gpu` are skipped where there is no CUDA device.
    """
    for item in items:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        for marker, patterns in (("slow", SLOW), ("e2e", E2E)):
            if any(fnmatch(path, pattern) for pattern in patterns):
                item.add_marker(marker)
        if item.get_closest_marker("gpu") and not _has_cuda():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
    items.sort(key=lambda item: not (item.get_closest_marker("slow") or item.get_closest_marker("e2e")))


@cache
def _has_cuda() -> bool:
    import torch  # here: most folders of tests do without

    return torch.cuda.is_available()


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
