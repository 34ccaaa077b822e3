from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from socialcli.alignment.head_stats import KEYS, TARGETS, FigureSums
from socialcli.results.earlier import EarlierRows
from socialcli.results.tables import TableWriter
from socialcli.verbs.measure.episode_sums import EPISODE_SUMS, EpisodeSums, Failure

from ...retyped import KIND_NAMES, KINDS, OfList, write_retyped


def sums_of(number: int, *failures: Failure, shape: tuple[int, int] = (3, 2)) -> EpisodeSums:
    """An episode whose sums are no round numbers."""
    draw, sums = np.random.default_rng(number), FigureSums(*shape)
    sums.active, sums.prompts = draw.integers(0, 5, shape).astype(float), 5
    for target in TARGETS:
        sums.rows[target], sums.pairs[target] = (int(draw.integers(1, 1000)) for _ in range(2))
    sums.gaze, sums.gaze_prompts = draw.random(shape) / 3, 4
    for key in KEYS:
        sums.largest[key], sums.attention[key] = draw.random(shape) / 3, draw.random(shape) / 7
    return EpisodeSums(
        key=f"{number:032x}", episode_id="家族/½", tasks=("coref",), failures=failures, sums=sums, reached=(number, 1)
    )


def written(path: Path, *rows: EpisodeSums) -> Path:
    with TableWriter(path, EPISODE_SUMS) as writer:
        for row in rows:
            writer.write(row)
    return path


def test_sums_are_kept_to_the_last_bit(tmp_path: Path) -> None:
    rows = [sums_of(number, Failure("q", "VideoError: no")) for number in range(40)]
    kept = EarlierRows.read([written(tmp_path / "a.parquet", *rows)], EPISODE_SUMS)
    for row in rows:
        found = kept.row(row.key)
        assert (found.episode_id, found.tasks, found.failures) == (row.episode_id, row.tasks, row.failures)
        assert found.reached == row.reached
        mine, theirs = found.sums, row.sums
        assert (mine.prompts, mine.rows, mine.pairs) == (theirs.prompts, theirs.rows, theirs.pairs)
        np.testing.assert_array_equal(mine.active, theirs.active)
        np.testing.assert_array_equal(mine.gaze, theirs.gaze)
        assert mine.gaze_prompts == theirs.gaze_prompts
        for key in KEYS:
            np.testing.assert_array_equal(mine.largest[key], theirs.largest[key])
            np.testing.assert_array_equal(mine.attention[key], theirs.attention[key])


def test_half_a_surrogate_pair_can_be_stored(tmp_path: Path) -> None:
    row = sums_of(1, Failure("q\ud800", "ModelError: \ud800"))
    found = EarlierRows.read([written(tmp_path / "a.parquet", row)], EPISODE_SUMS).row(row.key)
    assert found.failures == (Failure("q\\ud800", "ModelError: \\ud800"),)


def test_episodes_with_failures_can_be_left_out(tmp_path: Path) -> None:
    file = written(tmp_path / "a.parquet", sums_of(1), sums_of(2, Failure("q", "ModelError: no")))
    assert len(EarlierRows.read([file], EPISODE_SUMS)) == 2
    wanted = EarlierRows.read([file], EPISODE_SUMS, failed=False)
    assert sums_of(1).key in wanted and sums_of(2).key not in wanted


@pytest.mark.parametrize(("of_list", "text"), KINDS, ids=KIND_NAMES)
def test_a_file_of_other_types_is_read(of_list: OfList, text: Any, tmp_path: Path) -> None:
    row = sums_of(1, Failure("q", "ModelError: 没有"))
    file = written(tmp_path / "a.parquet", row)
    found = EarlierRows.read([write_retyped(file, pq.read_table(file), of_list, text)], EPISODE_SUMS).row(row.key)
    assert (found.tasks, found.failures) == (row.tasks, row.failures)
    np.testing.assert_array_equal(found.sums.active, row.sums.active)


def test_a_file_of_a_version_without_gaze_is_read(tmp_path: Path) -> None:
    file = written(tmp_path / "a.parquet", sums_of(1))
    pq.write_table(pq.read_table(file).drop_columns(["gaze", "gaze_prompts"]), file)
    found = EarlierRows.read([file], EPISODE_SUMS).row(sums_of(1).key)
    np.testing.assert_array_equal(found.sums.active, sums_of(1).sums.active)
    assert found.sums.gaze_prompts == 0 and not found.sums.gaze.any()


def test_a_file_of_other_columns_is_reported_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = written(tmp_path / "a.parquet", sums_of(1))
    pq.write_table(pq.read_table(file).drop_columns(["active"]), file)
    assert len(EarlierRows.read([file], EPISODE_SUMS)) == 0
    assert "a.parquet: cannot be read, so its episodes are computed again: columns are missing: active" in caplog.text
