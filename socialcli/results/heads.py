"""heads.parquet: how often each head was active, its gaze score, and the fixed choice of heads made from them.

A row per layer and head; the file's metadata records the model, the settings and the episodes behind the statistics.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError, NotFoundError, UsageError
from socialcli.files import atomic_write
from socialcli.results.casting import cast_to_rows
from socialcli.results.columns import arrow_schema, as_record, column, table_row
from socialcli.results.manifest import ModelIdentity

HEADS_VERSION = "1.0"
METADATA_KEY = b"socialcli.heads"

Place = tuple[int, int]  # layer and head


@table_row
class HeadRow:
    """One row: one head of one layer."""

    layer: int = column("counted from 0")
    head: int = column("counted from 0")
    prompts: int = column("questions that were measured")
    active: int = column("those among them in which the head was active")
    share: float = column("`active / prompts`")
    gaze: float | None = column(
        "gaze score: mean attention of the last prompt token to the region in question, 0 to 1; null where "
        "`gaze_prompts` is 0, and in layers without attention to visual tokens",
        later=True,
    )
    gaze_prompts: int | None = column("questions with a region in question", later=True)


HEADS_ARROW_SCHEMA = arrow_schema(HeadRow)

_MADE_WITH = ("model", "checkpoint", "checkpoint_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStatistics:
    """In how many prompts each head was active, with which model and settings."""

    active: npt.NDArray[np.int64]  # (layers, heads), prompts in which the head was active
    prompts: int  # at least 1
    model: ModelIdentity
    layers: str  # the aligned layers, "10-19" or "3,7,11"; heads of other layers are never active
    settings: Mapping[str, Any]  # JSON values under the names of the options
    episode_ids: Sequence[str]
    gaze: npt.NDArray[np.float64] | None = None  # (layers, heads), gaze scores; NaN or None: no score
    gaze_prompts: int = 0  # prompts behind them


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadChoice:
    """A fixed choice of heads to align, and its origin."""

    heads: frozenset[Place]  # at least one
    episode_ids: frozenset[str]  # the choice was made on these: it cannot be judged on them
    model: str  # as --model takes it
    checkpoint: str  # the folder or hub id
    checkpoint_sha256: str | None  # see `socialcli.results.keys.checkpoint_fingerprint`
    shape: tuple[int, int]  # layers of the decoder, heads of a layer


def write_heads(path: Path, statistics: HeadStatistics) -> None:
    """Write the file, whole or not at all. Raises OSError if it cannot be written."""
    rows = [
        HeadRow(
            layer=layer,
            head=head,
            prompts=statistics.prompts,
            active=active,
            share=active / statistics.prompts,
            gaze=_gaze(statistics, layer, head),
            gaze_prompts=statistics.gaze_prompts,
        )
        for layer, heads in enumerate(statistics.active.tolist())
        for head, active in enumerate(heads)
    ]
    table = pa.Table.from_pylist(list(map(as_record, rows)), schema=HEADS_ARROW_SCHEMA)
    # Escaped to ASCII: an id may hold half a surrogate pair, which UTF-8 cannot.
    text = json.dumps(_metadata(statistics), allow_nan=False)
    with atomic_write(path) as file:
        pq.write_table(table.replace_schema_metadata({METADATA_KEY: text.encode("ascii")}), file, compression="zstd")


def _gaze(statistics: HeadStatistics, layer: int, head: int) -> float | None:
    score = np.nan if statistics.gaze is None else float(statistics.gaze[layer, head])
    return None if np.isnan(score) else score


def _metadata(statistics: HeadStatistics) -> dict[str, Any]:
    return {
        "heads_version": HEADS_VERSION,
        "model": statistics.model.name,
        "checkpoint": statistics.model.checkpoint,
        "checkpoint_sha256": statistics.model.checkpoint_sha256,
        "adapter": statistics.model.adapter,
        "adapter_sha256": statistics.model.adapter_sha256,
        "adapter_version": statistics.model.adapter_version,
        "dtype": statistics.model.dtype,
        "layers": statistics.layers,
        "settings": dict(statistics.settings),
        "episode_ids": list(statistics.episode_ids),
    }


def read_heads(
    path: Path, min_share: float = 0.5, limit: int | None = None, rank: Literal["share", "gaze"] = "share"
) -> HeadChoice:
    """Choose heads: by `share` those that were active in at least `min_share` (above 0, up to 1) of the prompts.

    At most `limit` of them: those with the largest shares, of equal ones the lower layer and head. By `gaze`, the
    `limit` heads with the largest gaze scores, whatever their share.

    Raises UsageError for another `min_share`, if no head reaches it, or without gaze scores; NotFoundError if there is
    no such file, and InvalidInputError if it is not a heads.parquet.
    """
    if not 0 < min_share <= 1:
        raise UsageError(f"--heads-min-share {min_share} is out of range: use a share above 0 and up to 1")
    if not path.is_file():
        raise NotFoundError(f"{path}: there is no such file; pass the heads.parquet of `socialcli measure`")
    try:
        table = pq.read_table(path)
        made_with = _checked_metadata(table.schema.metadata or {})
        rows, shape = _by_place(cast_to_rows(table, HeadRow))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InvalidInputError(f"{path}: cannot be read as a heads.parquet of `socialcli measure`: {error}") from error
    scores = _gaze_scores(path, rows) if rank == "gaze" else _shares(path, rows, min_share)
    ranked = sorted(scores, key=lambda place: (-scores[place], place))
    return HeadChoice(heads=frozenset(ranked[:limit]), shape=shape, **made_with)


def _shares(path: Path, rows: Mapping[Place, Mapping[str, Any]], min_share: float) -> dict[Place, float]:
    shares = {place: row["share"] for place, row in rows.items()}
    most = max(shares.values())
    if most < min_share:
        raise UsageError(
            f"{path}: no head was active in {min_share:.0%} of the prompts, and the most active in {most:.1%}; lower "
            "--heads-min-share, or rank the heads by --heads-rank gaze"
        )
    return {place: share for place, share in shares.items() if share >= min_share}


def _gaze_scores(path: Path, rows: Mapping[Place, Mapping[str, Any]]) -> dict[Place, float]:
    scores = {place: row["gaze"] for place, row in rows.items() if row["gaze"] is not None}
    if not scores:
        raise UsageError(
            f"{path}: it has no gaze scores, so --heads-rank gaze has nothing to rank: an earlier version wrote it, or "
            "no question was about a person in a box; run `socialcli measure --overwrite`, or use --heads-rank share"
        )
    return scores


def _checked_metadata(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """The fields of a choice that the metadata holds."""
    if METADATA_KEY not in metadata:
        raise ValueError("its metadata does not say what it was made from; do not rewrite it with other tools")
    found = json.loads(metadata[METADATA_KEY])
    version = found["heads_version"] if isinstance(found, dict) else None
    if version != HEADS_VERSION:
        raise ValueError(f"it has version {version}, but this socialcli reads {HEADS_VERSION}")
    return {name: found[name] for name in _MADE_WITH} | {"episode_ids": frozenset(found["episode_ids"])}


def _by_place(table: pa.Table) -> tuple[dict[Place, dict[str, Any]], tuple[int, int]]:
    """The row of each (layer, head), and how many layers and heads there are."""
    rows = table.to_pylist()
    places = {(row["layer"], row["head"]): row for row in rows}
    layers, heads = (1 + max((place[axis] for place in places), default=-1) for axis in (0, 1))
    if not rows or not len(rows) == len(places) == layers * heads:
        raise ValueError(f"it has {len(rows)} rows, which is not one for each head of each layer")
    return places, (layers, heads)
