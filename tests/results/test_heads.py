from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.errors import InvalidInputError, NotFoundError, UsageError
from socialcli.results.heads import METADATA_KEY, HeadStatistics, read_heads, write_heads
from socialcli.results.manifest import ModelIdentity

ACTIVE = np.array([[0, 0, 0], [4, 1, 2], [3, 0, 0]])  # of 4 prompts
IDENTITY = ModelIdentity(
    name="internvl3",
    adapter_version="1",
    distribution="socialcli",
    distribution_version="0.1.0",
    checkpoint="checkpoints/internvl3",
    checkpoint_sha256="ab" * 32,
)


NO_GAZE = {"gaze": None, "gaze_prompts": 0}
GAZE = np.array([[np.nan, np.nan, np.nan], [0.1, 0.3, 0.2], [0.3, 0.0, 0.4]])  # the first layer sees no visual token
SCORED = {(layer, head) for layer in (1, 2) for head in range(3)}


def written(path: Path, **changes: Any) -> Path:
    values: dict[str, Any] = {
        "active": ACTIVE,
        "prompts": 4,
        "model": IDENTITY,
        "layers": "1-2",
        "settings": {"lambda": 5e-5, "layers": "auto", "frames": 8},
        "episode_ids": ["e1", "e\ud800"],
    }
    write_heads(path, HeadStatistics(**{**values, **changes}))
    return path


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    return written(tmp_path / "heads.parquet")


def test_a_row_for_every_head_counts_and_shares(heads: Path) -> None:
    rows = pq.read_table(heads).to_pylist()
    assert rows[3] == {"layer": 1, "head": 0, "prompts": 4, "active": 4, "share": 1.0, **NO_GAZE}
    assert rows[4] == {"layer": 1, "head": 1, "prompts": 4, "active": 1, "share": 0.25, **NO_GAZE}
    assert [(row["layer"], row["head"]) for row in rows] == [(layer, head) for layer in range(3) for head in range(3)]


def test_what_is_read_is_what_was_written(heads: Path) -> None:
    choice = read_heads(heads)
    assert choice.heads == {(1, 0), (1, 2), (2, 0)}
    assert choice.episode_ids == {"e1", "e\ud800"}
    assert (choice.model, choice.checkpoint) == ("internvl3", "checkpoints/internvl3")
    assert (choice.checkpoint_sha256, choice.shape) == ("ab" * 32, (3, 3))


@pytest.mark.parametrize(
    ("share", "chosen"),
    [(1, {(1, 0)}), (0.75, {(1, 0), (2, 0)}), (1e-9, {(1, 0), (1, 1), (1, 2), (2, 0)})],
)
def test_the_least_share_decides_and_is_enough(heads: Path, share: float, chosen: set[tuple[int, int]]) -> None:
    assert read_heads(heads, share).heads == chosen


@pytest.mark.parametrize(
    ("limit", "chosen"),
    [
        (1, {(2, 2)}),
        (2, {(2, 2), (1, 1)}),
        (3, {(2, 2), (1, 1), (2, 0)}),
        (99, SCORED),
    ],
)
def test_by_gaze_the_largest_scores_are_chosen_of_equal_ones_the_lower_layer(
    tmp_path: Path, limit: int, chosen: set[tuple[int, int]]
) -> None:
    file = written(tmp_path / "heads.parquet", gaze=GAZE, gaze_prompts=3)
    assert read_heads(file, 1.0, limit, "gaze").heads == chosen
    rows = pq.read_table(file).to_pylist()
    assert (rows[0]["gaze"], rows[4]["gaze"], rows[4]["gaze_prompts"]) == (None, 0.3, 3)


def test_a_file_without_gaze_scores_is_read_and_cannot_be_ranked_by_them(tmp_path: Path, heads: Path) -> None:
    table = pq.read_table(heads)
    earlier = tmp_path / "earlier.parquet"
    pq.write_table(table.drop_columns(["gaze", "gaze_prompts"]), earlier)
    assert read_heads(earlier) == read_heads(heads)
    for file in (earlier, heads):
        with pytest.raises(UsageError, match="no gaze scores"):
            read_heads(file, limit=2, rank="gaze")


@pytest.mark.parametrize("share", [0, -0.5, 1.01, float("nan")])
def test_a_share_out_of_range_is_a_usage_error(heads: Path, share: float) -> None:
    with pytest.raises(UsageError, match="out of range"):
        read_heads(heads, share)


def test_no_head_that_reaches_the_share_is_a_usage_error(tmp_path: Path) -> None:
    path = written(tmp_path / "heads.parquet", active=np.minimum(ACTIVE, 1))
    with pytest.raises(UsageError, match=r"no head was active in 50% .* the most active in 25\.0%"):
        read_heads(path)


def test_a_file_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        read_heads(tmp_path / "heads.parquet")


def rewrite(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path)


def test_what_is_no_heads_file_is_invalid_input(heads: Path) -> None:
    table = pq.read_table(heads)
    metadata = table.schema.metadata
    spoilt = {
        "what it was made from": table.replace_schema_metadata({}),
        "has version": table.replace_schema_metadata({METADATA_KEY: metadata[METADATA_KEY].replace(b'"1.0"', b'"9"')}),
        "has version None": table.replace_schema_metadata({METADATA_KEY: b"[]"}),
        "share": table.drop_columns("share"),
        "8 rows": table.slice(1),
        "0 rows": table.slice(0, 0),
        "episode_ids": table.replace_schema_metadata(
            {METADATA_KEY: metadata[METADATA_KEY].replace(b"episode_ids", b"clips")}
        ),
    }
    for message, changed in spoilt.items():
        rewrite(heads, changed)
        with pytest.raises(InvalidInputError, match=message):
            read_heads(heads)
    heads.write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_heads(heads)


def test_a_file_that_another_tool_wrote_again_with_its_metadata_is_fine(heads: Path) -> None:
    table = pq.read_table(heads)
    rewrite(heads, table.set_column(0, "layer", table["layer"].cast(pa.int64())))
    assert read_heads(heads).heads == {(1, 0), (1, 2), (2, 0)}
