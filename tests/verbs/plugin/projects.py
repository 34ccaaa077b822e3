"""A generated plug-in on the path of this process, as `pip install` would leave it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from socialcli.models.contract import ModelSpec
from socialcli.plugins.registry import registry


@contextmanager
def installed(project: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelSpec]:
    """Put the plug-in of the folder on the path, with pip's metadata; forget it afterwards."""
    (package,) = [path.parent.name for path in project.glob("*/adapter.py")]
    info = project / f"{package}-0.1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: socialcli-{model}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[socialcli]\n{model} = {package}\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(project)
        importlib.invalidate_caches()
        registry.cache_clear()
        try:
            yield registry().model(model).item
        finally:
            for name in [one for one in sys.modules if one.split(".")[0] == package]:
                del sys.modules[name]
            registry.cache_clear()
