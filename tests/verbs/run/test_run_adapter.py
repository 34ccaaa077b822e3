"""`--adapter` and `--merge` on the command line: what the commands that load a model make of them, and record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from socialcli.results.keys import lora_fingerprint

from ...conftest import SAMPLE
from ...models.loras import adapter
from ..inspect.samples import run_inspect
from ..runs import FAMILY, SAMPLE_FILE, Run, assert_reported, close, command, run

FEW = ("--frames", "2", "--limit", "2", "--alignment", "both")

Adapted = Callable[..., Run]


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    """Run on the sample with these options, each way once."""

    @cache
    def done(*options: str, family: str = FAMILY) -> Run:
        result = run(SAMPLE_FILE, tmp_path_factory.mktemp("out"), *FEW, *options, family=family)
        assert result.code == 0, result.stderr
        return result.validated()

    return done


def keys(done: Run) -> set[str]:
    return {row["key"] for row in done.rows}


def test_the_adapter_changes_the_answers_in_both_conditions_and_is_recorded(family: str, adapted: Adapted) -> None:
    folder = str(adapter(family))
    done, plain = adapted("--adapter", folder, family=family), adapted(family=family)
    for row, other in zip(done.rows, plain.rows, strict=True):
        assert (row["adapter"], other["adapter"]) == (folder, None)
        assert not close(row["scores"], other["scores"], by=1e-3)
    assert {row["adapter"] for row in done.accuracy} == {folder}
    assert (done.manifest["settings"]["adapter"], done.manifest["settings"]["merge"]) == (folder, False)
    model = done.manifest["model"]
    assert (model["adapter"], model["merged"]) == (folder, False)
    assert model["adapter_sha256"] == lora_fingerprint(adapter(family))
    assert plain.manifest["model"]["adapter_sha256"] is None
    assert done.manifest["versions"]["peft"]


def test_merged_it_gives_the_same_answers_under_other_keys(family: str, adapted: Adapted) -> None:
    options = ("--adapter", str(adapter(family)))
    beside, merged = adapted(*options, family=family), adapted(*options, "--merge", family=family)
    for row, other in zip(beside.rows, merged.rows, strict=True):
        assert close(row["scores"], other["scores"], by=1e-4)
    assert merged.manifest["model"]["merged"] and merged.manifest["settings"]["merge"]
    assert not keys(beside) & keys(merged)


def test_a_key_depends_on_the_adapters_content_and_not_on_its_place(adapted: Adapted, tmp_path: Path) -> None:
    moved = shutil.copytree(adapter(FAMILY), tmp_path / "moved")
    (moved / "README.md").write_text("notes")
    done, same, other = (adapted("--adapter", str(folder)) for folder in (adapter(FAMILY), moved, adapter(FAMILY, 2)))
    assert keys(done) == keys(same)
    assert not keys(done) & keys(other)
    assert not keys(done) & keys(adapted())


def test_rows_of_different_adapters_are_not_counted_together(adapted: Adapted) -> None:
    from socialcli.stats.accuracy import accuracy_table

    one, other = adapted("--adapter", str(adapter(FAMILY))), adapted("--adapter", str(adapter(FAMILY, 2)))
    table = accuracy_table([*one.rows, *other.rows])
    assert [row.n for row in table] == [row["n"] for row in (*one.accuracy, *other.accuracy)]


def test_from_a_settings_file(tmp_path: Path) -> None:
    config = tmp_path / "tuned.toml"
    config.write_text(f'[run]\nadapter = "{adapter(FAMILY)}"\nmerge = true\n')
    done = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--config", str(config))
    assert (done.manifest["model"]["adapter"], done.manifest["model"]["merged"]) == (str(adapter(FAMILY)), True)
    assert f"with the merged adapter {adapter(FAMILY)}" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--merge"], "--merge has nothing to merge: name a LoRA adapter with --adapter"),
        (["--adapter", "nobody/nothing"], "adapter 'nobody/nothing': there is no such folder; an adapter on the hub"),
        (["--adapter", str(SAMPLE)], "has no adapter_config.json"),
    ],
)
@pytest.mark.parametrize("name", ["run", "measure", "sweep"])
def test_what_is_not_there_is_reported_before_the_folder_is_touched(
    name: str, options: list[str], message: str, tmp_path: Path
) -> None:
    model = ["--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), "--task", "mentioned"]
    done = command(name, str(SAMPLE_FILE), *model, "-o", str(tmp_path / "out"), *options)
    assert_reported(done, 2, message)
    assert not (tmp_path / "out").exists()


def test_an_adapter_of_another_family_leaves_earlier_results(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    done = run(SAMPLE_FILE, tmp_path, "--overwrite", "--adapter", str(adapter("internvl3")))
    assert_reported(done, 2, "was trained on another model: InternVLForConditionalGeneration; this is ")
    assert (tmp_path / "run.json").read_text() == "{}"


def test_measure_and_sweep_take_and_record_it(tmp_path: Path) -> None:
    folder = str(adapter(FAMILY))
    model = ["--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), "--adapter", folder]
    few = ["--task", "mentioned", "--limit", "1", "--frames", "1", "--merge"]
    for name, table in (("measure", "attention"), ("sweep", "predictions")):
        done = command(name, str(SAMPLE_FILE), *model, *few, "-o", str(tmp_path / name))
        assert done.code == 0, done.stderr
        manifest = json.loads((tmp_path / name / f"{name}.json").read_text(encoding="utf-8"))
        assert (manifest["settings"]["adapter"], manifest["settings"]["merge"]) == (folder, True)
        assert manifest["model"]["adapter_sha256"] == lora_fingerprint(adapter(FAMILY))
        rows = pq.read_table(tmp_path / name / f"{table}.parquet").to_pylist()
        assert {row["adapter"] for row in rows} == {folder}
    made_with = pq.read_schema(tmp_path / "measure" / "heads.parquet").metadata[b"socialcli.heads"]
    assert json.loads(made_with)["adapter_sha256"] == lora_fingerprint(adapter(FAMILY))


def test_inspect_shows_the_attention_of_the_adapted_model(tmp_path: Path) -> None:
    question = json.loads(SAMPLE_FILE.read_text(encoding="utf-8").splitlines()[0])["questions"][0]["id"]
    one = ("--question", question, "--frames", "1", "--attention")
    pages = {}
    for name, options in {"plain": (), "adapted": ("--adapter", str(adapter(FAMILY)))}.items():
        result = run_inspect(SAMPLE_FILE, FAMILY, *one, "--png", str(tmp_path / name), *options)
        assert (result.exit_code, result.stderr) == (0, "")
        pages[name] = [Path(line).read_bytes() for line in result.stdout.splitlines()]
    assert pages["plain"][0] == pages["adapted"][0]  # the sheet of frames
    assert pages["plain"][1:] != pages["adapted"][1:]


@pytest.mark.parametrize("options", [("--adapter", "anything"), ("--merge",)])
def test_inspect_without_attention_has_no_use_for_it(options: tuple[str, ...]) -> None:
    result = run_inspect(SAMPLE_FILE, FAMILY, *options)
    assert result.exit_code == 2
    assert f"{options[0]} changes nothing without --attention" in result.stderr
