"""Narrow checkpoints for the tests of this folder, each made once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
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
def narrow(
    vocabularies: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Path]]:
    """The folder of a published checkpoint in a layout, both by name. No test may change it."""
    root = tmp_path_factory.mktemp("narrow")

    def made(name: str, layout: str) -> Path:
        folder = root / name / layout
        if not folder.is_dir():
            share(write(PUBLISHED[name], LAYOUTS[layout], vocabularies, folder), root / "contents")
        return folder

    yield made
    shutil.rmtree(root)  # some hundred megabytes, of which pytest would keep three


def share(folder: Path, contents: Path) -> None:
    """Let files of the same content be one file on the disk: layouts differ in few of them."""
    contents.mkdir(exist_ok=True)
    for file in folder.iterdir():
        content = contents / hashlib.sha256(file.read_bytes()).hexdigest()
        if content.exists():
            file.unlink()
            file.hardlink_to(content)
        else:
            content.hardlink_to(file)
