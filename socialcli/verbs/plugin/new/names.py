"""The names of a new plug-in, all from the one that --model takes."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from socialcli.errors import UsageError

_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of a plug-in are called."""

    model: str  # what --model takes, for example "glm-4.6v"
    distribution: str  # what pip installs
    package: str  # what Python imports


def names_of(name: str, taken: Collection[str]) -> Names:
    """The names for `--model NAME`. Raises UsageError for one that cannot be used or that is `taken`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for a model: write lower-case letters and digits, with a hyphen or a dot between "
            "them, such as glm-4.6v"
        )
    if name in taken:
        raise UsageError(f"an installed plug-in has a model {name!r} already; choose another name, or uninstall it")
    return Names(name, f"socialcli-{name}", re.sub(r"[.-]", "_", f"socialcli_{name}"))
