"""Lets these tests import the modules beside `sample_data/make.py` as that script does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ..conftest import ROOT

SAMPLE_DATA = ROOT / "sample_data"
sys.path.insert(0, str(SAMPLE_DATA))


@pytest.fixture(scope="session")
def sample_data() -> Path:
    return SAMPLE_DATA
