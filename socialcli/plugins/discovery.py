"""Finds the plug-ins: one entry point at a time, so that a broken one costs nobody else.

`SOCIALCLI_LOAD_PLUGINS` limits what is loaded: the names of distributions, separated by commas. Empty, it
leaves socialcli's own. Unset, everything that is installed is loaded.
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
    """A plug-in that loaded. `hooks` calls the hooks of this plug-in alone."""

    origin: Origin
    hooks: pluggy.HookRelay


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a plug-in, or one of its hooks, is not there."""

    origin: Origin
    reason: str

    def __str__(self) -> str:
        """Say it in one line, for messages."""
        return f"the plug-in {self.origin} is broken and left out: {self.reason}"


def discover() -> tuple[list[Plugin], list[Problem]]:
    """Load socialcli's own plug-in and that of every entry point of the group "socialcli".

    Returns the ones that work, socialcli's first, and the problems of the others, which are logged as
    warnings.
    """
    core = Origin("socialcli", socialcli.__version__, "builtin")
    plugins = [load(core, builtin)]
    problems: list[Problem] = []
    for origin, entry_point in _wanted(sorted(_entry_points(), key=_order)):
        try:
            plugins.append(load(origin, entry_point.load()))
        except (Exception, SystemExit) as error:  # whatever the code of others raises, it must not stop us
            problems.append(broken(origin, describe(error)))
    return plugins, problems


def load(origin: Origin, module: object) -> Plugin:
    """Register a plug-in's module with a plug-in manager of its own.

    Raises pluggy.PluginValidationError where it implements no hook, an unknown one, or one with other
    parameters.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise pluggy.PluginValidationError(module, "it implements no hook; mark its functions with `hookimpl`")
    return Plugin(origin, manager.hook)


def broken(origin: Origin, reason: str) -> Problem:
    """Make a problem of it and warn about it."""
    problem = Problem(origin, reason)
    _log.warning("%s", problem)
    return problem


def describe(error: BaseException) -> str:
    """Name the kind of an error and its text."""
    return f"{type(error).__name__}: {error}"


def _entry_points() -> Iterator[tuple[Origin, metadata.EntryPoint]]:
    # One may be found twice, as a source tree and installed: take the first, as an import would.
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
    """Return a distribution's name as PEP 503 compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()
