"""The settings of `socialcli run`, in groups; sweep, measure and train use them too."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from socialcli.settings.alignment import AlignmentSettings
from socialcli.settings.checks import CheckSettings
from socialcli.settings.compute import ComputeSettings
from socialcli.settings.fields import Setting, record_of, settings_of
from socialcli.settings.model import ModelSettings
from socialcli.settings.prompt import PromptSettings
from socialcli.settings.selection import SelectionSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a run is asked to do. The groups raise UsageError for a value outside its range or choices."""

    selection: SelectionSettings
    model: ModelSettings
    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    prompt: PromptSettings = field(default_factory=PromptSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    checks: CheckSettings = field(default_factory=CheckSettings)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """The settings with these values, by key (`lambda_` for `lambda`); the others have their defaults.

        Raises UsageError for a value outside its range or choices, TypeError for a name that is no setting.
        """
        return cls(**{group: GROUPS[group](**fields) for group, fields in _by_group(values).items()})

    def changed(self, **values: Any) -> Self:
        """The same settings with other values, by key as in `of`."""
        groups = _by_group(values)
        return dataclasses.replace(
            self, **{group: dataclasses.replace(getattr(self, group), **fields) for group, fields in groups.items()}
        )

    def as_record(self) -> dict[str, Any]:
        """All settings as JSON values, by key: the field `settings` of run.json."""
        return {key: value for group in GROUPS for key, value in record_of(getattr(self, group)).items()}


GROUPS: Mapping[str, type] = {
    "selection": SelectionSettings,
    "model": ModelSettings,
    "alignment": AlignmentSettings,
    "prompt": PromptSettings,
    "compute": ComputeSettings,
    "checks": CheckSettings,
}


ASK_ALL: Mapping[str, Mapping[str, Any]] = {
    "max_failures": {
        "default": "0",
        "optional": False,
        "otherwise": None,
        "help": "Exit with 3 if more than N questions, or P% of all, failed.",
    }
}
"""What verbs that ask all questions, however many fail, declare in place of a run's settings: see `run_settings`."""


def run_settings(
    but: Collection[str] = (), adapted: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Iterator[Setting]:
    """The declared settings of a run, group by group, without those whose keys are in `but`.

    `adapted` says, by key, what a verb declares differently: see `Setting.adapted`.
    """
    for group in GROUPS.values():
        yield from (one.adapted(**adapted.get(one.key, {})) for one in settings_of(group) if one.key not in but)


def run_keys(but: Collection[str] = ()) -> tuple[str, ...]:
    """The keys of the settings of a run, without those in `but`."""
    return tuple(one.key for one in run_settings(but))


def _by_group(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values by group and field. Raises TypeError for a name that is no setting."""
    places = {one.parameter: (group, one.name) for group, kind in GROUPS.items() for one in settings_of(kind)}
    found: dict[str, dict[str, Any]] = {}
    for parameter, value in values.items():
        if parameter not in places:
            raise TypeError(f"{parameter!r} is no setting of a run")
        group, name = places[parameter]
        found.setdefault(group, {})[name] = value
    return found
