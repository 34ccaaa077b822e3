"""The settings of a sweep: every combination of the given values, without duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from itertools import product
from typing import Any, Literal, Protocol

from socialcli.alignment.layers import DecoderLayers, layers_text
from socialcli.errors import UsageError
from socialcli.settings.run import RunSettings

SweptOption = Literal["alpha", "lambda", "layers", "bias"]

OPTIONS: tuple[SweptOption, ...] = ("alpha", "lambda", "layers", "bias")


@dataclass(frozen=True, slots=True)
class Setting:
    """One condition, as the tables write it; all None for the plain model.

    `layers` are the aligned layers, "10-19" or "3,7,11", however the command line named them.
    """

    alpha: float | None = None
    lambda_: float | None = None
    layers: str | None = None
    bias: str | None = None

    def as_record(self) -> dict[SweptOption, Any]:
        """The values by option; the columns have the same names."""
        return dict(zip(OPTIONS, astuple(self), strict=True))

    def without(self, option: SweptOption) -> Setting:
        """The setting with the option set to None: the same for settings that differ only in this option."""
        return self.having(option, None)

    def having(self, option: SweptOption, value: Any) -> Setting:
        """The setting with another value of one option."""
        return Setting(*{**self.as_record(), option: value}.values())

    def __str__(self) -> str:
        """The setting in words: "alpha 1, lambda 5e-05, layers 10-19, published bias"."""
        return ", ".join(described(option, value) for option, value in self.as_record().items() if value is not None)


PLAIN = Setting()


@dataclass(frozen=True, slots=True)
class Grid:
    """The values to combine, in the given order."""

    alpha: tuple[float, ...]
    lambda_: tuple[float, ...]
    layers: tuple[str, ...]
    bias: tuple[str, ...]  # names of rules

    def check(self, settings: RunSettings) -> None:
        """Raise UsageError for a value that `socialcli run` would refuse, or if every setting is plain."""
        for name in ("alpha", "lambda_", "layers"):
            for value in getattr(self, name):
                settings.changed(**{name: value})
        if not any(self.alpha):
            raise UsageError("--alpha 0 is the plain model, which is asked anyway: name a value above 0 to compare it")

    @property
    def combinations(self) -> int:
        """The number of combinations, duplicates included."""
        return len(self.alpha) * len(self.lambda_) * len(self.layers) * len(self.bias)

    def settings(self, decoder: DecoderLayers) -> tuple[Setting, ...]:
        """The plain model, then every other setting once, in the order of the values.

        Alpha 0 is the plain model, whatever the other values. Two names of the same layers of the `decoder` count once.
        Raises UsageError for layers that it does not have.
        """
        return tuple(dict.fromkeys((PLAIN, *self._canonical(decoder))))

    def as_record(self) -> dict[SweptOption, list[Any]]:
        """The given values by option."""
        return {option: list(values) for option, values in zip(OPTIONS, self._values(), strict=True)}

    def _canonical(self, decoder: DecoderLayers) -> Iterator[Setting]:
        layers = {name: layers_text(decoder.choose(name)) for name in self.layers}
        for alpha, lambda_, name, bias in product(self.alpha, self.lambda_, self.layers, self.bias):
            yield Setting(alpha, lambda_, layers[name], bias) if alpha else PLAIN

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
