"""`socialcli agreement` on files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from socialcli.agreement.measures import MEASURE_NAMES
from socialcli.agreement.table import AGREEMENT_ARROW_SCHEMA
from socialcli.schemas import load_schema

from ..runs import SAMPLE_FILE, Record, Run, command, record, write

WORLD = SAMPLE_FILE.parent / "world" / "episodes.parquet"


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return write(tmp_path / "reference.jsonl", [record(index) for index in range(3)])


def changed(path: Path, change: Callable[[Record], object]) -> Path:
    """The file of `reference` after `change` has worked on each episode."""
    records = [record(index) for index in range(3)]
    for one in records:
        one["questions"] = []
        change(one)
    return write(path, records)


def totals(done: Run) -> dict[str, dict[str, Any]]:
    assert done.code == 0, done.stderr
    return {row["measure"]: row for row in json.loads(done.stdout)["agreement"] if row["episode_id"] is None}


def test_a_file_agrees_with_itself() -> None:
    done = command("agreement", str(WORLD), str(WORLD))
    assert done.code == 0 and done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["utterances_right", "100.0%", "97.0%", "to", "100.0%", "160", "of", "160", "utterances"] in lines
    assert ["der_missed", "0.0%", "-", "0", "of", "72.0", "seconds", "of", "speech"] in lines
    assert ["mota", "100.0%", "-", "2,560", "of", "2,560", "boxes"] in lines
    assert "40 episodes of 40 recordings, speakers matched by recording, IoU >= 0.5, collar 0.25 s" in done.stdout


def test_other_names_of_speakers_agree_unless_ids_are_taken(reference: Path, tmp_path: Path) -> None:
    def rename(one: Record) -> None:
        for item in one["speakers"]:
            item["id"] = f"track {item['id']}"
        for item in (*one["utterances"], *one["boxes"]):
            item["speaker"] = f"track {item['speaker']}"

    other = changed(tmp_path / "other.jsonl", rename)
    found = totals(command("agreement", str(reference), str(other), "--json"))
    assert found["utterances_right"]["value"] == found["boxes_right"]["value"] == 1
    found = totals(command("agreement", str(reference), str(other), "--match", "id", "--json"))
    assert found["utterances_right"]["value"] == found["boxes_right"]["value"] == 0
    assert found["people_missed"]["value"] == found["people_false"]["value"] == 1


def test_the_options_reach_the_measures(reference: Path, tmp_path: Path) -> None:
    def shrink(one: Record) -> None:
        for box in one["boxes"]:
            box["x1"] = box["x0"] + 0.6 * (box["x1"] - box["x0"])
        for line in one["utterances"]:
            line["end"] = line["start"] + 0.9 * (line["end"] - line["start"])

    other = changed(tmp_path / "other.jsonl", shrink)
    found = [
        totals(command("agreement", str(reference), str(other), "--json", *options))
        for options in ((), ("--iou", "0.7"), ("--collar", "0"))
    ]
    assert [one["boxes_right"]["value"] for one in found] == [1, 0, 1]
    assert found[0]["mean_iou"]["value"] == pytest.approx(0.6, abs=0.01)
    assert [one["der"]["value"] for one in found] == [0, 0, pytest.approx(0.1)]


def test_boxes_that_are_missing_count_beyond_the_gap_alone(reference: Path, tmp_path: Path) -> None:
    def thin(one: Record) -> None:
        times = sorted({box["time"] for box in one["boxes"]})
        one["boxes"] = [box for box in one["boxes"] if times.index(box["time"]) % 2]

    other = changed(tmp_path / "other.jsonl", thin)
    missing = [
        totals(command("agreement", str(reference), str(other), "--json", *options))["boxes_missing"]["value"]
        for options in ((), ("--box-gap", "0"))
    ]
    assert missing == [0, pytest.approx(0.5, abs=0.05)]


def test_the_table_has_the_columns_of_its_schema(reference: Path, tmp_path: Path) -> None:
    output = tmp_path / "agreement.parquet"
    arguments = ("agreement", str(reference), str(SAMPLE_FILE), "-o", str(output))
    done = command(*arguments, "--json")
    table = pq.read_table(output)
    assert table.schema.equals(AGREEMENT_ARROW_SCHEMA)
    rows = table.to_pylist()
    assert rows == json.loads(done.stdout)["agreement"]
    assert [row["measure"] for row in rows] == [*MEASURE_NAMES] * 4
    for row in rows:
        Draft202012Validator(load_schema("agreement")).validate(row)
    before = output.read_bytes()
    refused = command(*arguments)
    assert refused.code == 2 and "--overwrite" in refused.stderr
    assert command(*arguments, "--overwrite").code == 0
    assert output.read_bytes() == before  # the same input gives the same bytes


def test_json_says_who_is_who(reference: Path) -> None:
    found = json.loads(command("agreement", str(reference), str(reference), "--json").stdout)
    assert (found["recordings"], found["match"], found["iou"], found["collar"], found["box_gap"]) == (
        *(3, "recording", 0.5, 0.25, 1.0),
    )
    for speaker in found["speakers"]:
        assert speaker["speaker"] == speaker["partner"]
        assert speaker["utterances"] == speaker["utterances_right"] and speaker["boxes"] == speaker["boxes_right"]
    assert len(found["speakers"]) == sum(len(record(index)["speakers"]) for index in range(3))


def test_files_without_a_common_video_exit_with_4(reference: Path, tmp_path: Path) -> None:
    def elsewhere(one: Record) -> None:
        one["video"]["path"] = f"other/{one['episode_id']}.mkv"
        one["episode_id"] += "-2"

    other = changed(tmp_path / "other.jsonl", elsewhere)
    done = command("agreement", str(reference), str(other))
    assert done.code == 4 and done.stdout == ""
    assert "no video is in both files" in done.stderr and record(0)["video"]["path"] in done.stderr


def test_files_without_common_time_exit_with_4(tmp_path: Path) -> None:
    one, other = (write(tmp_path / f"{start}.jsonl", [_empty(record(0), start, start + 1.0)]) for start in (0.0, 1.5))
    done = command("agreement", str(one), str(other))
    assert done.code == 4 and "cover different times" in done.stderr


def test_another_frame_size_is_said(reference: Path, tmp_path: Path) -> None:
    def halve(one: Record) -> None:
        one["video"] |= {name: one["video"][name] // 2 for name in ("width", "height")}
        for box in one["boxes"]:
            box |= {name: box[name] / 2 for name in ("x0", "y0", "x1", "y1")}

    done = command("agreement", str(reference), str(changed(tmp_path / "other.jsonl", halve)), "--json")
    assert totals(done)["mean_iou"]["value"] == pytest.approx(1)
    assert "3 of 3 videos have another frame size" in done.stderr


def test_a_bad_row_is_left_out_and_the_rest_compared(reference: Path, tmp_path: Path) -> None:
    other = changed(tmp_path / "other.jsonl", lambda one: one)
    lines = other.read_text(encoding="utf-8").splitlines()
    write(other, [lines[0], "{", lines[2]])
    done = command("agreement", str(reference), str(other), "--json")
    assert done.code == 0
    warnings = json.loads(done.stdout)["warnings"]
    assert f"1 row of {other} cannot be read" in warnings[0] and f"{other}:2" in warnings[0]
    assert "1 of 3 videos" in warnings[1] and warnings[1] in done.stderr
    none = write(tmp_path / "none.jsonl", ["{"])
    done = command("agreement", str(reference), str(none))
    assert done.code == 4 and "none that can be read" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--iou", "0"), 2, "--iou"),
        (("--collar", "-1"), 2, "--collar"),
        (("--match", "names"), 2, "--match"),
        (("-o", "table.txt"), 2, "extension"),
    ],
)
def test_wrong_options_exit_with_2(reference: Path, options: tuple[str, ...], code: int, text: str) -> None:
    done = command("agreement", str(reference), str(reference), *options)
    assert done.code == code and text in done.stderr


def test_a_missing_file_exits_with_2_and_an_input_is_never_replaced(reference: Path, tmp_path: Path) -> None:
    assert command("agreement", str(reference), str(tmp_path / "nowhere.jsonl")).code == 2
    before = reference.read_bytes()
    done = command("agreement", str(reference), str(SAMPLE_FILE), "-o", str(reference), "--overwrite")
    assert done.code == 2 and reference.read_bytes() == before


def _empty(one: Record, start: float, end: float) -> Record:
    return {
        **one, "video": {**one["video"], "start": start, "end": end}, "utterances": [], "boxes": [], "questions": []
    }  # fmt: skip
