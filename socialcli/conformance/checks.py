"""The checks that an adapter must pass, by name. Imports no torch, so that a command can list them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from socialcli.conformance.subject import Subject

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a check looked at."""

    name: str
    status: Status
    detail: str  # the figures; where it failed, what is wrong and what to do; where it was skipped, why


@dataclass(frozen=True, slots=True)
class Finding:
    """A case of a check, as a line of the table."""

    check: str
    case: str
    status: Status
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the suite."""

    name: str  # what --only takes
    proves: str  # one line
    module: str  # in this package, with a function of the check's name; it imports torch

    @property
    def cases(self) -> Callable[[Subject], Iterator[Case]]:
        """The function that looks at an adapter and yields cases as they are done. It may raise anything."""
        module = importlib.import_module(f"socialcli.conformance.{self.module}")
        found: Callable[[Subject], Iterator[Case]] = getattr(module, self.name.replace("-", "_"))
        return found


CHECKS = (
    Check("conversation", "a prompt has the ids that the processor gives its own conversation", "conversation"),
    Check("refusals", "a text with a control token or the model's placeholder is refused", "conversation"),
    Check("spans", "a span has the tokens of its characters, and no others", "spans"),
    Check("grid", "changing the pixels of one cell changes its visual token most", "grid"),
    Check("layers", "the attention modules are those of the decoder, in order, and can be aligned", "layers"),
    Check("alpha-0", "an alignment of strength 0 changes nothing", "forwards"),
    Check("prefix", "questions behind a shared visual prefix score as in one whole forward pass", "forwards"),
    Check("batch", "scores do not depend on the batch, nor on its padding", "forwards"),
    Check("dense", "aligned scores are those of the formula, written out densely", "dense"),
    Check("generate", "greedy text is that of transformers' generate", "forwards"),
    Check("save-load", "a saved model gives the same scores", "storage"),
    Check("lora", "a LoRA adapter changes the scores, merged or not, alike", "storage"),
    Check("cost", "the alignment costs little time and memory", "cost"),
)


def compared(name: str, difference: float, tolerance: float, advice: str, seen: str = "") -> Case:
    """A case that passes if `difference` is at most `tolerance`; `advice` is for one that does not."""
    figures = f"largest difference {difference:.1e}, allowed {tolerance:.0e}" + (f"; {seen}" if seen else "")
    if difference <= tolerance:  # false for NaN
        return Case(name, "passed", figures)
    return Case(name, "failed", f"{figures}; {advice}")
