"""The table of questions that one side has right and the other wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from socialcli.results.columns import arrow_schema, as_record, column, table_row
from socialcli.results.formats import write_table
from socialcli.stats.paired import flipped
from socialcli.stats.pairing import Pair
from socialcli.verbs.compare.work import Comparison


@table_row
class Flip:
    """One row: a question that one side alone has right."""

    question_id: str = column("the question's id")
    episode_id: str = column("the id of its episode")
    dataset: str | None = column("the episode's dataset")
    split: str | None = column("the episode's split")
    task: str = column("the kind of question")
    order: int | None = column(
        "number of the order of the candidates (`--permute`); null where A was asked in the given one alone"
    )
    alignment_a: bool = column("whether A was aligned")
    alignment_b: bool = column("whether B was aligned")
    answer: str = column("the gold answer")
    answer_index: int | None = column(
        "its place among A's candidates, counted from 0; null in rows of earlier versions"
    )
    prediction_a: str | None = column("A's prediction; null where A failed or could not be parsed")
    prediction_index_a: int | None = column("the place of A's prediction among A's candidates")
    prediction_b: str | None = column("B's prediction; null where B failed or could not be parsed")
    prediction_index_b: int | None = column("the place of B's prediction among B's candidates")
    error_a: str | None = column("why A failed; null where it did not")
    error_b: str | None = column("why B failed; null where it did not")
    direction: Literal["gained", "lost"] = column("`gained`: B alone is right; `lost`: A alone is right")


FLIPS_ARROW_SCHEMA = arrow_schema(Flip)


def write_flips(path: Path, comparisons: Iterable[Comparison]) -> None:
    """Write the flips in order, in the format of the path's extension. Raises as `write_table` does."""
    rows = [as_record(_flip(one, pair)) for one in comparisons for pair in flipped(one.pairing.pairs)]
    write_table(path, rows, FLIPS_ARROW_SCHEMA)


def _flip(comparison: Comparison, pair: Pair) -> Flip:
    a, b = pair.a, pair.b
    assert a.answer is not None, "a flipped question is labelled"
    return Flip(
        question_id=a.question_id,
        episode_id=a.episode_id,
        dataset=a.dataset,
        split=a.split,
        task=a.task,
        order=a.order,
        alignment_a=comparison.a.condition.aligned,
        alignment_b=comparison.b.condition.aligned,
        answer=a.answer,
        answer_index=a.answer_index,
        prediction_a=a.prediction,
        prediction_index_a=a.prediction_index,
        prediction_b=b.prediction,
        prediction_index_b=b.prediction_index,
        error_a=a.error,
        error_b=b.error,
        direction="lost" if a.correct else "gained",
    )
