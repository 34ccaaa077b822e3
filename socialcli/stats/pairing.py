"""Two sets of answers to the same questions, question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.errors import InvalidInputError
from socialcli.stats.accuracy import single_candidate
from socialcli.stats.orders import Question


@dataclass(frozen=True, slots=True)
class Answered:
    """The part of a predictions row that a comparison needs."""

    question_id: str
    episode_id: str
    dataset: str | None
    split: str | None
    task: str
    order: int | None  # number of the order of the candidates; None: asked in the given one alone
    candidates: tuple[str, ...] | None  # in the order of their letters; None: the question failed before
    prediction: str | None
    prediction_index: int | None  # its place among the candidates; None in rows of earlier versions too
    answer: str | None
    answer_index: int | None  # as that of the prediction
    correct: bool  # False for failed, unparsed and unlabelled ones
    status: str
    error: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Answered:
        """Take these fields from `row`."""
        return cls(
            question_id=row["question_id"],
            episode_id=row["episode_id"],
            dataset=row["dataset"],
            split=row["split"],
            task=row["task"],
            order=row["order"],
            candidates=None if row["candidates"] is None else tuple(row["candidates"]),
            prediction=row["prediction"],
            prediction_index=row["prediction_index"],
            answer=row["answer"],
            answer_index=row["answer_index"],
            correct=bool(row["correct"]),
            status=row["status"],
            error=row["error"],
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides' answers to a question. If their dataset or split differs, A's counts."""

    a: Answered
    b: Answered
    repeat: int = 0  # how many pairs of the same task, episode, id and order came before

    @property
    def question(self) -> Question:
        """What the pairs of a question in several orders of its candidates have in common, and no other pair."""
        return self.a.task, self.a.episode_id, self.a.question_id, self.repeat

    @property
    def labelled(self) -> bool:
        """Whether both sides have a gold answer."""
        return self.a.answer is not None and self.b.answer is not None

    @property
    def permuted(self) -> bool:
        """Whether both sides were asked the question in several orders of its candidates."""
        return self.a.order is not None and self.b.order is not None

    @property
    def single_candidate(self) -> bool:
        """Whether the question has one candidate, so that it counts in no accuracy."""
        return single_candidate(self.a.candidates) or single_candidate(self.b.candidates)

    @property
    def counted(self) -> bool:
        """Whether it counts in the accuracies and their difference."""
        return self.labelled and not self.single_candidate


@dataclass(frozen=True, slots=True)
class Pairing:
    """The questions that both sides have, in A's order, and warnings about the others."""

    pairs: tuple[Pair, ...]
    only_a: int  # questions that B does not have
    only_b: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Difference:
    """A way in which the sides of a pair can differ."""

    text: str
    holds: Callable[[Pair], bool]

    def found(self, pairs: Sequence[Pair]) -> str | None:
        """A message with the number of pairs that differ in this way, and the first of them; None if no pair does."""
        ids = [pair.a.question_id for pair in pairs if self.holds(pair)]
        return f"{self.text} in {len(ids)} of the {len(pairs)} common questions ({ids[0]!r} first)" if ids else None


def _other_candidates(pair: Pair) -> bool:
    a, b = pair.a.candidates, pair.b.candidates
    return a is not None and b is not None and Counter(a) != Counter(b)


def _other_order(pair: Pair) -> bool:
    a, b = pair.a.candidates, pair.b.candidates
    return a is not None and b is not None and a != b


def _other_answer(pair: Pair) -> bool:
    a, b = pair.a, pair.b
    placed = a.candidates == b.candidates and None not in (a.answer_index, b.answer_index)
    return pair.labelled and (a.answer != b.answer or (placed and a.answer_index != b.answer_index))


# With these, a difference in accuracy would come from the questions, not from the answers.
_INCOMPARABLE = (
    _Difference("other candidates", _other_candidates),
    _Difference("another gold answer (--answers takes those of both sides from one file)", _other_answer),
    _Difference("another episode", lambda pair: pair.a.episode_id != pair.b.episode_id),
)
# With these, it still comes from the answers, and may be what the user wants to measure.
_NOTABLE = (
    _Difference("another order of the candidates", _other_order),
    _Difference(
        "another dataset or split (A's counts)",
        lambda pair: (pair.a.dataset, pair.a.split) != (pair.b.dataset, pair.b.split),
    ),
    _Difference(
        "a gold answer on one side alone (they count as unlabelled)",
        lambda pair: (pair.a.answer is None) != (pair.b.answer is None),
    ),
)

