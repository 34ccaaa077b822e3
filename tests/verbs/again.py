"""What the tests of runs that are given again share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .runs import Record, Run, close, run, write

FEW = ("--frames", "1")
FILES = ["accuracy.parquet", "inputs.json", "predictions.parquet", "run.json"]


def ask(episodes: Path, *options: str, tasks: Sequence[str] = ("all",)) -> Run:
    """Run in the folder `out` beside the episodes."""
    return run(episodes, episodes.parent / "out", *FEW, *options, tasks=tasks)


def changed(file: Path, change: Any) -> None:
    """Change the second episode of a file."""
    lines: list[Record] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    change(lines[1])
    write(file, lines)


def assert_same(rows: Sequence[Record], others: Sequence[Record], by: float = 1e-6) -> None:
    """The same answers in the same order, whatever time they took."""
    assert [row["key"] for row in rows] == [row["key"] for row in others]
    for row, other in zip(rows, others, strict=True):
        assert close(row["scores"], other["scores"], by)
        assert {**row, "scores": 0, "seconds": 0} == {**other, "scores": 0, "seconds": 0}
