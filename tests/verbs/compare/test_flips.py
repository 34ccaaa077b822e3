from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import Wanted, chosen_sides
from socialcli.verbs.compare.flips import FLIPS_ARROW_SCHEMA, write_flips
from socialcli.verbs.compare.work import compare

from ...results.folders import answered, leave


def test_the_file_has_every_flip_with_both_answers(tmp_path: Path) -> None:
    folder = leave(tmp_path, [*answered("1100x1u"), *answered("110110u", aligned=True)])
    comparisons = [compare(*sides) for sides in chosen_sides(Source.find(folder), None, Wanted(), Wanted())]
    write_flips(tmp_path / "flips.parquet", comparisons)
    found = pq.read_table(tmp_path / "flips.parquet")
    assert found.schema.equals(FLIPS_ARROW_SCHEMA)
    gained, recovered, lost = found.to_pylist()
    assert gained == {
        "question_id": "q3",
        "episode_id": "e1",
        "dataset": "drawn",
        "split": None,
        "task": "mentioned",
        "order": None,
        "alignment_a": False,
        "alignment_b": True,
        "answer": "ann",
        "answer_index": None,
        "prediction_a": "bob",
        "prediction_index_a": None,
        "prediction_b": "ann",
        "prediction_index_b": None,
        "error_a": None,
        "error_b": None,
        "direction": "gained",
    }
    assert (recovered["question_id"], recovered["error_a"], recovered["direction"]) == (
        "q4",
        "ModelError: no",
        "gained",
    )
    assert (lost["question_id"], lost["prediction_b"], lost["direction"]) == ("q5", "bob", "lost")


def test_without_flips_the_file_has_its_columns(tmp_path: Path) -> None:
    write_flips(tmp_path / "flips.parquet", [])
    assert pq.read_table(tmp_path / "flips.parquet").schema.equals(FLIPS_ARROW_SCHEMA)
