from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.episodes.formats.arrow import EPISODE_ARROW_SCHEMA
from socialcli.episodes.reading import BadQuestion, read_episodes, read_records
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import InvalidInputError, NotFoundError

from .samples import Record, changed, record, write_lines

NAMES = ("e.parquet", "e.jsonl", "e.jsonl.gz", "E.JSONL")


@pytest.mark.parametrize("name", NAMES)
def test_every_format_gives_the_same_episodes(tmp_path: Path, name: str) -> None:
    with EpisodeWriter(tmp_path / name) as writer:
        for number in range(40):
            writer.write(record(f"e{number}"))
    write_lines(tmp_path / "reference.jsonl", [record(f"e{number}") for number in range(40)])
    rows, expected = list(read_episodes(tmp_path / name)), list(read_episodes(tmp_path / "reference.jsonl"))
    assert [row.episode for row in rows] == [row.episode for row in expected]
    assert [row.row for row in rows] == list(range(1, 41))
    assert {row.source_name for row in rows} == {name}
    assert not any(row.problems or row.bad_questions for row in rows)


def test_rows_are_the_numbers_of_the_lines(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "e.jsonl", [record("a"), "", "{", record("b")])
    assert [row.row for row in read_episodes(path)] == [1, 3, 4]


def test_an_unreadable_line_has_neither_episode_nor_questions(tmp_path: Path) -> None:
    [row] = read_episodes(write_lines(tmp_path / "e.jsonl", ["{"]))
    assert (row.episode, row.record, row.bad_questions) == (None, None, ())
    assert row.problems[0].located(row.source_name).startswith("e.jsonl:1:record: is not valid JSON at column 2")


def test_a_bad_question_leaves_the_episode_to_the_others(tmp_path: Path) -> None:
    def change(r: Record) -> None:
        r["questions"][1]["span"] = [4, 99]
        r["questions"][2] = {"task": 5}

    [row] = read_episodes(write_lines(tmp_path / "e.jsonl", [changed(change)]))
    assert row.episode is not None
    assert [question.id for question in row.episode.questions] == ["e1/target", "e1/videoqa", "e1/other"]
    message = (
        "e.jsonl:1:questions[1].span: is [4, 99], but the utterance has 12 characters; count from 0, end exclusive"
    )
    assert row.bad_questions[0] == BadQuestion("e1/coref", "coref", "s1", message)
    assert (row.bad_questions[1].id, row.bad_questions[1].task) == (None, None)
    assert row.bad_questions[1].message.startswith("e.jsonl:1:questions[2].id: is missing; add it: ")


def test_a_bad_episode_fails_every_question_it_can_name(tmp_path: Path) -> None:
    def change(r: Record) -> None:
        r["questions"][1] = "nothing to name"
        del r["questions"][3]["id"]
        r["questions"][4]["task"] = None
        r["boxes"][0]["speaker"] = 7

    [row] = read_episodes(write_lines(tmp_path / "e.jsonl", [changed(change)]))
    assert row.episode is None
    assert [(bad.id, bad.task) for bad in row.bad_questions] == [
        ("e1/target", "target"),
        ("e1/mentioned", "mentioned"),
        ("e1/other", None),
    ]
    assert {bad.message for bad in row.bad_questions} == {
        "e.jsonl:1:boxes[0].speaker: is the number 7, not a string; write a string"
    }


def test_a_bad_episode_among_good_ones_costs_only_itself(tmp_path: Path) -> None:
    bad = changed(lambda r: r.update(questions="none"), "bad")
    rows = list(read_episodes(write_lines(tmp_path / "e.jsonl", [record("a"), bad, record("b")])))
    assert [row.episode is None for row in rows] == [False, True, False]
    assert rows[1].bad_questions == ()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.jsonl", b"", "is empty; give a file with at least one episode"),
        ("e.jsonl.gz", b"", "is empty; give a file with at least one episode"),
        ("e.jsonl", b"\n \n", "holds no episodes; give a file with at least one"),
        ("e.csv", b"a,b\n", "has an unknown type; its name must end in one of .parquet, .jsonl.gz, .jsonl"),
        ("e.gz", gzip.compress(b"{}", mtime=0), "has an unknown type; "),
        ("e.parquet", b"{}\n", "is named .parquet, but is a text file; rename it, or name the right file"),
        ("e.parquet", b"PAR1 and no more", "is damaged or not a complete Parquet file ("),
        ("e.jsonl", b"PAR1....", "is named .jsonl, but is a Parquet file; rename it"),
        ("e.jsonl", gzip.compress(b"{}", mtime=0), "is named .jsonl, but is a gzip file; rename it"),
        ("e.jsonl.gz", b"{}\n", "is named .jsonl.gz, but is a text file; rename it"),
        ("e.jsonl", '{"a": 1}'.encode("utf-16"), "is named .jsonl, but is text in UTF-16, not UTF-8; "),
        ("e.jsonl", b"\x00\x01\x02", "is named .jsonl, but is a binary file; "),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        list(read_records(path))
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_missing_file_is_reported_before_its_type(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", write_lines(tmp_path / "e.jsonl", []) / "inside.jsonl"):
        with pytest.raises(NotFoundError, match="there is no such file"):
            read_records(path)


def test_a_folder_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is a folder; name the episodes file itself"):
        read_records(tmp_path)


def test_a_file_that_the_system_refuses_is_reported_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"cannot be read \(File name too long\)"):
        read_records(tmp_path / f"{'e' * 300}.jsonl")


