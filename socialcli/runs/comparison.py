"""Two conditions on the same questions: the difference in accuracy, how sure it is, and where it comes from."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.runs.accuracy import nulls_first, questions_seed
from socialcli.runs.answers import Labels, Relabelling
from socialcli.runs.bootstrap import DRAWS, clustered_difference
from socialcli.runs.conditions import Side
from socialcli.runs.differences import differences
from socialcli.runs.mcnemar import mcnemar_p
from socialcli.runs.pairing import Answered, Pair, Pairing, pair_up

_Group = tuple[str, str | None, str | None]  # task, dataset, split


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One line of the table. docs/compare.md explains every column.

    `n` counts the paired labelled questions, failed and unparsed ones included: these are wrong answers of their side.
    Accuracies, their difference (B's less A's) and its interval are shares of 1; None where there is nothing to take a
    share of.
    """

    task: str
    dataset: str | None
    split: str | None
    n: int
    correct_a: int
    correct_b: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    ci_low: float | None  # the ends of the 95 % interval, see `socialcli.runs.bootstrap`
    ci_high: float | None
    only_a: int  # questions that A alone has right
    only_b: int
    p: float | None  # see `socialcli.runs.mcnemar`
    failed_a: int  # these and the next three: labelled or not
    failed_b: int
    unparsed_a: int
    unparsed_b: int
    unlabelled: int

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of holding two sides against each other."""

    a: Side
    b: Side
    differing: Mapping[str, tuple[Any, Any]]  # settings, with their values under A and B
    pairing: Pairing
    table: tuple[ComparedRow, ...]
    warnings: tuple[str, ...]


def compare(a: Side, b: Side, labels: Labels | None = None, seed: int = 0) -> Comparison:
    """Hold two sides against each other, with right answers from `labels` where given.

    Raises what `pair_up` and reading predictions raise.
    """
    warnings = [*a.source.warnings(), *b.source.warnings()]
    if labels is None:
        pairing = pair_up(a.rows(), b.rows())
    else:
        of_a, of_b = Relabelling(labels), Relabelling(labels)
        pairing = pair_up(of_a.rows(a.rows()), of_b.rows(b.rows()))
        lost = [f"{side}: {text}" for side, one in (("A", of_a), ("B", of_b)) for text in one.warnings()]
        warnings += [*labels.warnings(), *lost]
    told = tuple(dict.fromkeys((*warnings, *pairing.warnings)))  # both sides can be of one source
    return Comparison(a, b, differences(a, b), pairing, tuple(compared_table(pairing.pairs, seed)), told)


def compared_table(pairs: Iterable[Pair], seed: int = 0, draws: int = DRAWS) -> list[ComparedRow]:
    """A row per task, dataset and split, sorted by these; intervals from `draws` resamples of the episodes."""
    groups: dict[_Group, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.a.task, pair.a.dataset, pair.a.split), []).append(pair)
    return [_row(group, groups[group], seed, draws) for group in sorted(groups, key=nulls_first)]


def flipped(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The labelled pairs of which one side is right and the other is not."""
    return (pair for pair in pairs if pair.labelled and pair.a.correct != pair.b.correct)


def _row(group: _Group, pairs: Sequence[Pair], seed: int, draws: int) -> ComparedRow:
    labelled = [pair for pair in pairs if pair.labelled]
    n = len(labelled)
    correct_a, correct_b = sum(pair.a.correct for pair in labelled), sum(pair.b.correct for pair in labelled)
    only_b = sum(pair.b.correct for pair in flipped(labelled))
    only_a = only_b - (correct_b - correct_a)
    interval = clustered_difference(_clusters(labelled), questions_seed(seed, *group), draws)
    task, dataset, split = group
    return ComparedRow(
        task=task,
        dataset=dataset,
        split=split,
        n=n,
        correct_a=correct_a,
        correct_b=correct_b,
        accuracy_a=correct_a / n if n else None,
        accuracy_b=correct_b / n if n else None,
        difference=(correct_b - correct_a) / n if n else None,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        only_a=only_a,
        only_b=only_b,
        p=mcnemar_p(only_a, only_b) if n else None,
        failed_a=_with_status("failed", (pair.a for pair in pairs)),
        failed_b=_with_status("failed", (pair.b for pair in pairs)),
        unparsed_a=_with_status("unparsed", (pair.a for pair in pairs)),
        unparsed_b=_with_status("unparsed", (pair.b for pair in pairs)),
        unlabelled=len(pairs) - n,
    )


def _clusters(pairs: Iterable[Pair]) -> Iterator[tuple[int, int, int]]:
    """For each episode its questions, those that A has right, and those that B has right."""
    questions: Counter[str] = Counter()
    correct_a: Counter[str] = Counter()
    correct_b: Counter[str] = Counter()
    for pair in pairs:
        questions[pair.a.episode_id] += 1
        correct_a[pair.a.episode_id] += pair.a.correct
        correct_b[pair.a.episode_id] += pair.b.correct
    return ((count, correct_a[episode], correct_b[episode]) for episode, count in questions.items())


def _with_status(status: str, rows: Iterable[Answered]) -> int:
    return sum(row.status == status for row in rows)
