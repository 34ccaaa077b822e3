"""Shell completion of options whose values plug-ins provide. Nothing here imports a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from socialcli.errors import PluginError
from socialcli.tasks.names import ALL_TASKS

if TYPE_CHECKING:
    from socialcli.plugins.registry import Registry


def _registered(kind: Callable[[Registry], Mapping[str, Any]]) -> Mapping[str, Any]:
    from socialcli.plugins.registry import registry

    try:
        return kind(registry())
    except PluginError:  # two plug-ins claim one name: running the command reports it
        return {}


def models(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The models, with their summaries."""
    found = _registered(lambda registry: registry.models())
    return _items(((name, one.item.summary) for name, one in found.items()), incomplete)


def tasks(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The tasks, and `all`."""
    tasks = _registered(lambda registry: registry.tasks())
    found = [(name, one.item.summary) for name, one in tasks.items()]
    return _items([*found, (ALL_TASKS, "all tasks")], incomplete)


def answer_modes(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The answer modes, with what they do."""
    found = _registered(lambda registry: registry.answer_modes())
    return _items(((name, one.item.summary) for name, one in found.items()), incomplete)


def head_selectors(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The head selectors, with what they do; after a comma, as in the lists of `sweep`, those not listed yet."""
    return _listed(_registered(lambda registry: registry.head_selectors()), incomplete)


def steering_modes(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The steering modes, with what they do; after a comma, as in the lists of `sweep`, those not listed yet."""
    return _listed(_registered(lambda registry: registry.steering_modes()), incomplete)


def rules(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The bias rules; after a comma, as in the lists of `sweep`, those not listed yet."""
    return _listed(_registered(lambda registry: registry.bias_rules()), incomplete)


def _listed(found: Mapping[str, Any], incomplete: str) -> list[CompletionItem]:
    before, comma, last = incomplete.rpartition(",")
    given = set(before.split(","))
    rest = {name: one.item.summary for name, one in found.items() if name not in given and name.startswith(last)}
    return [CompletionItem(f"{before}{comma}{name}", help=text) for name, text in rest.items()]


def _items(found: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=text) for name, text in found if name.startswith(incomplete)]
