"""attention.parquet: what a row is, and how rows are written as they come."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.alignment.head_stats import KEYS, HeadFigures
from socialcli.files import atomic_write, naming
from socialcli.interrupts import uninterrupted
from socialcli.results.predictions import storable

ROWS_PER_GROUP = 4096  # rows held in memory before they go to the file

Write = Callable[[Iterable["AttentionRow"]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredUnder:
    """The columns that say how the questions were asked: the same in every row of a measurement."""

    model: str
    checkpoint: str
    adapter: str | None
    alpha: float
    lambda_: float
    layers: str  # first and last layer that take part, "10-19"
    bias: str
    inputs: str
    boxes_as: str
    context: str
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRow:
    """One row: one head of one layer over the questions of one episode. docs/measure.md explains every column."""

    under: MeasuredUnder
    episode_id: str
    dataset: str | None
    split: str | None
    tasks: tuple[str, ...]  # of the questions that were measured
    layer: int
    head: int
    in_range: bool  # whether the layer takes part in the alignment
    active: float  # share of the prompts in which the head was active, 0 to 1
    prompts: int
    rows: int  # words' tokens with tokens of their speaker to look at; this and the next are sums over the prompts
    pairs: int
    other_rows: int  # the same for the tokens of the other speakers
    other_pairs: int
    attn_max_before: float | None  # None, here and below, where there is nothing to take a mean over
    attn_max_after: float | None
    attn_mean_before: float | None
    attn_mean_after: float | None
    other_max_before: float | None
    other_max_after: float | None
    other_mean_before: float | None
    other_mean_after: float | None


_COLUMNS: list[pa.Field[Any]] = [
    pa.field("episode_id", pa.string(), nullable=False),
    pa.field("dataset", pa.string()),
    pa.field("split", pa.string()),
    pa.field("tasks", pa.list_(pa.string()), nullable=False),
    pa.field("model", pa.string(), nullable=False),
    pa.field("checkpoint", pa.string(), nullable=False),
    pa.field("adapter", pa.string()),
    pa.field("alpha", pa.float64(), nullable=False),
    pa.field("lambda", pa.float64(), nullable=False),
    pa.field("layers", pa.string(), nullable=False),
    pa.field("bias", pa.string(), nullable=False),
    pa.field("inputs", pa.string(), nullable=False),
    pa.field("boxes_as", pa.string(), nullable=False),
    pa.field("context", pa.string(), nullable=False),
    pa.field("frames", pa.int32(), nullable=False),
    pa.field("layer", pa.int32(), nullable=False),
    pa.field("head", pa.int32(), nullable=False),
    pa.field("in_range", pa.bool_(), nullable=False),
    pa.field("active", pa.float64(), nullable=False),
    pa.field("prompts", pa.int32(), nullable=False),
    pa.field("rows", pa.int64(), nullable=False),
    pa.field("pairs", pa.int64(), nullable=False),
    pa.field("other_rows", pa.int64(), nullable=False),
    pa.field("other_pairs", pa.int64(), nullable=False),
    pa.field("attn_max_before", pa.float64()),
    pa.field("attn_max_after", pa.float64()),
    pa.field("attn_mean_before", pa.float64()),
    pa.field("attn_mean_after", pa.float64()),
    pa.field("other_max_before", pa.float64()),
    pa.field("other_max_after", pa.float64()),
    pa.field("other_mean_before", pa.float64()),
    pa.field("other_mean_after", pa.float64()),
]
ATTENTION_ARROW_SCHEMA: pa.Schema = pa.schema(_COLUMNS)

_PREFIX = {"own": "attn", "other": "other"}


def figure_columns(target: str, stage: str) -> tuple[str, str]:
    """The names of the columns with AttnMax and AttnMean of a target ("own", "other") and stage ("before", "after")."""
    return f"{_PREFIX[target]}_max_{stage}", f"{_PREFIX[target]}_mean_{stage}"


def head_rows(
    figures: HeadFigures,
    chosen: Collection[int],
    under: MeasuredUnder,
    *,
    episode_id: str,
    dataset: str | None,
    split: str | None,
    tasks: tuple[str, ...],
) -> Iterator[AttentionRow]:
    """A row for every head of an episode's `figures`, by layer and head; `chosen` are the layers that take part."""
    layers, heads = figures.active.shape
    for layer in range(layers):
        for head in range(heads):
            yield AttentionRow(
                under=under,
                episode_id=episode_id,
                dataset=dataset,
                split=split,
                tasks=tasks,
                layer=layer,
                head=head,
                in_range=layer in chosen,
                active=float(figures.active[layer, head]),
                prompts=figures.prompts,
                rows=figures.rows["own"],
                pairs=figures.pairs["own"],
                other_rows=figures.rows["other"],
                other_pairs=figures.pairs["other"],
                **_means(figures, layer, head),
            )


def _means(figures: HeadFigures, layer: int, head: int) -> dict[str, float | None]:
    means = {}
    for stage, target in KEYS:
        largest, mean = figure_columns(target, stage)
        means[largest] = number(figures.attn_max[stage, target][layer, head])
        means[mean] = number(figures.attn_mean[stage, target][layer, head])
    return means


def number(value: float) -> float | None:
    """The value as JSON and Parquet tell it: None for NaN."""
    return None if math.isnan(value) else float(value)


def as_record(row: AttentionRow) -> dict[str, Any]:
    """The row as values in the order of the columns."""
    values = {
        field.name.rstrip("_"): getattr(part, field.name)
        for part in (row.under, row)
        for field in dataclasses.fields(part)
    }
    return {name: storable(values[name]) for name in ATTENTION_ARROW_SCHEMA.names}


@contextmanager
def attention_writer(path: Path) -> Iterator[Write]:
    """Yield a function that appends rows to the file, which takes its name when the block ends without an error.

    An interrupt waits while rows are being written. Raises OSError where they cannot be.
    """
    pending: list[dict[str, Any]] = []
    with (
        naming(path),
        atomic_write(path) as file,
        pq.ParquetWriter(file, ATTENTION_ARROW_SCHEMA, compression="zstd") as writer,
    ):

        def flush() -> None:
            with uninterrupted():
                writer.write_table(pa.Table.from_pylist(pending, schema=ATTENTION_ARROW_SCHEMA))
                pending.clear()

        def write(rows: Iterable[AttentionRow]) -> None:
            pending.extend(map(as_record, rows))
            if len(pending) >= ROWS_PER_GROUP:
                flush()

        yield write
        if pending:
            flush()
