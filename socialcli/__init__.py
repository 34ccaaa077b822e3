"""Multi-speaker video questions in batch, with attention alignment for video language models.

The names below are the public Python API. Each is imported on first use, so `import socialcli` stays cheap and
torch is imported only by the names that need it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socialcli.alignment.attention import aligned
    from socialcli.alignment.plan import build_plan
    from socialcli.api import ask, load_model, open_clip
    from socialcli.episodes.reading import read_episodes
    from socialcli.episodes.records import Episode
    from socialcli.errors import SocialcliError
    from socialcli.plugins.hookspecs import hookimpl
    from socialcli.plugins.registry import Registry

    __version__: str

__all__ = [
    "Episode",
    "Registry",
    "SocialcliError",
    "__version__",
    "aligned",
    "ask",
    "build_plan",
    "hookimpl",
    "load_model",
    "open_clip",
    "read_episodes",
]

_HOMES = {
    "Episode": "socialcli.episodes.records",
    "Registry": "socialcli.plugins.registry",
    "SocialcliError": "socialcli.errors",
    "aligned": "socialcli.alignment.attention",
    "ask": "socialcli.api",
    "build_plan": "socialcli.alignment.plan",
    "hookimpl": "socialcli.plugins.hookspecs",
    "load_model": "socialcli.api",
    "open_clip": "socialcli.api",
    "read_episodes": "socialcli.episodes.reading",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name == "__version__":
        value: Any = _installed_version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})


def _installed_version() -> str:
    from importlib import metadata

    try:
        return metadata.version("socialcli")
    except metadata.PackageNotFoundError:
        return "0+unknown"  # a source tree on sys.path, not installed
