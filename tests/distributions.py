"""Small distributions, installed for one test: real modules with the metadata that pip leaves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from socialcli.plugins.registry import registry

Install = Callable[..., Path]


@contextmanager
def site_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put the folder on the path, and give a function that installs into it; forget all of it afterwards."""
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("SOCIALCLI_LOAD_PLUGINS", raising=False)
    registry.cache_clear()
    modules = set(sys.modules)

    def install(name: str, source: str, **details: str) -> Path:
        write_distribution(folder, name, source, **details)
        return folder

    try:
        yield install
    finally:
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]
        registry.cache_clear()


def write_distribution(
    folder: Path,
    name: str,
    source: str,
    *,
    version: str = "1.0",
    entry_point: str = "main",
    entry_points: str | None = None,
) -> None:
    """Write the module and the .dist-info folder of a distribution whose one entry point is that module."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    text = entry_points or f"[socialcli]\n{entry_point} = {module}\n"
    (info / "entry_points.txt").write_text(text, encoding="utf-8")
    (info / "RECORD").write_text(f"{module}.py,,\n{info.name}/RECORD,,\n", encoding="utf-8")