def test_damage_in_the_middle_comes_after_the_rows_before_it(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "e.jsonl.gz", [record(os.urandom(8).hex()) for _ in range(500)])
    path.write_bytes(path.read_bytes()[:-2000])
    rows = read_records(path)
    assert next(rows).row == 1
    with pytest.raises(InvalidInputError, match=r"is damaged after row \d+ \("):
        list(rows)


def damaged_parquet(path: Path) -> Path:
    with EpisodeWriter(path) as writer:
        writer.write(record())
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    return path


def test_a_damaged_page_of_a_parquet_file_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"e\.parquet: is damaged or not a complete Parquet file \("):
        list(read_records(damaged_parquet(tmp_path / "e.parquet")))


def write_table(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def test_parquet_of_other_programs_reads_as_the_same_records(tmp_path: Path) -> None:
    """Other widths, dictionaries, nullable everywhere, an optional column left out: as pandas or DuckDB write it."""
    table = pa.Table.from_pylist([{k: v for k, v in record().items() if k != "split"}])
    table = table.set_column(0, "schema_version", table["schema_version"].dictionary_encode())
    table = table.set_column(1, "episode_id", table["episode_id"].cast(pa.large_string()))
    assert table.schema.field("video").type != EPISODE_ARROW_SCHEMA.field("video").type
    [row] = read_episodes(write_table(tmp_path / "e.parquet", table))
    [expected] = read_episodes(write_lines(tmp_path / "e.jsonl", [changed(lambda r: r.pop("split"))]))
    assert row.problems == ()
    assert row.episode == expected.episode


def test_a_null_where_one_is_not_allowed_is_a_problem_of_the_row(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([record("a"), changed(lambda r: r["video"].update(width=None), "b")])
    rows = list(read_episodes(write_table(tmp_path / "e.parquet", table)))
    assert [row.episode is None for row in rows] == [False, True]
    assert rows[1].problems[0].located("f").startswith("f:2:video.width: is null, not a whole number")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("boxes"), "does not hold episodes: boxes is missing"),
        (lambda r: r.update(extra=1), "does not hold episodes: extra is not a field of the format"),
        (lambda r: r["boxes"][0].update(z=1), "does not hold episodes: boxes.z is not a field of the format"),
        (
            lambda r: [box.update(x0="1") for box in r["boxes"]],
            "does not hold episodes: boxes.x0 has type string, not number",
        ),
        (lambda r: r.update(speakers="s1"), "does not hold episodes: speakers has type string, not list"),
        (lambda r: r.update(video=["a"]), "does not hold episodes: video has type list<"),
    ],
)
def test_columns_that_cannot_hold_episodes_are_named(tmp_path: Path, change: object, message: str) -> None:
    assert callable(change)
    path = write_table(tmp_path / "e.parquet", pa.Table.from_pylist([changed(change)]))
    with pytest.raises(InvalidInputError) as caught:
        list(read_records(path))
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_parquet_file_without_rows_holds_no_episodes(tmp_path: Path) -> None:
    path = write_table(tmp_path / "e.parquet", EPISODE_ARROW_SCHEMA.empty_table())
    with pytest.raises(InvalidInputError, match="holds no episodes"):
        list(read_records(path))


@pytest.mark.parametrize("name", NAMES)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    def peak(rows: int) -> int:
        with EpisodeWriter(tmp_path / name) as writer:
            for number in range(rows):
                writer.write(record(f"e{number}"))
        list(read_records(tmp_path / name))[:0]  # imports and caches
        tracemalloc.start()
        for _ in read_records(tmp_path / name):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(400) < 1.5 * peak(40) + 100_000
