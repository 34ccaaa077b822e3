"""Counts two answers to each question: both accuracies, their difference, its interval and tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from socialcli.results.columns import as_record, column, table_row
from socialcli.stats.accuracy import OVERALL, nulls_first, overall_last
from socialcli.stats.intervals import difference_interval
from socialcli.stats.mcnemar import mcnemar_p
from socialcli.stats.orders import OrderedAnswers, Question, mean_position_bias
from socialcli.stats.pairing import Answered, Pair
from socialcli.stats.signflip import sign_flip_p

_Group = tuple[str, str | None, str | None]  # task, dataset, split


@table_row
class ComparedRow:
    """One row of the table. Failed and unparsed answers are wrong on their side."""

    task: str = column("the task")
    dataset: str | None = column("the episodes' dataset")
    split: str | None = column("their split")
    n: int = column(
        "pairs of answers to labelled questions with more than one candidate: one a question, or with `--permute` "
        "one for each order of its candidates"
    )
    episodes: int = column("their episodes")
    correct_a: int = column("those among them that A has right")
    correct_b: int = column("those that B has right")
    accuracy_a: float | None = column("`correct_a / n`, 0 to 1; null where `n` is 0")
    accuracy_b: float | None = column("`correct_b / n`")
    difference: float | None = column("`accuracy_b - accuracy_a`; in the text table in percentage points")
    ci_low: float | None = column("lower end of its 95 % interval; null with a single episode")
    ci_high: float | None = column("upper end")
    only_a: int = column("pairs counted in `n` that A has right and B has wrong")
    only_b: int = column("those that B has right and A has wrong")
    episodes_differing: int = column("episodes in which A and B have different numbers of answers right")
    p: float | None = column("two-sided p-value, signs flipped by episode; null where `n` is 0")
    p_mcnemar: float | None = column(
        "McNemar's exact test, which takes answers to be independent; null with `--permute`"
    )
    failed_a: int = column("pairs of answers, counted in `n` or not, of which A's failed")
    failed_b: int = column("the same in B")
    unparsed_a: int = column("pairs of answers, counted in `n` or not, of which A's could not be parsed")
    unparsed_b: int = column("the same in B")
    unlabelled: int = column("pairs of answers to questions with more than one candidate and no gold answer")
    single_candidate: int = column("pairs of answers to questions with a single candidate")
    questions: int | None = column(
        "the questions that `n` counts the answers to; null unless both sides were asked with `--permute`, as are the "
        "next eight"
    )
    circular_a: float | None = column("share of these questions that A has right in every paired order")
    circular_b: float | None = column("the same of B")
    circular_difference: float | None = column("`circular_b - circular_a`; in the text table in percentage points")
    circular_ci_low: float | None = column("lower end of its 95 % interval; null with a single episode")
    circular_ci_high: float | None = column("upper end")
    circular_p: float | None = column("two-sided p-value, signs flipped by episode")
    position_bias_a: float | None = column("A's position bias, as in accuracy.parquet, over the paired answers")
    position_bias_b: float | None = column("B's")

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return as_record(self)


_CIRCULAR = (
    *("questions", "circular_a", "circular_b", "circular_difference", "circular_ci_low", "circular_ci_high"),
    *("circular_p", "position_bias_a", "position_bias_b"),
)


def compared_table(pairs: Iterable[Pair]) -> list[ComparedRow]:
    """A row per task, dataset and split, sorted by these.

    Where a dataset and split has several tasks, an `OVERALL` row behind theirs counts their questions together.
    """
    groups: dict[_Group, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.a.task, pair.a.dataset, pair.a.split), []).append(pair)
    groups |= _overall(groups)
    return [compared_row(group, groups[group]) for group in sorted(groups, key=_order)]


def _overall(groups: Mapping[_Group, Sequence[Pair]]) -> dict[_Group, list[Pair]]:
    tasks: dict[_Group, list[Sequence[Pair]]] = {}
    for (_, dataset, split), pairs in groups.items():
        tasks.setdefault((OVERALL, dataset, split), []).append(pairs)
    return {
        group: [pair for pairs in parts for pair in pairs]
        for group, parts in tasks.items()
        if sum(any(pair.counted for pair in pairs) for pairs in parts) > 1
    }


def _order(group: _Group) -> tuple[tuple[bool, Any], ...]:
    task, dataset, split = group
    return nulls_first((overall_last(task), dataset, split))


def flipped(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The counted pairs in which one side alone is right."""
    return (pair for pair in pairs if pair.counted and pair.a.correct != pair.b.correct)


