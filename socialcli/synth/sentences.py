"""People's sentences. Each fits everybody: it is drawn independently of who says it, to whom or about whom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

Kind = Literal["target", "coref", "mentioned"]

KINDS: tuple[Kind, ...] = ("target", "coref", "mentioned")

# Square brackets mark the pronoun or name that a question is about; they are not part of the sentence.
_PATTERNS: dict[Kind, tuple[str, ...]] = {
    "target": (
        "Could you pass me the {thing}?",
        "Did you bring the {thing}?",
        "You left the {thing} here.",
        "Please look after the {thing}.",
        "Is that your {thing}?",
        "Thank you for the {thing}!",
        "Where did you find the {thing}?",
        "I kept the {thing} for you.",
    ),
    "coref": (
        "I think [they] took the {thing}.",
        "Look, [they] forgot the {thing} again.",
        "Last time [they] wanted the {thing}.",
        "Maybe [they] can mend the {thing}.",
        "I gave [them] the {thing}.",
        "We should ask [them] about the {thing}.",
        "Tell [them] to keep the {thing}.",
        "The {thing} was a present from [them].",
    ),
    "mentioned": (
        "I think [{name}] took the {thing}.",
        "Look, [{name}] forgot the {thing} again.",
        "Last time [{name}] wanted the {thing}.",
        "Maybe [{name}] can mend the {thing}.",
        "I gave [{name}] the {thing}.",
        "We should ask [{name}] about the {thing}.",
        "Tell [{name}] to keep the {thing}.",
        "The {thing} was a present from [{name}].",
    ),
}
_THINGS = (
    *("umbrella", "guitar", "camera", "map", "lamp", "kettle", "ladder", "ticket"),
    *("book", "parcel", "torch", "radio", "basket", "clock", "scarf", "violin"),
)
_NAMES = (
    *("Robin", "Kim", "Alex", "Sam", "Charlie", "Jamie", "Taylor", "Jordan"),
    *("Casey", "Morgan", "Riley", "Quinn", "Avery", "Rowan", "Sasha", "Jules"),
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its kind; `span` is [start, end) of the pronoun or name that the question is about."""

    kind: Kind
    text: str
    span: tuple[int, int] | None


def draw_sentences(count: int, rng: np.random.Generator) -> tuple[Sentence, ...]:
    """Sentences of the three kinds, as evenly as possible, in random order; none occurs twice."""
    first = rng.permutation(len(KINDS))  # which kinds get one more if the count is not divisible
    order = rng.permutation([first[place % len(KINDS)] for place in range(count)])
    stocks = [_stock(kind, rng) for kind in KINDS]
    return tuple(stocks[kind].pop() for kind in order)


def _stock(kind: Kind, rng: np.random.Generator) -> list[Sentence]:
    names = rng.permutation(_NAMES)
    pairs = list(product(_PATTERNS[kind], _THINGS))
    return [
        _sentence(kind, pairs[place][0].format(thing=pairs[place][1], name=names[number % len(names)]))
        for number, place in enumerate(rng.permutation(len(pairs)))
    ]


def _sentence(kind: Kind, marked: str) -> Sentence:
    before, bracket, rest = marked.partition("[")
    inside, _, after = rest.partition("]")
    span = (len(before), len(before) + len(inside)) if bracket else None
    return Sentence(kind, before + inside + after, span)
