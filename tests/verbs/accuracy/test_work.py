from __future__ import annotations

import tracemalloc
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from socialcli.results.columns import as_record
from socialcli.results.predictions import Prediction
from socialcli.stats.accuracy import ACCURACY_ARROW_SCHEMA, accuracy_table
from socialcli.stats.gold import GoldLabel, GoldLabels
from socialcli.stats.sources import Source
from socialcli.stats.summary import summary_lines
from socialcli.verbs.accuracy.work import Recount, recount, recount_lines, write_recounts

from ...results.folders import answered, leave

ROWS = [*answered("110x?u10110101"), *answered("111011u1010110", aligned=True)]


def recounted(folder: Path, rows: list[Prediction] = ROWS) -> Recount:
    return recount(Source.find(leave(folder, rows)))


def test_the_table_is_that_of_the_rows(tmp_path: Path) -> None:
    one = recounted(tmp_path)
    assert list(one.table) == accuracy_table(map(as_record, ROWS))
    assert one.warnings == ()


def test_labels_replace_the_answers(tmp_path: Path) -> None:
    known = {(f"q{n}", "mentioned"): GoldLabel("bob", frozenset({"ann", "bob"})) for n in range(4)}
    source = Source.find(leave(tmp_path, answered("10x1u"), outcome="interrupted"))
    done = recount(source, GoldLabels(tmp_path / "new.jsonl", known, 0))
    assert [(row.n, row.correct, row.failed, row.unlabelled) for row in done.table] == [(4, 1, 1, 1)]
    interrupted, lost = done.warnings
    assert "was interrupted" in interrupted
    assert lost.startswith(f"{tmp_path}: ") and "1 of 5 rows count as unlabelled" in lost


def test_one_table_is_printed_as_a_run_does_and_several_with_their_folders(tmp_path: Path) -> None:
    a, b = recounted(tmp_path / "a"), recounted(tmp_path / "b", answered("11", inputs="L"))
    assert recount_lines([a]) == summary_lines(a.table)
    head, *lines, _, _ = recount_lines([a, b]).splitlines()  # two notes on the episodes
    assert head.split()[:5] == ["folder", "task", "alignment", "inputs", "n"]
    assert [line.split()[:5] for line in lines] == [
        [str(tmp_path / "a"), "mentioned", "off", "VLB", "13"],
        [str(tmp_path / "a"), "mentioned", "on", "VLB", "13"],
        [str(tmp_path / "b"), "mentioned", "off", "L", "2"],
    ]


def test_the_file_is_an_accuracy_table_and_of_several_has_a_folder(tmp_path: Path) -> None:
    a, b = recounted(tmp_path / "a"), recounted(tmp_path / "b")
    write_recounts(tmp_path / "one.parquet", [a])
    one = pq.read_table(tmp_path / "one.parquet")
    assert one.schema.equals(ACCURACY_ARROW_SCHEMA)
    assert one.to_pylist() == [row.as_record() for row in a.table]
    write_recounts(tmp_path / "two.parquet", [a, b])
    two = pq.read_table(tmp_path / "two.parquet")
    assert two.schema.names == ["folder", *ACCURACY_ARROW_SCHEMA.names]
    assert two.column("folder").to_pylist() == [str(tmp_path / "a")] * 2 + [str(tmp_path / "b")] * 2
    assert two.drop_columns("folder").to_pylist() == one.to_pylist() * 2


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(folder: str, copies: int) -> int:
        source = Source.find(leave(tmp_path / folder, ROWS * copies))
        tracemalloc.start()
        recount(source)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak("warm", 10)  # what is imported and kept at the first reading
    assert peak("many", 800) < 2 * peak("few", 50)
