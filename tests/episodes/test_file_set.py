"""Several episodes files as one."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.episodes.file_set import check_distinct, read_files
from socialcli.episodes.question_count import count_questions, has_question
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import InvalidInputError, NotFoundError, UsageError

from .samples import record, write_lines


def file(folder: Path, name: str, *episodes: str) -> Path:
    folder.mkdir(exist_ok=True)
    with EpisodeWriter(folder / name) as writer:
        for one in episodes:
            writer.write(record(one))
    return folder / name


@pytest.mark.parametrize("names", [("a.jsonl", "b.jsonl"), ("a.parquet", "b.jsonl.gz"), ("a.jsonl", "b.parquet")])
def test_the_rows_one_file_after_the_other_each_with_its_folder(tmp_path: Path, names: tuple[str, str]) -> None:
    paths = [file(tmp_path / "x", names[0], "e1", "e2"), file(tmp_path / "y", names[1], "名前")]
    check_distinct(paths)
    rows = list(read_files(paths))
    assert [(row.episode.episode_id if row.episode else None, row.row) for row in rows] == [
        ("e1", 1),
        ("e2", 2),
        ("名前", 1),
    ]
    assert [row.folder for row in rows] == [tmp_path / "x"] * 2 + [tmp_path / "y"]
    assert [row.source_name for row in rows] == [str(paths[0])] * 2 + [str(paths[1])]
    assert count_questions(paths, ("target",)) == 3 and count_questions(paths, ("target",), limit=2) == 2
    assert has_question(paths, ("target",), ("test",)) and not has_question(paths, ("target",), ("dev", None))


@pytest.mark.parametrize("names", [("a.jsonl", "b.jsonl"), ("a.parquet", "b.jsonl"), ("a.jsonl", "b.parquet")])
def test_an_id_in_two_files_is_an_error_that_names_both(tmp_path: Path, names: tuple[str, str]) -> None:
    paths = [file(tmp_path / "x", names[0], "e1", "e2"), file(tmp_path / "y", names[1], "e3", "e2")]
    with pytest.raises(InvalidInputError, match="e2") as told:
        check_distinct(paths)
    assert all(str(path) in str(told.value) for path in paths)


def test_a_question_in_two_files_too(tmp_path: Path) -> None:
    one, other = record("e1"), record("e2")
    other["questions"][0]["id"] = one["questions"][0]["id"]
    paths = [write_lines(tmp_path / "a.jsonl", [one]), write_lines(tmp_path / "b.jsonl", ["{", other])]
    with pytest.raises(InvalidInputError, match=r"a\.jsonl and .*b\.jsonl both have the question 'e1/target'"):
        check_distinct(paths)


def test_a_question_in_a_file_whose_lists_have_other_names(tmp_path: Path) -> None:
    """Arrow calls the items of a list "item", Spark "array", and the Parquet format "element"."""
    one, other = record("e1"), record("e2")
    other["questions"][0]["id"] = one["questions"][0]["id"]
    for name in ("item", "array"):
        paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
        for path, episode in zip(paths, (one, other), strict=True):
            with EpisodeWriter(path) as writer:
                writer.write(episode)
            table = pq.read_table(path)
            kind = table.schema.field("questions").type
            place = table.schema.get_field_index("questions")
            column = table.column(place).cast(pa.list_(pa.field(name, kind.value_type)))
            table = table.set_column(place, "questions", column)
            pq.write_table(table, path, use_compliant_nested_type=False)
        with pytest.raises(InvalidInputError, match="both have the question 'e1/target'"):
            check_distinct(paths)
        assert count_questions(paths, ("target",)) == 2


def test_a_file_named_twice_is_one_of_usage(tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", "e1")
    (tmp_path / "link.jsonl").symlink_to(path)
    for again in (path.parent / "." / "a.jsonl", Path(os.path.join(path.parent, "..", path.parent.name, "a.jsonl"))):
        with pytest.raises(UsageError, match="named twice"):
            check_distinct([path, again, path])
    with pytest.raises(UsageError, match="named twice"):
        check_distinct([path, tmp_path / "link.jsonl"])


def test_a_file_that_is_missing_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="none"):
        read_files([file(tmp_path, "a.jsonl", "e1"), tmp_path / "none.jsonl"])
