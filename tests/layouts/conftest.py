"""Narrow checkpoints for the tests of this folder, each made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .folders import LAYOUTS, write
from .narrow import PUBLISHED
from .vocabularies import fetch

Narrow = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The published vocabularies, by name."""
    return fetch(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="session")
def narrow(vocabularies: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Narrow:
    """The folder of a published checkpoint in a layout, both by name. No test may change it."""
    root = tmp_path_factory.mktemp("narrow")

    def made(name: str, layout: str) -> Path:
        folder = root / name / layout
        return folder if folder.is_dir() else write(PUBLISHED[name], LAYOUTS[layout], vocabularies, folder)

    return made
