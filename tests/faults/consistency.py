"""What holds of the rows of every run, however broken its inputs were."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..verbs.runs import Row, Run

TASKS = ("videoqa", "target", "coref", "mentioned")


def check_rows(run: Run, asked: Sequence[tuple[str, str | None]] | None, limit: int) -> None:
    """Raise AssertionError where the rows of a run with `--alignment both` contradict each other, or the file.

    `asked` are the ids and tasks of the file's questions, where it can be read without socialcli; `limit` of each task
    are asked, and of those without a task.
    """
    if run.code not in (0, 3):
        return
    rows = run.validated().rows
    plain, aligned = rows[::2], rows[1::2]
    assert [row["question_id"] for row in plain] == [row["question_id"] for row in aligned]
    assert not any(row["alignment"] for row in plain), "an aligned row stands where a plain one should"
    assert all(row["alignment"] for row in aligned), "a plain row stands where an aligned one should"
    for row in rows:
        check_row(row)
    counts = run.manifest["counts"]
    assert counts["rows"] == len(rows) == counts["ok"] + counts["unparsed"] + counts["failed"]
    assert (run.code == 3) == (counts["failed"] + counts["unreadable"] > 0)
    found = Counter(row["task"] if row["task"] in TASKS else None for row in plain)
    assert all(count <= limit for count in found.values()), found
    if asked is None:
        return
    named = [row["question_id"] for row in plain if not row["question_id"].startswith("episodes.")]
    left = iter(name for name, _ in asked)
    assert all(name in left for name in named), f"rows of {named} where the file asks {asked}"  # in the file's order
    whole = any(found[task] < limit for task in TASKS)  # else the file is read no further
    for task in (*TASKS, *([None] if whole else [])):
        missing = [name for name, its_task in asked if its_task == task and name not in named]
        assert found[task] == limit or not missing, f"{found[task]} questions of {task}, and none of {missing}"


def check_row(row: Row) -> None:
    """Raise AssertionError where a row contradicts itself."""
    answered = row["status"] == "ok"
    assert (row["error"] is not None) == (row["status"] == "failed"), row
    assert (row["prediction"] is not None) == (row["scores"] is not None) == answered, row
    if answered:
        assert len(row["scores"]) == len(row["candidates"]), row
        assert all(map(math.isfinite, row["scores"])), row
        assert row["prediction"] == row["candidates"][row["scores"].index(max(row["scores"]))], row
        assert math.isclose(sum(map(math.exp, row["scores"])), 1, abs_tol=1e-6), row
    if row["answer"] is not None:
        assert row["correct"] is (row["prediction"] == row["answer"]), row


def asked_questions(file: Path | None) -> list[tuple[str, str | None]] | None:
    """The ids and tasks of an episodes file's questions of the built-in tasks, read without socialcli; None where
    nothing can. What has no task is a failed row.
    """
    if file is None:
        return None
    try:
        records = pq.read_table(file).to_pylist() if file.suffix == ".parquet" else _lines(file)
    except (pa.ArrowException, OSError, ValueError):  # what pyarrow and json raise for a damaged file
        return None
    questions = [one for record in records for one in _list(record.get("questions"))]
    named = [(one["id"], one.get("task")) for one in questions if isinstance(one.get("id"), str)]
    known = [(name, task if isinstance(task, str) else None) for name, task in named]
    return [(name, task) for name, task in known if task is None or task in TASKS]


def _list(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _lines(file: Path) -> list[dict[str, Any]]:
    records = []
    for line in file.read_bytes().split(b"\n"):
        try:
            record = json.loads(line.decode(), object_pairs_hook=_once)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
