from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from socialcli.episodes.coverage.total import Coverage
from socialcli.results.manifest import MAX_PROBLEMS, Counts, Manifest, ModelIdentity, Outcome, write_manifest
from socialcli.settings.run import run_settings

from .samples import settings, validator

MODEL = ModelIdentity(
    name="qwen2.5-vl",
    adapter_version="1",
    distribution="socialcli",
    distribution_version="0.1.0",
    checkpoint="checkpoints/qwen2.5-vl",
)


def begun(**changes: Any) -> Manifest:
    return Manifest.begin(settings(**changes), ["socialcli", "run", "episodes.parquet"], MODEL, "a" * 64)


def written(manifest: Manifest, folder: Path) -> dict[str, Any]:
    write_manifest(folder / "run.json", manifest)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    checker = validator("run")
    Draft202012Validator(checker.schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(record)
    return dict(record)


def test_a_run_that_starts_says_so(tmp_path: Path) -> None:
    record = written(begun(), tmp_path)
    assert record["outcome"] == "running"
    assert (record["finished"], record["seconds"], record["exit_code"]) == (None, None, None)
    assert record["command"] == ["socialcli", "run", "episodes.parquet"]
    assert record["versions"]["pyarrow"] == version("pyarrow")
    assert record["versions"]["python"] == sys.version.split()[0]


def test_a_run_that_ends_says_how(tmp_path: Path) -> None:
    model = replace(MODEL, checkpoint_sha256="b" * 64, device="cpu", dtype="float32")
    manifest = replace(begun(), model=model).end(
        "failures", 3, Counts(episodes=2, questions=5, rows=10, ok=9, failed=1), ["row 3"], ["slow"]
    )
    record = written(manifest, tmp_path)
    assert (record["outcome"], record["exit_code"]) == ("failures", 3)
    assert (record["counts"]["rows"], record["counts"]["failed"]) == (10, 1)
    assert (record["problems"], record["warnings"]) == (["row 3"], ["slow"])
    assert record["finished"] >= record["started"]
    assert record["started"].endswith("+00:00")
    assert record["model"]["device"] == "cpu"


def test_seconds_are_never_negative_when_the_clock_is_set_back() -> None:
    manifest = begun()
    assert replace(manifest, finished=manifest.started + timedelta(seconds=90)).seconds == 90
    assert replace(manifest, finished=manifest.started - timedelta(hours=1)).seconds == 0


def test_only_the_first_problems_are_kept(tmp_path: Path) -> None:
    problems = [f"row {number}" for number in range(MAX_PROBLEMS + 50)]
    record = written(begun().end("done", 0, Counts(unreadable=len(problems)), problems), tmp_path)
    assert record["problems"] == problems[:MAX_PROBLEMS]
    assert record["counts"]["unreadable"] == MAX_PROBLEMS + 50


def test_any_file_name_makes_valid_json(tmp_path: Path) -> None:
    record = written(begun(episodes="é🎬/not\udcffutf8.parquet"), tmp_path)
    assert record["settings"]["episodes"] == "é🎬/not\udcffutf8.parquet"


@pytest.mark.parametrize(
    "changes",
    [{"alignment": "both", "max_failures": "2.5%"}, {"layers": "0-3", "tasks": ("coref", "target")},
     {"limit": 3, "split": "test", "media_root": "media", "checkpoint": "x", "frame_fit": "pad"},
     {"adapter": "y", "merge": True}],
)  # fmt: skip
def test_every_setting_passes_the_schema(changes: dict[str, Any], tmp_path: Path) -> None:
    record = written(begun(**changes), tmp_path)["settings"]
    assert record["model"] == "qwen2.5-vl"


def test_the_schema_names_every_field_and_every_choice() -> None:
    schema = validator("run").schema["properties"]
    record = begun().as_record()
    assert list(schema) == list(record)
    for part in ("settings", "model", "counts", "platform"):
        assert list(schema[part]["properties"]) == schema[part]["required"] == list(record[part])
    assert schema["outcome"]["enum"] == list(get_args(Outcome))
    choices = {one.key: one.choices for one in run_settings() if one.choices is not None}
    assert {name: tuple(schema["settings"]["properties"][name]["enum"]) for name in choices} == choices
    assert schema["versions"]["required"] == sorted(schema["versions"]["required"], key=list(record["versions"]).index)
    assert schema["problems"]["maxItems"] == MAX_PROBLEMS


def test_a_manifest_from_before_there_was_coverage_is_read() -> None:
    found = Coverage(episodes=3, utterances=9, near_box=4, labels_without_box=("anna",))
    record = replace(begun(), coverage=found).end("done", 0, Counts()).as_record()
    assert Manifest.from_record(json.loads(json.dumps(record)), settings()).coverage == found
    del record["coverage"]
    assert Manifest.from_record(record, settings()).coverage is None