_Key = tuple[str, str, int, int]  # id, task, order, and how many of these came before


def pair_up(rows_a: Iterable[Mapping[str, Any]], rows_b: Iterable[Mapping[str, Any]]) -> Pairing:
    """Pair the rows of two conditions by question, task and the number of the order of the candidates.

    Questions and orders of one side alone are skipped, and the candidates may be ordered otherwise; all are warnings.
    Raises InvalidInputError if no question is common, or if a common one has other candidates (in any order), another
    gold answer or another episode: these would be two questions under one name. Memory grows with the questions.
    """
    a, b = _by_question(rows_a), _by_question(rows_b)
    pairs = tuple(_pairs(a, b))
    if not pairs:
        has = " and ".join(f"{side} has {_counted(list(rows.values()))}" for side, rows in (("A", a), ("B", b)))
        raise InvalidInputError(f"A and B have no question in common: {has}")
    found = [text for kind in _INCOMPARABLE if (text := kind.found(pairs))]
    if found:
        raise InvalidInputError(f"A and B cannot be compared: {'; '.join(found)}")
    notes = [text for kind in _NOTABLE if (text := kind.found(pairs))]
    alone_a, more_a = _without_orders(a, b)
    alone_b, more_b = _without_orders(b, a)
    alone = [*_alone(alone_a, "A"), *_alone(alone_b, "B"), *_further(more_a, "A"), *_further(more_b, "B")]
    warnings = [*_repeated(a, "A"), *_repeated(b, "B"), *alone, *notes]
    return Pairing(pairs, len(alone_a), len(alone_b), tuple(warnings))


def _by_question(rows: Iterable[Mapping[str, Any]]) -> dict[_Key, Answered]:
    """The rows by question and order; the repeats of an id are paired in order."""
    seen: Counter[tuple[str, str, int]] = Counter()
    found = {}
    for row in rows:
        question = row["question_id"], row["task"], row["order"] or 0
        found[*question, seen[question]] = Answered.of(row)
        seen[question] += 1
    return found


def _pairs(a: Mapping[_Key, Answered], b: Mapping[_Key, Answered]) -> Iterator[Pair]:
    """The rows that both sides have.

    Repeats are numbered within their episode: episodes that share an id may have it in different numbers of orders.
    """
    seen: Counter[tuple[str, str, str, int]] = Counter()
    for key, row in a.items():
        if key in b:
            place = row.episode_id, *key[:3]
            yield Pair(row, b[key], seen[place])
            seen[place] += 1


def _repeated(rows: Mapping[_Key, Answered], side: str) -> list[str]:
    again = [question for question, _, _, earlier in rows if earlier]
    return [f"{len(again)} rows of {side} repeat a question ({again[0]!r} first)"] if again else []


def _without_orders(rows: Mapping[_Key, Answered], others: Mapping[_Key, Answered]) -> tuple[list[Answered], int]:
    """The questions of one side alone, once each, and how many answers in further orders of common ones."""
    common = {(question, task) for question, task, *_ in others}
    alone = [(key, row) for key, row in rows.items() if key not in others]
    more = [key[:2] in common and not key[3] for key, _ in alone]
    return [row for (key, row), other in zip(alone, more, strict=True) if key[2] == 0 and not other], sum(more)


def _further(count: int, side: str) -> list[str]:
    """A warning about answers in orders of the candidates that the other side does not have."""
    return [f"{count} answers in further orders of the candidates in {side} alone, which are skipped"] if count else []


def _alone(rows: Sequence[Answered], side: str) -> list[str]:
    return [f"{_counted(rows)} in {side} alone, which are skipped"] if rows else []


def _counted(rows: Sequence[Answered]) -> str:
    count = f"{len(rows)} question{'' if len(rows) == 1 else 's'}"
    return f"{count} ({rows[0].question_id!r} first)" if rows else count
