"""The questions on which two sides differ, one right and the other wrong, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from socialcli.results.formats import write_table
from socialcli.stats.paired import flipped
from socialcli.stats.pairing import Pair
from socialcli.verbs.compare.work import Comparison

_COLUMNS: list[pa.Field[Any]] = [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("episode_id", pa.string(), nullable=False),
    pa.field("dataset", pa.string()),
    pa.field("split", pa.string()),
    pa.field("task", pa.string(), nullable=False),
    pa.field("alignment_a", pa.bool_(), nullable=False),
    pa.field("alignment_b", pa.bool_(), nullable=False),
    pa.field("answer", pa.string(), nullable=False),
    pa.field("answer_index", pa.int32()),
    pa.field("prediction_a", pa.string()),
    pa.field("prediction_index_a", pa.int32()),
    pa.field("prediction_b", pa.string()),
    pa.field("prediction_index_b", pa.int32()),
    pa.field("error_a", pa.string()),
    pa.field("error_b", pa.string()),
    pa.field("direction", pa.string(), nullable=False),
]
FLIPS_ARROW_SCHEMA: pa.Schema = pa.schema(_COLUMNS)


def write_flips(path: Path, comparisons: Iterable[Comparison]) -> None:
    """Write the flipped questions in their order, in the format of the path's ending. Raises as `write_table` does."""
    rows = [_record(one, pair) for one in comparisons for pair in flipped(one.pairing.pairs)]
    write_table(path, rows, FLIPS_ARROW_SCHEMA)


def _record(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    a, b = pair.a, pair.b
    return {
        "question_id": a.question_id,
        "episode_id": a.episode_id,
        "dataset": a.dataset,
        "split": a.split,
        "task": a.task,
        "alignment_a": comparison.a.condition.aligned,
        "alignment_b": comparison.b.condition.aligned,
        "answer": a.answer,
        "answer_index": a.answer_index,
        "prediction_a": a.prediction,
        "prediction_index_a": a.prediction_index,
        "prediction_b": b.prediction,
        "prediction_index_b": b.prediction_index,
        "error_a": a.error,
        "error_b": b.error,
        "direction": "lost" if a.correct else "gained",
    }
