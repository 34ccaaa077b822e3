"""The orders in which a question's candidates are asked (`--permute`).

Order 0 is the given one. Orders come in blocks of as many as there are candidates. A block holds the cyclic shifts of
one permutation, so that every candidate stands at every letter once: over any number of orders, how often a candidate
stands at two letters differs by one at most. The first block shifts the given order: this is what "MMBench: Is Your
Multi-modal Model an All-around Player?" (ECCV 2024) calls circular evaluation. The order of the shifts in a block, and
the permutations of the later blocks, are drawn.

A draw sorts by SHA-256 hashes of the seed, the question's id and what is drawn. So it is the same on every platform,
and the first orders do not depend on how many there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from math import factorial
from typing import TypeVar

from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.tasks.base import Task
from socialcli.tasks.labels import speaker_labels

T = TypeVar("T")

Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CandidateOrder:
    """An order of a question's candidates."""

    number: int = 0
    places: Places | None = (
        None  # the candidates in the order of their letters, as places in the given order; None: the given order
    )

    def arranged(self, given: Sequence[T]) -> tuple[T, ...]:
        """What belongs to each candidate, in this order."""
        return tuple(given) if self.places is None else tuple(given[place] for place in self.places)

    def place_of(self, given: int | None) -> int | None:
        """Where the candidate stands that has the place `given` in the given order."""
        return given if given is None or self.places is None else self.places.index(given)


GIVEN = CandidateOrder()


@dataclass(frozen=True, slots=True)
class OrderChoice:
    """How many orders each question is asked in, and the seed of those that are drawn."""

    most: int = 1
    seed: int = 0

    def orders(self, task: Task, episode: Episode, question: Question) -> tuple[CandidateOrder, ...]:
        """The orders of a question, different by place: fewer than `most` where its candidates have no more.

        A question whose candidates cannot be found has all of them: it fails in each, and so weighs as much as others.
        """
        if self.most == 1:
            return (GIVEN,)
        try:
            candidates = task.candidates(episode, question, speaker_labels(episode.speakers, task.named))
        except QuestionError:
            return tuple(map(CandidateOrder, range(self.most)))
        drawn = islice(permutations_of(len(candidates), f"{self.seed}/{question.id}"), 1, self.most)
        return (GIVEN, *(CandidateOrder(number, places) for number, places in enumerate(drawn, start=1)))


def permutations_of(size: int, stream: str) -> Iterator[Places]:
    """All permutations of so many places, once each, the identity first; `stream` names the draw."""
    base: Places = tuple(range(size))
    bases: set[Places] = set()
    for draw in count():
        if draw:
            base = _shuffled(range(size), f"{stream}/{draw}")
        start = base.index(0) if base else 0
        from_first = base[start:] + base[:start]  # the same for all shifts of a permutation
        if from_first in bases:
            continue
        bases.add(from_first)
        for shift in (0, *_shuffled(range(1, size), f"{stream}/{draw}/shifts")):
            yield base[shift:] + base[:shift]
        if len(bases) == factorial(max(size - 1, 0)):
            return


def _shuffled(places: Sequence[int], stream: str) -> Places:
    """The places in random order. JSON ids can hold half a surrogate pair, which strict UTF-8 refuses."""
    hashes = {place: hashlib.sha256(f"{stream}/{place}".encode("utf-8", "surrogatepass")).digest() for place in places}
    return tuple(sorted(places, key=hashes.__getitem__))
