"""Output folders whose rows are made up, for the tests of what reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from socialcli.files import write_json
from socialcli.results.columns import columns_of
from socialcli.results.predictions import PREDICTIONS, Prediction
from socialcli.results.tables import TableWriter

from .samples import plain, prediction


def leave(folder: Path, rows: Iterable[Prediction], **manifest: Any) -> Path:
    """Write a folder with these predictions, and a run.json where anything is to stand in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with TableWriter(folder / "predictions.parquet", PREDICTIONS) as writer:
        for row in rows:
            writer.write(row)
    if manifest:
        write_json(folder / "run.json", {"outcome": "done", **manifest})
    return folder


def of_earlier_version(folder: Path) -> Path:
    """Drop the columns of the folder's predictions that came later than the others."""
    path = folder / "predictions.parquet"
    later = [one.name for one in columns_of(Prediction) if one.later]
    pq.write_table(pq.read_table(path).drop_columns(later), path)
    return folder


def answered(right: str, aligned: bool = False, **changes: Any) -> list[Prediction]:
    """A row for each letter of `right`: 1 is right, 0 wrong, x failed, ? unparsed, and u unlabelled; two an episode."""
    make = prediction if aligned else plain
    return [make(**_outcome(letter) | _place(index) | changes) for index, letter in enumerate(right)]


def _place(index: int) -> dict[str, Any]:
    return {"question_id": f"q{index}", "episode_id": f"e{index // 2}"}


def _outcome(letter: str) -> dict[str, Any]:
    without: dict[str, Any] = {"prediction": None, "scores": None}
    return {
        "1": {"prediction": "ann"},
        "0": {"prediction": "bob"},
        "x": {**without, "status": "failed", "error": "ModelError: no"},
        "?": {**without, "status": "unparsed", "raw_text": "A or B"},
        "u": {"prediction": "ann", "answer": None},
    }[letter]
