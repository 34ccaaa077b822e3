"""measured.parquet: for each episode, under a key, the sums that its figures are computed from, kept for reuse.

The figures themselves would not do: multiplied back into sums, they differ from the original sums in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from socialcli.alignment.head_stats import KEYS, TARGETS, FigureSums
from socialcli.results.columns import as_record, column, table_row
from socialcli.results.tables import RowKind

ROWS_PER_GROUP = 16  # rows held in memory before they go to a file: one has ten numbers for each head


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that could not be measured."""

    question_id: str
    error: str  # the kind, a colon, the message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpisodeSums:
    """The sums over the questions of an episode; `sums.prompts` is 0 where none of them could be measured."""

    key: str  # a hash of everything that the sums depend on
    episode_id: str
    tasks: tuple[str, ...]  # of the questions that were measured
    failures: tuple[Failure, ...]
    sums: FigureSums
    reached: tuple[int, int] | tuple[None, None]  # utterances and covered ones, of the prompt with the most utterances


@table_row
class SumsRow:
    """One row: an `EpisodeSums`. Lists of numbers are tables of heads, (layers, heads), layer by layer."""

    key: str = column("hash of everything that the sums depend on")
    episode_id: str = column("the id of the episode")
    tasks: tuple[str, ...] = column("tasks of the questions that were measured")
    failed: tuple[str, ...] = column("ids of the questions that could not be measured")
    errors: tuple[str, ...] = column("why, for each of them: the kind of error, a colon, the message")
    layers: int = column("layers of the decoder")
    heads: int = column("heads of a layer")
    prompts: int = column("questions that were measured")
    utterances: int | None = column("utterances in the prompt with the most of them")
    covered_utterances: int | None = column("those among them with a visual token of their speaker")
    rows_own: int = column("words' tokens with tokens of their speaker to attend to", pa.int64())
    rows_other: int = column("the same for tokens of the other speakers", pa.int64())
    pairs_own: int = column("pairs of a word's token and a token of its speaker", pa.int64())
    pairs_other: int = column("the same for tokens of the other speakers", pa.int64())
    active: tuple[float, ...] = column("prompts in which a head was active")
    largest_before_own: tuple[float, ...] = column("sum over the rows of each row's largest attention")
    largest_before_other: tuple[float, ...] = column("the same for tokens of the other speakers")
    largest_after_own: tuple[float, ...] = column("the same after the bias")
    largest_after_other: tuple[float, ...] = column("the same for tokens of the other speakers")
    attention_before_own: tuple[float, ...] = column("sum over the pairs of their attention")
    attention_before_other: tuple[float, ...] = column("the same for tokens of the other speakers")
    attention_after_own: tuple[float, ...] = column("the same after the bias")
    attention_after_other: tuple[float, ...] = column("the same for tokens of the other speakers")
    gaze: tuple[float, ...] | None = column(
        "sum over the questions of the last prompt token's attention to the region in question", later=True
    )
    gaze_prompts: int | None = column("questions with such a region", later=True)


_TABLES = [(what, key) for what in ("largest", "attention") for key in KEYS]


def _to_record(row: EpisodeSums) -> dict[str, Any]:
    sums = row.sums
    layers, heads = sums.active.shape
    utterances, covered = row.reached
    numbers: dict[str, Any] = {
        **{f"rows_{target}": sums.rows[target] for target in TARGETS},
        **{f"pairs_{target}": sums.pairs[target] for target in TARGETS},
        **{f"{what}_{'_'.join(key)}": _flat(getattr(sums, what)[key]) for what, key in _TABLES},
    }
    return as_record(
        SumsRow(
            key=row.key,
            episode_id=row.episode_id,
            tasks=row.tasks,
            failed=tuple(one.question_id for one in row.failures),
            errors=tuple(one.error for one in row.failures),
            layers=layers,
            heads=heads,
            prompts=sums.prompts,
            utterances=utterances,
            covered_utterances=covered,
            active=_flat(sums.active),
            gaze=_flat(sums.gaze),
            gaze_prompts=sums.gaze_prompts,
            **numbers,
        )
    )


def _flat(table: np.ndarray) -> tuple[float, ...]:
    return tuple(table.ravel().tolist())


def _from_record(record: Mapping[str, Any]) -> EpisodeSums:
    """The sums that a record holds. Raises ValueError where it holds none."""
    shape = record["layers"], record["heads"]
    sums = FigureSums(*shape)
    sums.prompts = record["prompts"]
    sums.active = np.array(record["active"], float).reshape(shape)
    for target in TARGETS:
        sums.rows[target], sums.pairs[target] = record[f"rows_{target}"], record[f"pairs_{target}"]
    for what, key in _TABLES:
        getattr(sums, what)[key] = np.array(record[f"{what}_{'_'.join(key)}"], float).reshape(shape)
    if record["gaze"] is not None:
        sums.gaze, sums.gaze_prompts = np.array(record["gaze"], float).reshape(shape), record["gaze_prompts"]
    failures = zip(record["failed"], record["errors"], strict=True)
    return EpisodeSums(
        key=record["key"],
        episode_id=record["episode_id"],
        tasks=tuple(record["tasks"]),
        failures=tuple(Failure(*one) for one in failures),
        sums=sums,
        reached=(record["utterances"], record["covered_utterances"]),
    )


def _has_failed(table: pa.Table) -> list[bool]:
    """Whether, in each row, some question of the episode could not be measured."""
    return [bool(failed) for failed in table["failed"].to_pylist()]


EPISODE_SUMS: RowKind[EpisodeSums] = RowKind(
    what="episodes",
    columns=SumsRow,
    as_record=_to_record,
    from_record=_from_record,
    failed=_has_failed,
    group=ROWS_PER_GROUP,
)
