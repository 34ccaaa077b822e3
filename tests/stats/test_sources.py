from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import InvalidInputError, NotFoundError
from socialcli.files import write_json
from socialcli.results.columns import from_record
from socialcli.results.predictions import PREDICTIONS, Prediction
from socialcli.results.tables import TableWriter
from socialcli.stats.sources import Source

from ..results.folders import answered, leave, of_earlier_version
from ..results.samples import prediction

ALIGNED = {"alpha": 1.0, "lambda": 5e-5, "layers": "1-2", "bias": "published"}


def test_a_folder_and_the_file_in_it_are_the_same_source(tmp_path: Path) -> None:
    folder = leave(tmp_path / "out", answered("10"), settings={"frames": 7}, model={"device": "cpu"})
    for path in (folder, folder / "predictions.parquet"):
        source = Source.find(path)
        assert (source.path, source.predictions) == (path, folder / "predictions.parquet")
        assert source.folder is not None and source.folder.accuracy == folder / "accuracy.parquet"
        assert (source.settings, source.model) == ({"frames": 7}, {"device": "cpu"})
        assert [row["question_id"] for row in source.rows()] == ["q0", "q1"]
        assert source.warnings() == []


def test_a_file_of_another_name_stands_alone(tmp_path: Path) -> None:
    folder = leave(tmp_path, answered("1"), settings={"frames": 7})
    copied = (folder / "predictions.parquet").rename(tmp_path / "kept.parquet")
    source = Source.find(copied)
    assert (source.folder, source.settings, source.model) == (None, {}, {})
    assert len(list(source.rows())) == 1


def test_a_sweep_has_a_manifest_of_another_name(tmp_path: Path) -> None:
    write_json(leave(tmp_path, answered("1")) / "sweep.json", {"settings": {"frames": 9}, "outcome": "done"})
    assert Source.find(tmp_path).settings == {"frames": 9}
    write_json(tmp_path / "sweep.json", {"sweep_version": "1.0", "outcome": "interrupted"})
    (warning,) = Source.find(tmp_path).warnings()
    assert "the sweep was interrupted; only the answers so far count" in warning


@pytest.mark.parametrize(
    ("outcome", "part"),
    [
        ("running", "killed"),
        ("stopped", "by its failures"),
        ("interrupted", "was interrupted"),
        ("error", "with an error"),
    ],
)
def test_a_run_that_did_not_end_is_reported(outcome: str, part: str, tmp_path: Path) -> None:
    (warning,) = Source.find(leave(tmp_path, answered("1"), outcome=outcome)).warnings()
    assert part in warning and str(tmp_path) in warning and "answers of the run before it" in warning


def test_nothing_to_read_is_reported_by_what_was_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone: there is no such folder or file"):
        Source.find(tmp_path / "gone")
    with pytest.raises(NotFoundError, match=r"holds no predictions\.parquet"):
        Source.find(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_a_broken_manifest_is_an_error_and_no_guess(text: str, tmp_path: Path) -> None:
    (leave(tmp_path, answered("1")) / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidInputError, match=r"run\.json"):
        Source.find(tmp_path)


def part(folder: Path, number: int, rows: list[Any]) -> None:
    (folder / "parts").mkdir(exist_ok=True)
    with TableWriter(folder / "parts" / f"{number:06}.parquet", PREDICTIONS) as writer:
        for row in rows:
            writer.write(row)


def test_the_parts_of_a_run_that_has_not_ended_are_read(tmp_path: Path) -> None:
    part(tmp_path, 1, [prediction(question_id="q0"), prediction(question_id="q1")])
    part(tmp_path, 2, [prediction(question_id="q2")])
    write_json(tmp_path / "run.json", {"outcome": "running", "counts": {"expected": 7}})
    source = Source.find(tmp_path)
    assert [row["question_id"] for row in source.rows()] == ["q0", "q1", "q2"]
    (warning,) = source.warnings()
    assert "killed" in warning and "3 of 7 answers count" in warning


@pytest.mark.parametrize("manifest", [{}, {"counts": {}}, {"outcome": "interrupted", "counts": {"expected": 0}}])
def test_how_many_there_would_have_been_is_not_made_up(manifest: dict[str, Any], tmp_path: Path) -> None:
    part(tmp_path, 1, [prediction(question_id="質問")])
    write_json(tmp_path / "run.json", manifest)
    (warning,) = Source.find(tmp_path).warnings()
    assert "; 1 answers count" in warning


def test_newer_answers_count_beside_those_of_the_run_before(tmp_path: Path) -> None:
    leave(tmp_path, answered("10"), outcome="interrupted")
    (old, kept) = Source.find(tmp_path).rows()
    again = from_record(Prediction, {**old, "prediction": None, "status": "unparsed"})
    part(tmp_path, 1, [again, from_record(Prediction, {**old, "question_id": "new"})])
    part(tmp_path, 2, [from_record(Prediction, {**old, "alignment": True, **ALIGNED})])
    source = Source.find(tmp_path)
    found = [(row["question_id"], row["alignment"], row["status"]) for row in source.rows()]
    assert found == [
        (kept["question_id"], False, "ok"),
        (old["question_id"], False, "unparsed"),
        ("new", False, "ok"),
        (old["question_id"], True, "ok"),
    ]
    assert "from the run before it" in source.warnings()[0]


def test_an_answer_of_an_earlier_version_gives_way_to_the_newer_one(tmp_path: Path) -> None:
    old, new = answered("1", aligned=True), answered("0", aligned=True)
    of_earlier_version(leave(tmp_path, old, outcome="interrupted"))
    part(tmp_path, 1, new)
    assert [row["correct"] for row in Source.find(tmp_path).rows()] == [False]


def test_a_folder_that_has_kept_nothing_says_so(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"outcome": "running"})
    with pytest.raises(NotFoundError, match="has stored no answers yet"):
        Source.find(tmp_path)
