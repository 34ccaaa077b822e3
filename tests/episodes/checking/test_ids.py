from __future__ import annotations

import errno
import sqlite3
import tracemalloc

import pytest

from socialcli.episodes.checking.ids import FirstRows


def test_an_id_is_reported_where_it_first_stood() -> None:
    ids = FirstRows()
    assert [ids.add(name, row) for row, name in enumerate(["a", "b", "a", "", "b", ""], start=1)] == [
        *(None, None, 1),
        *(None, 2, 4),
    ]


@pytest.mark.parametrize("name", ["Zoë", "a\0b", "\ud800", "x" * 100_000])
def test_any_text_is_an_id(name: str) -> None:
    ids = FirstRows()
    assert (ids.add(name, 1), ids.add(name + "x", 2), ids.add(name, 3)) == (None, None, 1)


def test_files_know_nothing_of_each_other() -> None:
    one, other = FirstRows(), FirstRows()
    assert (one.add("a", 1), other.add("a", 2)) == (None, None)


def test_many_ids_are_all_told_apart() -> None:
    ids = FirstRows()
    names = [f"episode-{number}/question-{number % 7}" for number in range(100_000)]
    assert not any(ids.add(name, row) for row, name in enumerate(names, start=1))
    assert [ids.add(names[place], 0) for place in (0, 49_999, 99_999)] == [1, 50_000, 100_000]


def test_many_ids_take_no_more_of_pythons_memory_than_few() -> None:
    ids = FirstRows()
    tracemalloc.start()
    try:
        for row in range(20_000):
            ids.add(f"episode-{row}", row)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000  # a set of them takes two million


def test_a_full_disk_is_reported_as_one() -> None:
    ids = FirstRows()
    ids._database.execute("PRAGMA max_page_count = 40")
    with pytest.raises(OSError, match="database or disk is full") as caught:
        for row in range(100_000):
            ids.add(f"episode-{row}", row)
    assert caught.value.errno == errno.EIO
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
