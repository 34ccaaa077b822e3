"""What the tests of converters share: the command, what it leaves, and pictures for clips."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from socialcli.cli import main
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode

from ..conftest import SHARED
from ..verbs.runs import last_of_each

TVQA = SHARED / "data" / "tvqa_plus_val_20clips.json"


def tvqa_plus() -> Path:
    """The real annotations; a test that asks for them is skipped where they are not at hand."""
    if not TVQA.is_file():
        pytest.skip(f"the annotations are not at hand ({TVQA})")
    return TVQA


def convert(*words: object) -> Result:
    """Run `socialcli convert`; of an option given again, the last one counts."""
    return CliRunner().invoke(main, last_of_each(("convert", *map(str, words))))


def converted(output: Path, *words: object) -> tuple[list[Episode], dict[str, Any]]:
    """The episodes that a conversion leaves, which must be valid, and its account."""
    result = convert(*words, "-o", output, "--json", "-q")
    assert result.exit_code == 0, result.stderr
    valid = CliRunner().invoke(main, ["validate", str(output)])
    assert valid.exit_code == 0, valid.stdout
    return read(output), json.loads(result.stdout)


def read(output: Path) -> list[Episode]:
    """The episodes of a file."""
    return [row.episode for row in read_episodes(output) if row.episode is not None]


def write(path: Path, content: str | bytes | object) -> Path:
    """Write text, bytes or a JSON value, and make the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def draw_frames(folder: Path, count: int, size: tuple[int, int] = (640, 360)) -> None:
    """Draw `count` images, 00001.jpg and so on, each of another grey."""
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        shade = np.full((size[1], size[0], 3), (37 * number) % 256, dtype=np.uint8)
        Image.fromarray(shade).save(folder / f"{number:05d}.jpg", quality=30)


def one(items: Iterable[Any]) -> Any:
    """The only one of them."""
    (item,) = items
    return item
