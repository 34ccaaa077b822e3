"""What a settings field declares once, beside its type and its default, and what follows from that.

A group of settings is a frozen dataclass whose fields read

    alpha: float = field(default=1.0, metadata=setting(help="Strength of the alignment's bias.", least=0))

Checks, click options, the record in run.json, its JSON Schema and the table of docs/settings.md are made from these.
"""

from __future__ import annotations

import dataclasses
import keyword
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from functools import cache, reduce
from operator import or_
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from socialcli.errors import UsageError

_ABOUT = "setting"

Provided = Literal["models", "tasks", "rules", "head_selectors", "steering_modes", "answer_modes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a field declares of its setting."""

    help: str  # a sentence for --help and the pages
    key: str | None = None  # in run.json; None: the field's name, without a trailing underscore
    option: str | None = None  # its long name; None: made from the key
    aliases: tuple[str, ...] = ()  # further names of the option
    metavar: str | None = None  # of the value, in --help
    least: float | None = None  # the smallest value
    above: float | None = None  # exclusive lower bound
    most: float | None = None  # the largest value
    unit: str | None = None  # of a number: "seconds"
    otherwise: str | None = None  # the default in words, where it depends on other options or on the model
    pattern: str | None = None  # a regular expression of a text, for the JSON Schema
    is_path: bool = False
    names: Provided | None = None  # values are names of what plug-ins provide
    free: bool = False  # no answer depends on it: an interrupted run may be resumed with another value
    check: Callable[[Any], object] | None = None  # raises UsageError for a value that is not None


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of a group: its declaration, type and default."""

    name: str
    about: About
    type: Any  # without None
    default: Any  # MISSING where required
    optional: bool  # whether None is a value

    @property
    def key(self) -> str:
        """Its name in run.json."""
        return self.about.key or self.name.rstrip("_")

    @property
    def parameter(self) -> str:
        """Its name as an argument: the key, with an underscore behind a word that Python reserves."""
        return f"{self.key}_" if keyword.iskeyword(self.key) else self.key

    @property
    def option(self) -> str:
        """Its long option."""
        return self.about.option or "--" + self.key.replace("_", "-")

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING

    @property
    def choices(self) -> tuple[str, ...] | None:
        """The texts that it can be; None: any of its type."""
        return get_args(self.type) if get_origin(self.type) is Literal else None

    @property
    def number(self) -> type[int] | type[float] | None:
        """The type of the numbers that it can be; None: it is none."""
        found = [one for one in (self.type, *get_args(self.type)) if one in (int, float)]
        return found[0] if found and not self.repeats else None

    @property
    def word(self) -> str | None:
        """The one word that can stand in place of a number, such as "auto"."""
        words = [one for one in get_args(self.type) if get_origin(one) is Literal]
        return str(get_args(words[0])[0]) if words else None

    @property
    def repeats(self) -> bool:
        """Whether it holds several values."""
        return get_origin(self.type) is tuple

    @property
    def limits(self) -> str:
        """Its range in words."""
        least, above, most = self.about.least, self.about.above, self.about.most
        unit = f" ({self.about.unit})" if self.about.unit else ""
        if most is not None:
            return f"from {least:g} to {most:g}{unit}" if above is None else f"above {above:g}, up to {most:g}{unit}"
        return f"above {above:g}{unit}" if above is not None else f"of at least {least or 0:g}{unit}"

    def adapted(self, **changes: Any) -> Self:
        """The setting as another verb has it: with other declarations (of `About`), type or default."""
        own = {name: changes.pop(name) for name in ("type", "default", "optional") if name in changes}
        return dataclasses.replace(self, about=dataclasses.replace(self.about, **changes), **own)

    def check(self, value: Any) -> None:
        """Raise UsageError for a value outside its choices or range."""
        if value is None:
            return
        if self.choices is not None and value not in self.choices:
            raise UsageError(f"{self.option} {value!r} is not one of {', '.join(self.choices)}")
        if self.number is not None and value != self.word and not self._in_range(value):
            raise UsageError(f"{self.option} {value} is out of range: give a number {self.limits}")
        if self.about.check is not None:
            self.about.check(value)

    def _in_range(self, value: float) -> bool:
        least, above, most = self.about.least, self.about.above, self.about.most
        return (
            math.isfinite(value)
            and (least is None or value >= least)
            and (above is None or value > above)
            and (most is None or value <= most)
        )


def setting(**about: Any) -> Mapping[str, About]:
    """The metadata of a field: see `About`."""
    return {_ABOUT: About(**about)}


@cache
def settings_of(group: type) -> tuple[Setting, ...]:
    """The settings of a group, in the order of its fields."""
    hints = get_type_hints(group)
    return tuple(
        Setting(field.name, field.metadata[_ABOUT], *_without_none(hints[field.name], _default(field)))
        for field in dataclasses.fields(group)
        if _ABOUT in field.metadata
    )


def check_settings(group: Any) -> None:
    """Raise UsageError for a value of the group that is outside its choices or range."""
    for one in settings_of(group.__class__):
        one.check(getattr(group, one.name))


def record_of(group: Any) -> dict[str, Any]:
    """The values of a group as JSON values, by key."""
    values = {one.key: getattr(group, one.name) for one in settings_of(group.__class__)}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _without_none(hint: Any, default: Any) -> tuple[Any, Any, bool]:
    """The type without None, the default, and whether None is a value."""
    if get_origin(hint) not in (Union, types.UnionType) or type(None) not in get_args(hint):
        return hint, default, False
    rest = tuple(one for one in get_args(hint) if one is not type(None))
    return reduce(or_, rest), default, True
