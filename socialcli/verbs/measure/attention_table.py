"""attention.parquet: its rows, and how they are written one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.alignment.head_stats import KEYS, HeadFigures
from socialcli.files import atomic_write, naming
from socialcli.interrupts import uninterrupted
from socialcli.results.columns import arrow_schema, as_record, column, table_row

ROWS_PER_GROUP = 4096  # rows held in memory before they go to the file

Write = Callable[[Iterable["AttentionRow"]], None]


@table_row
class MeasureSettings:
    """The columns that are the same in every row of a measurement."""

    model: str = column("the model's name, as `--model` takes it")
    checkpoint: str = column("the folder or hub id of the weights")
    adapter: str | None = column("the folder of the LoRA adapter on top of them; null without one")
    alpha: float = column("strength of the bias")
    lambda_: float = column("threshold of the head selection")
    layers: str = column("aligned layers: `10-19`, both included, or `3,7,11`")
    bias: str = column("name of the bias rule")
    inputs: str = column("model inputs: `VL` (text and video) or `VLB` (text, video and boxes)")
    boxes_as: str = column("how boxes were shown to the model, apart from the alignment: `none`, `text`, `overlay`")
    context: str = column("`full`, or `past`: nothing after the end of the utterance in question")
    frames: int = column("sampled frames")


@table_row
class AttentionRow:
    """One row: one head of one layer over the questions of one episode."""

    episode_id: str = column("the id of the episode")
    dataset: str | None = column("the episode's dataset")
    split: str | None = column("the episode's split")
    tasks: tuple[str, ...] = column("tasks of the questions that were measured")
    settings: MeasureSettings
    layer: int = column("counted from 0")
    head: int = column("counted from 0")
    in_range: bool = column("whether the layer is aligned")
    active: float = column("share of `prompts` in which the head was active, 0 to 1")
    prompts: int = column("questions of the episode that were measured")
    rows: int = column("size of *U'*, summed over the questions", pa.int64())
    pairs: int = column("pairs of a text token and a token of its speaker, summed over the questions", pa.int64())
    other_rows: int = column("as `rows`, for the other speakers' tokens", pa.int64())
    other_pairs: int = column("as `pairs`, for the other speakers' tokens", pa.int64())
    attn_max_before: float | None = column(
        "AttnMax to the own speaker's tokens before the bias, 0 to 1; null where `rows` is 0"
    )
    attn_max_after: float | None = column("the same after the bias")
    attn_mean_before: float | None = column(
        "AttnMean to the own speaker's tokens before the bias, 0 to 1; null where `pairs` is 0"
    )
    attn_mean_after: float | None = column("the same after the bias")
    other_max_before: float | None = column(
        "AttnMax to the other speakers' tokens before the bias; null where `other_rows` is 0"
    )
    other_max_after: float | None = column("the same after the bias")
    other_mean_before: float | None = column(
        "AttnMean to the other speakers' tokens before the bias; null where `other_pairs` is 0"
    )
    other_mean_after: float | None = column("the same after the bias")


ATTENTION_ARROW_SCHEMA = arrow_schema(AttentionRow)

_PREFIX = {"own": "attn", "other": "other"}


def figure_columns(target: str, stage: str) -> tuple[str, str]:
    """The names of the columns with AttnMax and AttnMean of a target ("own", "other") and stage ("before", "after")."""
    return f"{_PREFIX[target]}_max_{stage}", f"{_PREFIX[target]}_mean_{stage}"


def head_rows(
    figures: HeadFigures,
    chosen: Collection[int],
    settings: MeasureSettings,
    *,
    episode_id: str,
    dataset: str | None,
    split: str | None,
    tasks: tuple[str, ...],
) -> Iterator[AttentionRow]:
    """A row for every head of an episode's `figures`, by layer and head; `chosen` are the aligned layers."""
    layers, heads = figures.active.shape
    for layer in range(layers):
        for head in range(heads):
            yield AttentionRow(
                settings=settings,
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
    """The value for JSON and Parquet: None for NaN."""
    return None if math.isnan(value) else float(value)


@contextmanager
def attention_writer(path: Path) -> Iterator[Write]:
    """Yield a function that appends rows to the file, which takes its name when the block ends without an error.

    An interrupt waits until the rows at hand are written. Raises OSError if they cannot be.
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
