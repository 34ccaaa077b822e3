"""The settings of a sweep: every combination of the given values, without duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import product
from typing import Any, Literal, Protocol

from socialcli.alignment.heads.selectors import DYNAMIC, HeadSelector
from socialcli.alignment.layers import DecoderLayers, layers_text
from socialcli.alignment.steering.modes import SPEAKER, SteeringMode
from socialcli.errors import UsageError
from socialcli.results.predictions import METHOD_VALUES
from socialcli.settings.alignment import AlignmentSettings
from socialcli.settings.run import RunSettings

SweptOption = Literal["alpha", "lambda", "layers", "bias", "heads_by", "max_heads", "steer", "balance"]

OPTIONS: tuple[SweptOption, ...] = (
    *("alpha", "lambda", "layers", "bias"),
    *("heads_by", "max_heads", "steer", "balance"),
)

_DEFAULTS = AlignmentSettings()


@dataclass(frozen=True, slots=True)
class Setting:
    """One condition, as the tables write it; all None for the plain model.

    `layers` are the aligned layers, "10-19" or "3,7,11", however the command line named them. A selector or mode that
    is None is the method's in an aligned setting, as in a sweep.json of an earlier version.
    """

    alpha: float | None = None
    lambda_: float | None = None
    layers: str | None = None
    bias: str | None = None
    heads_by: str | None = None
    max_heads: int | None = None  # None: no limit, or a selector that heeds none
    steer: str | None = None
    balance: float | None = None  # None: a mode without one

    def __post_init__(self) -> None:
        """Name the method's selector and mode in an aligned setting."""
        for name, value in METHOD_VALUES.items() if self.alpha is not None else ():
            if name in OPTIONS and getattr(self, name) is None:
                object.__setattr__(self, name, value)  # the only way to set a field of a frozen dataclass

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Setting:
        """The setting of a row or of a condition in sweep.json, which lacks the options of later versions.

        Raises KeyError for a record without alpha, lambda, layers or bias.
        """
        first = (record[option] for option in OPTIONS[:4])
        return cls(*first, *(record.get(option) for option in OPTIONS[4:]))

    def as_record(self) -> dict[SweptOption, Any]:
        """The values by option; the columns have the same names."""
        return dict(zip(OPTIONS, astuple(self), strict=True))

    def without(self, option: SweptOption) -> Setting:
        """The setting with the option set to None: the same for settings that differ only in this option."""
        return self.having(option, None)

    def having(self, option: SweptOption, value: Any) -> Setting:
        """The setting with another value of one option."""
        return Setting(*{**self.as_record(), option: value}.values())

    def words(self, but: SweptOption | None = None) -> str:
        """The setting in words, without the option `but` and without the method's selector and mode."""
        named = self.as_record().items()
        shown = (
            described(option, value)
            for option, value in named
            if value is not None and option != but and value != METHOD_VALUES.get(option)
        )
        return ", ".join(shown)

    def __str__(self) -> str:
        """The setting in words: "alpha 1, lambda 5e-05, layers 10-19, published bias"."""
        return self.words()


PLAIN = Setting()


@dataclass(frozen=True, slots=True)
class Grid:
    """The values to combine, in the given order."""

    alpha: tuple[float, ...]
    lambda_: tuple[float, ...]
    layers: tuple[str, ...]
    bias: tuple[str, ...]  # names of rules
    heads_by: tuple[HeadSelector, ...] = (DYNAMIC,)
    max_heads: tuple[int | None, ...] = (None,)  # None: no limit
    steer: tuple[SteeringMode, ...] = (SPEAKER,)
    balance: tuple[float, ...] = (_DEFAULTS.balance,)

    def check(self, settings: RunSettings) -> None:
        """Raise UsageError for a value that `socialcli run` would refuse, or if every setting is plain."""
        for name in ("alpha", "lambda_", "layers", "max_heads", "balance"):
            for value in getattr(self, name):
                settings.changed(**{name: value})
        if not any(self.alpha):
            raise UsageError("--alpha 0 is the plain model, which is asked anyway: name a value above 0 to compare it")
        for selector in self.heads_by:
            if selector.reads_file:
                raise UsageError(
                    f"--heads-by {selector.name}: a sweep has no --heads; ask `socialcli run` with the file instead"
                )
            if selector.needs_limit and not any(self.max_heads):
                raise UsageError(f"--heads-by {selector.name} needs numbers of heads: add --max-heads K,K,...")

    @property
    def combinations(self) -> int:
        """The number of combinations, duplicates included."""
        count = 1
        for values in self._values():
            count *= len(values)
        return count

    def settings(self, decoder: DecoderLayers) -> tuple[Setting, ...]:
        """The plain model, then every other setting once, in the order of the values.

        Alpha 0 is the plain model, whatever the other values. Two names of the same layers of the `decoder` count once.
        So do values without effect: a lambda or limit that the selector does not heed, the balance of a mode without
        one. A selector that needs a limit is not combined with none. Raises UsageError for layers that the `decoder`
        does not have.
        """
        return tuple(dict.fromkeys((PLAIN, *self._canonical(decoder))))

    def as_record(self) -> dict[SweptOption, list[Any]]:
        """The given values by option; selectors and modes by name."""
        names = [[getattr(value, "name", value) for value in values] for values in self._values()]
        return dict(zip(OPTIONS, names, strict=True))

    def _canonical(self, decoder: DecoderLayers) -> Iterator[Setting]:
        layers = {name: layers_text(decoder.choose(name)) for name in self.layers}
        for alpha, lambda_, name, bias, selector, limit, mode, balance in product(*self._values()):
            if not alpha:
                yield PLAIN
            elif limit is not None or not selector.needs_limit:
                heads = effective_lambda(selector, lambda_), layers[name], bias, selector.name
                limited = limit if selector.limited else None
                yield Setting(alpha, *heads, limited, mode.name, balance if mode.balances else None)

    def _values(self) -> tuple[tuple[Any, ...], ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


def effective_lambda(selector: HeadSelector, value: float) -> float:
    """Lambda as the rows have it: the default where the selector tests no head against it."""
    return _DEFAULTS.lambda_ if selector.in_layer is None else value


class OfSetting(Protocol):
    """A row of a table that was made under a setting."""

    @property
    def alpha(self) -> float | None:
        """The strength of the bias."""
        ...

    @property
    def lambda_(self) -> float | None:
        """The mean attention above which a head is active."""
        ...

    @property
    def layers(self) -> str | None:
        """The aligned layers, as `--layers` takes them."""
        ...

    @property
    def bias(self) -> str | None:
        """The rule."""
        ...

    @property
    def heads_by(self) -> str | None:
        """The head selector."""
        ...

    @property
    def max_heads(self) -> int | None:
        """The most heads that can be active."""
        ...

    @property
    def steer(self) -> str | None:
        """The steering mode."""
        ...

    @property
    def balance(self) -> float | None:
        """The weight of the people who could be meant."""
        ...


def setting_of(row: OfSetting) -> Setting:
    """The setting that a row was made under."""
    heads = row.heads_by, row.max_heads
    return Setting(row.alpha, row.lambda_, row.layers, row.bias, *heads, row.steer, row.balance)


def described(option: SweptOption, value: object) -> str:
    """An option's value in words."""
    if option == "bias":
        return f"{value} bias"
    return f"{dashed(option)} {short(value, option)}"


def dashed(option: SweptOption) -> str:
    """The option as the command line spells it, without its leading dashes."""
    return option.replace("_", "-")


def short(value: object, option: SweptOption | None = None) -> str:
    """A value as a table shows it."""
    if value is None and option == "max_heads":
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
