"""What the tests of the commands share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ..conftest import SAMPLE
from .runs import record, write


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder with the videos of the first three episodes of the sample."""
    (tmp_path / "videos").mkdir()
    for index in range(3):
        path = record(index)["video"]["path"]
        shutil.copy(SAMPLE / path, tmp_path / path)
    return tmp_path


@pytest.fixture
def episodes(media: Path) -> Path:
    """The first three episodes of the sample, beside their videos."""
    return write(media / "episodes.jsonl", [record(index) for index in range(3)])
