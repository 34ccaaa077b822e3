"""Fixtures that several folders of tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from socialcli.plugins import registry


def write_distribution(
    folder: Path, name: str, source: str, *, version: str = "1.0", entry_point: str = "main", metadata: str = ""
) -> Path:
    """Write an installed distribution into a folder of the path: a module, and the files that pip leaves."""
    module = name.replace("-", "_")
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    entry_points = metadata or f"[socialcli]\n{entry_point} = {module}\n"
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    (info / "RECORD").write_text(f"{module}.py,,\n", encoding="utf-8")
    return folder


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install distributions for one test: `distribution(name, source, version=..., entry_point=...)`."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.delenv("SOCIALCLI_LOAD_PLUGINS", raising=False)
    registry.cache_clear()
    modules = set(sys.modules)

    def write(name: str, source: str, **details: str) -> Path:
        return write_distribution(site, name, source, **details)

    yield write
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(site)):
            del sys.modules[name]
    registry.cache_clear()