def compared_row(group: _Group, pairs: Sequence[Pair]) -> ComparedRow:
    """The row of a task, dataset and split, from its pairs."""
    counted = [pair for pair in pairs if pair.counted]
    n = len(counted)
    correct_a, correct_b = sum(pair.a.correct for pair in counted), sum(pair.b.correct for pair in counted)
    episodes = _episodes((pair.a.episode_id, pair.a.correct, pair.b.correct) for pair in counted)
    only_a, only_b = sum(one[1] for one in episodes), sum(one[2] for one in episodes)
    net = [gained - lost for _, lost, gained in episodes]
    figures = _circular(pairs)
    permuted = figures["questions"] is not None
    interval = difference_interval(episodes, n / (figures["questions"] or n or 1))
    task, dataset, split = group
    return ComparedRow(
        task=task,
        dataset=dataset,
        split=split,
        n=n,
        episodes=len(episodes),
        correct_a=correct_a,
        correct_b=correct_b,
        accuracy_a=correct_a / n if n else None,
        accuracy_b=correct_b / n if n else None,
        difference=(correct_b - correct_a) / n if n else None,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        only_a=only_a,
        only_b=only_b,
        episodes_differing=sum(map(bool, net)),
        p=sign_flip_p(net) if n else None,
        p_mcnemar=mcnemar_p(only_a, only_b) if n and not permuted else None,
        failed_a=_with_status("failed", (pair.a for pair in pairs)),
        failed_b=_with_status("failed", (pair.b for pair in pairs)),
        unparsed_a=_with_status("unparsed", (pair.a for pair in pairs)),
        unparsed_b=_with_status("unparsed", (pair.b for pair in pairs)),
        unlabelled=sum(not pair.labelled and not pair.single_candidate for pair in pairs),
        single_candidate=sum(pair.single_candidate for pair in pairs),
        **figures,
    )


def _circular(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The columns of questions right in every order; all None where a side was asked in one order alone."""
    if not any(pair.permuted for pair in pairs):
        return dict.fromkeys(_CIRCULAR)
    sides: list[tuple[OrderedAnswers, OrderedAnswers]] = list(_by_question(pairs).values())
    labelled = [(a, b) for a, b in sides if a.labelled]
    n = len(labelled)
    right_a, right_b = sum(a.all_right for a, _ in labelled), sum(b.all_right for _, b in labelled)
    episodes = _episodes((a.episode, a.all_right, b.all_right) for a, b in labelled)
    interval = difference_interval(episodes)
    figures = (
        n,
        right_a / n if n else None,
        right_b / n if n else None,
        (right_b - right_a) / n if n else None,
        *(interval or (None, None)),
        sign_flip_p(gained - lost for _, lost, gained in episodes) if n else None,
        mean_position_bias(a for a, _ in sides),
        mean_position_bias(b for _, b in sides),
    )
    return dict(zip(_CIRCULAR, figures, strict=True))


def _by_question(pairs: Iterable[Pair]) -> dict[Question, tuple[OrderedAnswers, OrderedAnswers]]:
    """Both sides' answers to each question, order by order."""
    found: dict[Question, tuple[OrderedAnswers, OrderedAnswers]] = {}
    for pair in pairs:
        if pair.question not in found:
            found[pair.question] = (
                OrderedAnswers(pair.a.episode_id, pair.counted),
                OrderedAnswers(pair.a.episode_id, pair.counted),
            )
        for side, row in zip(found[pair.question], (pair.a, pair.b), strict=True):
            side.add(pair.a.order or 0, row.candidates, row.prediction_index, row.correct)
    return found


def _episodes(answered: Iterable[tuple[str, bool, bool]]) -> list[tuple[int, int, int]]:
    """For each episode its answers, those that A alone has right, and those that B alone has right.

    Each of `answered` is an episode's id, and whether A and B are right.
    """
    questions: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    gained: Counter[str] = Counter()
    for episode, a, b in answered:
        questions[episode] += 1
        lost[episode] += a and not b
        gained[episode] += b and not a
    return [(count, lost[episode], gained[episode]) for episode, count in questions.items()]


def _with_status(status: str, rows: Iterable[Answered]) -> int:
    return sum(row.status == status for row in rows)
