"""measured.parquet: of each episode the sums that its figures are quotients of, under a key, so that they are kept.

The figures themselves would not do: their quotients, multiplied again, differ from the sums in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from socialcli.alignment.head_stats import KEYS, TARGETS, FigureSums
from socialcli.results.casting import cast_to_schema
from socialcli.results.columns import storable
from socialcli.results.tables import RowKind

ROWS_PER_GROUP = 16  # rows held in memory before they go to a file: one has nine numbers for each head


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that could not be measured."""

    question_id: str
    error: str  # the kind, a colon, the message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpisodeSums:
    """What came of measuring the questions of an episode; of none of them: `sums.prompts` is 0."""

    key: str  # a hash of all that the sums depend on
    episode_id: str
    tasks: tuple[str, ...]  # of the questions that were measured
    failures: tuple[Failure, ...]
    sums: FigureSums
    reached: tuple[int, int] | tuple[None, None]  # utterances and covered ones, of the prompt with the most utterances


def _sum_column(what: str, stage: str, target: str) -> str:
    return f"{what}_{stage}_{target}"


_TABLES = [(what, key) for what in ("largest", "attention") for key in KEYS]
_NUMBERS = pa.list_(pa.float64())
_COLUMNS: list[pa.Field[Any]] = [
    pa.field("key", pa.string(), nullable=False),
    pa.field("episode_id", pa.string(), nullable=False),
    pa.field("tasks", pa.list_(pa.string()), nullable=False),
    pa.field("failed", pa.list_(pa.string()), nullable=False),
    pa.field("errors", pa.list_(pa.string()), nullable=False),
    pa.field("layers", pa.int32(), nullable=False),
    pa.field("heads", pa.int32(), nullable=False),
    pa.field("prompts", pa.int32(), nullable=False),
    pa.field("utterances", pa.int32()),
    pa.field("covered_utterances", pa.int32()),
    *(pa.field(f"rows_{target}", pa.int64(), nullable=False) for target in TARGETS),
    *(pa.field(f"pairs_{target}", pa.int64(), nullable=False) for target in TARGETS),
    pa.field("active", _NUMBERS, nullable=False),
    *(pa.field(_sum_column(what, *key), _NUMBERS, nullable=False) for what, key in _TABLES),
]
MEASURED_ARROW_SCHEMA: pa.Schema = pa.schema(_COLUMNS)


def as_record(row: EpisodeSums) -> dict[str, Any]:
    """The row as values in the order of the columns; tables of heads layer by layer."""
    sums = row.sums
    layers, heads = sums.active.shape
    return {
        "key": row.key,
        "episode_id": storable(row.episode_id),
        "tasks": storable(row.tasks),
        "failed": [storable(one.question_id) for one in row.failures],
        "errors": [storable(one.error) for one in row.failures],
        "layers": layers,
        "heads": heads,
        "prompts": sums.prompts,
        "utterances": row.reached[0],
        "covered_utterances": row.reached[1],
        **{f"rows_{target}": sums.rows[target] for target in TARGETS},
        **{f"pairs_{target}": sums.pairs[target] for target in TARGETS},
        "active": sums.active.ravel().tolist(),
        **{_sum_column(what, *key): getattr(sums, what)[key].ravel().tolist() for what, key in _TABLES},
    }


def from_record(record: Mapping[str, Any]) -> EpisodeSums:
    """The row that a record stands for. Raises ValueError where it is none."""
    shape = record["layers"], record["heads"]
    sums = FigureSums(*shape)
    sums.prompts = record["prompts"]
    sums.active = np.array(record["active"], float).reshape(shape)
    for target in TARGETS:
        sums.rows[target], sums.pairs[target] = record[f"rows_{target}"], record[f"pairs_{target}"]
    for what, key in _TABLES:
        getattr(sums, what)[key] = np.array(record[_sum_column(what, *key)], float).reshape(shape)
    failures = zip(record["failed"], record["errors"], strict=True)
    return EpisodeSums(
        key=record["key"],
        episode_id=record["episode_id"],
        tasks=tuple(record["tasks"]),
        failures=tuple(Failure(*one) for one in failures),
        sums=sums,
        reached=(record["utterances"], record["covered_utterances"]),
    )


def of_this_version(table: pa.Table) -> pa.Table:
    """The table with the columns of `MEASURED_ARROW_SCHEMA`. Raises ValueError where they are not all there."""
    if missing := [name for name in MEASURED_ARROW_SCHEMA.names if name not in table.column_names]:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    return cast_to_schema(table, MEASURED_ARROW_SCHEMA)


def has_failed(table: pa.Table) -> list[bool]:
    """Of each row, whether some question of its episode could not be measured."""
    return [bool(failed) for failed in table["failed"].to_pylist()]


MEASURED: RowKind[EpisodeSums] = RowKind(
    "episodes", MEASURED_ARROW_SCHEMA, as_record, from_record, of_this_version, has_failed, ROWS_PER_GROUP
)
