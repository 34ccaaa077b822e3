"""The settings of a sweep: every combination of the values given, and each way of asking only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from itertools import product
from typing import Any, Literal, Protocol

from socialcli.alignment.layers import resolve_layers
from socialcli.errors import UsageError
from socialcli.settings.run import RunSettings

SweptOption = Literal["alpha", "lambda", "layers", "bias"]

OPTIONS: tuple[SweptOption, ...] = ("alpha", "lambda", "layers", "bias")


@dataclass(frozen=True, slots=True)
class Setting:
    """One way of asking, in the form that the tables give it: all None for the plain model.

    `layers` are the first and the last one, "10-19", whatever they were called on the command line.
    """

    alpha: float | None = None
    lambda_: float | None = None
    layers: str | None = None
    bias: str | None = None

    def as_record(self) -> dict[SweptOption, Any]:
        """The values under the names of the options, which are those of the columns."""
        return dict(zip(OPTIONS, astuple(self), strict=True))

    def without(self, option: SweptOption) -> Setting:
        """What is left when nobody asks for the option's value: the same for settings that differ in it alone."""
        return self.having(option, None)

    def having(self, option: SweptOption, value: Any) -> Setting:
        """The same but for the value of one option."""
        return Setting(*{**self.as_record(), option: value}.values())

    def __str__(self) -> str:
        """The setting in words: "alpha 1, lambda 5e-05, layers 10-19, published bias"."""
        return ", ".join(described(option, value) for option, value in self.as_record().items() if value is not None)


PLAIN = Setting()


@dataclass(frozen=True, slots=True)
class Grid:
    """The values to combine, each option's in the order in which they were given."""

    alpha: tuple[float, ...]
    lambda_: tuple[float, ...]
    layers: tuple[str, ...]
    bias: tuple[str, ...]  # names of rules

    def check(self, settings: RunSettings) -> None:
        """Raise UsageError for a value that `socialcli run` would refuse beside `settings`, or where all are plain."""
        for name in ("alpha", "lambda_", "layers"):
            for value in getattr(self, name):
                settings.changed(**{name: value})
        if not any(self.alpha):
            raise UsageError("--alpha 0 is the plain model, which is asked anyway: name a value above 0 to compare it")

    @property
    def combinations(self) -> int:
        """How many ways there are to pick a value of each option."""
        return len(self.alpha) * len(self.lambda_) * len(self.layers) * len(self.bias)

    def settings(self, decoder_layers: int) -> tuple[Setting, ...]:
        """The plain model, then every other setting once, in the order of the values.

        Alpha 0 changes nothing, whatever the rest, and is the plain model; layers that go by two names are the same in
        a decoder of `decoder_layers`. Raises UsageError for layers that it does not have.
        """
        return tuple(dict.fromkeys((PLAIN, *self._canonical(decoder_layers))))

    def as_record(self) -> dict[SweptOption, list[Any]]:
        """The values as they were given, under the names of the options."""
        return {option: list(values) for option, values in zip(OPTIONS, self._values(), strict=True)}

    def _canonical(self, decoder_layers: int) -> Iterator[Setting]:
        layers = {name: resolve_layers(name, decoder_layers) for name in self.layers}
        for alpha, lambda_, name, bias in product(self.alpha, self.lambda_, self.layers, self.bias):
            chosen = f"{layers[name][0]}-{layers[name][-1]}"
            yield Setting(alpha, lambda_, chosen, bias) if alpha else PLAIN

    def _values(self) -> tuple[tuple[Any, ...], ...]:
        return self.alpha, self.lambda_, self.layers, self.bias


class OfSetting(Protocol):
    """A row of a table that was made under a setting."""

    @property
    def alpha(self) -> float | None:
        """The strength of the bias."""
        ...

    @property
    def lambda_(self) -> float | None:
        """The attention from which a head takes part."""
        ...

    @property
    def layers(self) -> str | None:
        """The first and the last layer that take part."""
        ...

    @property
    def bias(self) -> str | None:
        """The rule."""
        ...


def setting_of(row: OfSetting) -> Setting:
    """The setting that a row was made under."""
    return Setting(row.alpha, row.lambda_, row.layers, row.bias)


def described(option: SweptOption, value: object) -> str:
    """An option's value in words."""
    if option == "bias":
        return f"{value} bias"
    return f"{option} {short(value)}"


def short(value: object) -> str:
    """A value as a table shows it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
