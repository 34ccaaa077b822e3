from __future__ import annotations

import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from socialcli.results.earlier import EarlierRows
from socialcli.results.parts import PartWriter, part_paths
from socialcli.results.predictions import PREDICTIONS, Prediction
from socialcli.results.tables import TableWriter

from .samples import disk_of, failed, plain, prediction


def question(number: int) -> list[Prediction]:
    """The two rows of a question."""
    name, key = f"q{number}", f"{number:031x}"
    return [plain(question_id=name, key=f"{key}0"), prediction(question_id=name, key=f"{key}1")]


def names(path: Path) -> list[str]:
    return [row["question_id"] for row in pq.read_table(path).to_pylist()]


def test_a_part_is_full_with_so_many_questions(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    with PartWriter(folder, PREDICTIONS, questions=2, seconds=60) as parts:
        parts.write([question(1)])
        assert part_paths(folder) == []
        parts.write([question(2)])
        assert [names(path) for path in part_paths(folder)] == [["q1", "q1", "q2", "q2"]]
        parts.write([question(3)])
    assert [path.name for path in part_paths(folder)] == ["000001.parquet", "000002.parquet"]
    with PartWriter(folder, PREDICTIONS) as more:
        more.write([question(4)])
    assert [names(path)[0] for path in part_paths(folder)] == ["q1", "q3", "q4"]


def test_questions_that_were_asked_together_are_kept_together(tmp_path: Path) -> None:
    with PartWriter(tmp_path / "parts", PREDICTIONS, questions=3, seconds=60) as parts:
        parts.write([question(1), question(2)])
        parts.write([question(3), question(4)])
        parts.write([question(number) for number in range(5, 10)])
    assert [len(names(path)) for path in part_paths(tmp_path / "parts")] == [4, 4, 10]


def test_no_answer_waits_long_for_the_next(tmp_path: Path) -> None:
    with PartWriter(tmp_path / "parts", PREDICTIONS, seconds=0.2) as parts:
        parts.write([question(1)])
        deadline = time.monotonic() + 30
        while not part_paths(tmp_path / "parts") and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [names(path)[0] for path in part_paths(tmp_path / "parts")] == ["q1"]
        parts.write([question(2)])
    assert len(part_paths(tmp_path / "parts")) == 2


def test_whatever_ends_the_work_its_answers_are_kept(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), PartWriter(tmp_path / "parts", PREDICTIONS) as parts:
        parts.write([question(1)])
        raise KeyboardInterrupt
    assert [names(path)[0] for path in part_paths(tmp_path / "parts")] == ["q1"]


def test_no_answers_leave_no_folder(tmp_path: Path) -> None:
    with PartWriter(tmp_path / "parts", PREDICTIONS):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_also_when_the_clock_wrote(tmp_path: Path) -> None:
    with (
        disk_of(100),
        pytest.raises(OSError, match="File too large"),
        PartWriter(tmp_path / "x", PREDICTIONS, seconds=0.05) as parts,
    ):
        parts.write([question(1)])
        time.sleep(1)
        parts.write([question(2)])
    assert list(tmp_path.iterdir()) == []


def written(path: Path, *rows: Prediction) -> Path:
    with TableWriter(path, PREDICTIONS) as writer:
        for row in rows:
            writer.write(row)
    return path


def test_rows_are_found_by_their_key_in_the_last_file(tmp_path: Path) -> None:
    first = written(tmp_path / "a.parquet", *question(1), *question(2))
    second = written(tmp_path / "b.parquet", prediction(question_id="q1", key=f"{1:031x}1", active_heads=0.5))
    kept = EarlierRows.read([first, second], PREDICTIONS)
    assert len(kept) == 5
    assert f"{2:031x}0" in kept and f"{3:031x}0" not in kept and "f" * 32 not in kept
    assert kept.row(f"{2:031x}0") == question(2)[0]
    assert kept.row(f"{1:031x}1").active_heads == 0.5
    with pytest.raises(KeyError):
        kept.row("f" * 32)


def test_failed_rows_can_be_left_out(tmp_path: Path) -> None:
    file = written(tmp_path / "a.parquet", failed(key="a" * 32), prediction(key="b" * 32))
    assert "a" * 32 in EarlierRows.read([file], PREDICTIONS)
    wanted = EarlierRows.read([file], PREDICTIONS, failed=False)
    assert "a" * 32 not in wanted and wanted.row("b" * 32) == prediction(key="b" * 32)


def test_rows_beyond_the_first_group_are_found(tmp_path: Path) -> None:
    rows = [prediction(question_id=f"q{number}", key=f"{number:032x}") for number in range(700)]
    kept = EarlierRows.read([written(tmp_path / "a.parquet", *rows)], PREDICTIONS)
    assert all(kept.row(row.key) == row for row in (rows[0], rows[699], rows[256], rows[255]))


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"x" * 500])
def test_a_damaged_file_is_reported_and_left_out(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.parquet").write_bytes(damage)
    good = written(tmp_path / "b.parquet", *question(1))
    kept = EarlierRows.read([tmp_path / "a.parquet", good], PREDICTIONS)
    assert len(kept) == 2 and kept.row(f"{1:031x}0") == question(1)[0]
    assert "a.parquet: cannot be read, so its answers are computed again" in caplog.text


def test_a_file_of_other_columns_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = written(tmp_path / "a.parquet", *question(1))
    pq.write_table(pq.read_table(file).drop_columns(["frame_times"]), file)
    assert len(EarlierRows.read([file], PREDICTIONS)) == 0
    assert "columns are missing: frame_times" in caplog.text
