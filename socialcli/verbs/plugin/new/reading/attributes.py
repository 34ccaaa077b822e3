"""Numbers of a checkpoint, found by value: the expression that reads a number off the loaded checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attributes:
    """The objects that an adapter reaches, by their expressions: processor, its parts, the model's configuration."""

    owners: Mapping[str, Any]

    def named(self, *names: str) -> Iterator[tuple[str, int]]:
        """Every attribute of one of these names that is a number, in the order of the owners: expression and value."""
        for path, owner in self.owners.items():
            for name in names:
                if (value := _number(getattr(owner, name, None))) is not None:
                    yield f"{path}.{name}", value

    def counting(self, value: int) -> str | None:
        """The expression of an attribute of this value that counts tokens; None where there is none."""
        for path, owner in self.owners.items():
            for name, found in sorted(_public(owner).items()):
                if _number(found) == value and _counts(name):
                    return f"{path}.{name}"
        return None

    def where(self, names: tuple[str, ...], holds: Callable[[int], bool]) -> str | None:
        """The expression of the first attribute of one of these names for whose value `holds` is true."""
        return next((expression for expression, value in self.named(*names) if holds(value)), None)


def attributes_of(processor: Any, kind: str, config: Any) -> Attributes:
    """The attributes of a processor that takes frames as "video" or "image", and of a model's configuration."""
    owners = {
        "self.processor": processor,
        f"self.processor.{kind}_processor": getattr(processor, f"{kind}_processor", None),
        "self.processor.tokenizer": processor.tokenizer,
        "self.model.config": config,
        "self.model.config.vision_config": getattr(config, "vision_config", None),
    }
    return Attributes({path: owner for path, owner in owners.items() if owner is not None})


def _public(owner: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(owner).items() if not name.startswith("_")}


def _counts(name: str) -> bool:
    """Whether an attribute of this name is a number of tokens: "image_seq_length", "mm_tokens_per_image"."""
    return ("token" in name or "seq" in name) and not name.endswith(("_id", "_ids", "_index"))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
