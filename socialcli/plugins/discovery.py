"""Find and load plug-ins one entry point at a time, so that a broken one affects no other.

`SOCIALCLI_LOAD_PLUGINS` lists the distributions to load, separated by commas. If it is empty, only socialcli's own
plug-ins are loaded; if it is unset, all installed ones are.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

import pluggy

import socialcli
from socialcli.plugins import builtin, hookspecs

LOAD_PLUGINS = "SOCIALCLI_LOAD_PLUGINS"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plug-in comes from."""

    distribution: str  # as pip names it
    version: str  # of the distribution
    entry_point: str

    def __str__(self) -> str:
        """Name the distribution, its version and the entry point, for messages."""
        return f"{self.distribution} {self.version} (entry point {self.entry_point!r})"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded plug-in. `hooks` calls the hooks of this plug-in only."""

    origin: Origin
    hooks: pluggy.HookRelay


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a plug-in, or one of its hooks, is unavailable."""

    origin: Origin
    reason: str

    def __str__(self) -> str:
        """The problem on one line, for messages."""
        return f"the plug-in {self.origin} is broken and was skipped: {self.reason}"


def discover() -> tuple[list[Plugin], list[Problem]]:
    """Load the built-in plug-in, then one for every entry point of the group "socialcli".

    Returns the working plug-ins, socialcli's own first, and the problems of the others, which are also logged as
    warnings.
    """
    core = Origin("socialcli", socialcli.__version__, "builtin")
    plugins = [load(core, builtin)]
    problems: list[Problem] = []
    for origin, entry_point in _wanted(sorted(_entry_points(), key=_order)):
        try:
            plugins.append(load(origin, entry_point.load()))
        except (Exception, SystemExit) as error:  # nothing a plug-in raises may stop us
            problems.append(broken(origin, describe(error)))
    return plugins, problems


def load(origin: Origin, module: object) -> Plugin:
    """Register a plug-in's module with its own plug-in manager.

    Raises pluggy.PluginValidationError if it implements no hook, an unknown hook, or a hook with the wrong parameters.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise pluggy.PluginValidationError(module, "it implements no hook; mark its functions with `hookimpl`")
    return Plugin(origin, manager.hook)


def broken(origin: Origin, reason: str) -> Problem:
    """Create a Problem and log it as a warning."""
    problem = Problem(origin, reason)
    _log.warning("%s", problem)
    return problem


def describe(error: BaseException) -> str:
    """An error as `Kind: message`."""
    return f"{type(error).__name__}: {error}"


def _entry_points() -> Iterator[tuple[Origin, metadata.EntryPoint]]:
    # A distribution can appear twice, as a source tree and installed: take the first, as an import would.
    seen: set[str] = set()
    for distribution in metadata.distributions():
        try:
            found = distribution.entry_points.select(group=hookspecs.PROJECT)
        except (TypeError, ValueError) as error:
            _log.warning("the entry points of %s cannot be read: %s", distribution.name, error)
            continue
        if not found or _canonical(distribution.name) in seen:
            continue
        seen.add(_canonical(distribution.name))
        for entry_point in found:
            yield Origin(distribution.name, distribution.version, entry_point.name), entry_point


def _order(found: tuple[Origin, metadata.EntryPoint]) -> tuple[bool, str, str]:
    origin, _ = found
    return not _own(origin), _canonical(origin.distribution), origin.entry_point


def _wanted(
    found: list[tuple[Origin, metadata.EntryPoint]],
) -> Iterator[tuple[Origin, metadata.EntryPoint]]:
    chosen = os.environ.get(LOAD_PLUGINS)
    if chosen is None:
        yield from found
        return
    names = {_canonical(name.strip()) for name in chosen.split(",") if name.strip()}
    for name in sorted(names - {_canonical(origin.distribution) for origin, _ in found}):
        _log.warning("%s names %r, but no such plug-in is installed", LOAD_PLUGINS, name)
    for origin, entry_point in found:
        if _own(origin) or _canonical(origin.distribution) in names:
            yield origin, entry_point


def _own(origin: Origin) -> bool:
    return _canonical(origin.distribution) == "socialcli"


def _canonical(name: str) -> str:
    """Normalize a distribution's name as PEP 503 does."""
    return re.sub(r"[-_.]+", "-", name).lower()
