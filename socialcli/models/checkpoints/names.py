"""Advice on a --checkpoint that is neither a folder nor a hub id."""

from __future__ import annotations

import re
from pathlib import Path

_HUB = re.compile(
    r"(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/|hf://)"
    r"(?:models/)?(?P<id>[\w.-]+/[\w.-]+)"
    r"(?:(?:@|/(?:tree|blob|resolve|raw|commit)/)(?P<revision>[^/?#]+))?",
    re.IGNORECASE,
)
_AT = re.compile(r"(?P<name>.+)@(?P<revision>[\w.+-]+)")


def checkpoint_advice(checkpoint: str) -> str | None:
    """What to write instead of a web address or of `name@version`; None for any other name and an existing folder."""
    if Path(checkpoint).is_dir():
        return None
    if found := _HUB.match(checkpoint):
        return f"is an address; name the id alone: --checkpoint {found['id']}{_revision(found['revision'])}"
    if "://" in checkpoint:
        return "is an address; fetch the checkpoint first, and name its folder, or name an id on the hub (owner/name)"
    if found := _AT.fullmatch(checkpoint):
        name = found["name"]
        if Path(name).is_dir():
            return f"there is no such folder; {name} is one, and has one version only: leave @{found['revision']} out"
        if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            return f"a version has its own option: --checkpoint {name}{_revision(found['revision'])}"
    return None


def _revision(revision: str | None) -> str:
    return f" --revision {revision}" if revision else ""
