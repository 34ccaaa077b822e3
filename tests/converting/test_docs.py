"""The converters' pages: their commands, run, print what stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, SAMPLE
from .mmsi import person, release, save
from .online_mmsi import DIALOGUE, film, folder
from .sources import convert, tvqa_plus

DOCS = ROOT / "docs"


def prepare(page: str, place: Path) -> None:
    """Put the files that a page's command names into `place`."""
    if page == "tvqa-plus":
        shutil.copy(tvqa_plus(), place)
    elif page == "mmsi":
        release(place)
    elif page == "online-mmsi":
        square = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
        save(
            place / "keypoints" / "vid1_Game1.npy",
            [[person(0, *square)] if step in (50, 60) else [] for step in range(99)],
        )
        film(place, "vid1_Game1_10_14.mp4")
        folder(place, [("vid1_Game1_10_14.mp4", DIALOGUE, "Player0")])
    else:
        shutil.copy(SAMPLE / "videos" / "kitchen-keys.mp4", place)
        text = (DOCS / "tracks.md").read_text(encoding="utf-8")
        for name, content in re.findall(r"^`([\w.]+)`:\n\n```text\n(.*?)```", text, re.MULTILINE | re.DOTALL):
            (place / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize("page", ["tvqa-plus", "mmsi", "online-mmsi", "tracks"])
def test_the_command_of_the_page_prints_what_stands_there(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    command, expected = re.findall(r"```console\n\$ socialcli convert (.*?)\n(.*?)```", text, re.DOTALL)[0]
    prepare(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    result = convert(*shlex.split(command), "-q")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == expected


def test_every_converter_has_a_page_in_the_list() -> None:
    overview = (DOCS / "convert.md").read_text(encoding="utf-8")
    for name in ("tvqa-plus", "mmsi", "online-mmsi", "tracks"):
        assert f"[{name}.md]({name}.md)" in overview
    assert "| `elan`, `textgrid` |" in overview
