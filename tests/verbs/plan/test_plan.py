"""`socialcli plan`: what it says before a run is what the run does."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ...conftest import SAMPLE
from ..runs import FAMILY, Run, command, mentioned, record, run, shell_environment, write

FEW = ("--frames", "2")


def plan(episodes: Path, *options: str, checkpoint: Path = SAMPLE / "checkpoints" / FAMILY) -> Run:
    return command(
        *("plan", str(episodes), "--model", FAMILY, "--checkpoint", str(checkpoint), "--task", "all", *FEW, *options)
    )


def planned(episodes: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plan(episodes, "--json", *options).stdout)
    return found


def test_the_run_does_what_was_planned(episodes: Path) -> None:
    before = planned(episodes, "--alignment", "both")
    done = run(episodes, episodes.parent / "out", *FEW, "--alignment", "both", tasks=["all"])
    assert before["rows"] == len(done.rows) and before["kept"] == before["failures"] == 0
    tasks = [row["task"] for row in done.rows if row["alignment"]]
    assert before["questions"] == {task: tasks.count(task) for task in sorted(set(tasks))}
    visual = [row["visual_tokens"] for row in done.rows if row["alignment"]]
    text = [row["prompt_tokens"] - row["visual_tokens"] for row in done.rows if row["alignment"]]
    for name, numbers in (("visual_tokens", visual), ("text_tokens", text)):
        assert before[name] == {"least": min(numbers), "median": statistics.median(numbers), "most": max(numbers)}
    after = planned(episodes, "--alignment", "both", "-o", str(done.output))
    assert (after["rows"], after["kept"], after["visual_tokens"]) == (len(done.rows), len(done.rows), None)
    anew = planned(episodes, "--alignment", "both", "-o", str(done.output), "--overwrite")
    assert anew["kept"] == 0


def test_a_warning_is_reported_once(episodes: Path) -> None:
    found = plan(write(episodes, [{**record(0), "boxes": []}]), "--alignment", "both")
    assert found.code == 0 and (found.stdout + found.stderr).count("nothing can be aligned") == 1


def test_an_answer_that_has_failed_fails_once(episodes: Path) -> None:
    """It is kept, and only that under the second condition is to come."""
    lines = [record(0), record(1)]
    lines[1]["video"]["path"] = "videos/none.mp4"
    write(episodes, lines)
    before = run(episodes, episodes.parent / "out", *FEW, "--alignment", "off", tasks=["all"])
    found = planned(episodes, "--alignment", "both", "-o", str(before.output))
    failed = sum(row["status"] == "failed" for row in before.rows)
    assert (found["kept"], found["failed_before"], found["failures"]) == (len(before.rows), failed, failed)
    done = run(episodes, before.output, *FEW, "--alignment", "both", tasks=["all"])
    assert sum(row["status"] == "failed" for row in done.rows) == 2 * failed > 0


@pytest.mark.parametrize("table", ["run", "plan"])
def test_the_settings_of_a_run_are_those_of_its_plan(table: str, episodes: Path, tmp_path: Path) -> None:
    """One file for both: the table [run] is taken, and a table [plan] over it."""
    settings = tmp_path / "settings.toml"
    checkpoint = json.dumps(str(SAMPLE / "checkpoints" / FAMILY))
    model = f'model = "{FAMILY}"\ncheckpoint = {checkpoint}\n'
    settings.write_text(f'[run]\n{model}task = ["all"]\nframes = 2\nlimit = 1\n')
    if table == "plan":
        settings.write_text(settings.read_text() + '[plan]\ntask = ["videoqa"]\n')
    before = json.loads(command("plan", str(episodes), "--config", str(settings), "--json").stdout)
    tasks = ["coref", "mentioned", "target", "videoqa"] if table == "run" else ["videoqa"]
    assert before["questions"] == dict.fromkeys(tasks, 1)
    if table == "run":
        done = command("run", str(episodes), "--config", str(settings), "-o", str(tmp_path / "out"))
        assert done.code == 0 and len(done.rows) == before["rows"] == 4


def test_what_would_fail_is_reported_and_is_what_fails(episodes: Path) -> None:
    lines = [record(index) for index in range(3)]
    lines[1]["video"]["path"] = "videos/none.mp4"
    mentioned(lines[2])["answer"] = "nobody"
    write(episodes, [*lines, "{"])
    found = plan(episodes, "--json")
    done = run(episodes, episodes.parent / "out", *FEW, tasks=["all"])
    failed = [row for row in done.rows if row["status"] == "failed"]
    bad = sum("AnnotationError" in row["error"] for row in failed)  # never kept: the file itself says so
    record_ = json.loads(found.stdout)
    assert found.code == done.code == 3 and "would fail" in found.stderr
    assert record_["failures"] == len(failed) + 1 and record_["unreadable"] == 1
    for row in failed:
        assert any(row["error"] in problem for problem in record_["problems"])
    assert plan(episodes, "--max-failures", "100%").code == 0
    after = plan(episodes, "-o", str(done.output))
    assert after.code == 3
    told = f"{len(done.rows)} answers: {len(done.rows) - bad} done already ({len(failed) - bad} of them failed"
    assert told in after.stdout and f"{bad} would fail; 1 rows of the file cannot be read" in after.stdout


def test_the_text(episodes: Path) -> None:
    done = plan(episodes, "--limit", "1")
    assert done.code == 0, done.stderr
    tasks = len(planned(episodes)["questions"])
    assert f"{tasks} answers: 0 done already, {tasks} to do; none would fail" in done.stdout
    assert "visual" in done.stdout and "memory: weights" in done.stdout


def test_the_memory_of_the_weights_is_that_of_the_number_format(episodes: Path) -> None:
    single, half = (planned(episodes, "--limit", "1", "--dtype", name)["weights"] for name in ("float32", "bfloat16"))
    size = sum(path.stat().st_size for path in (SAMPLE / "checkpoints" / FAMILY).glob("*.safetensors"))
    assert single == 2 * int(str(half)) and 0.9 * size < int(str(half)) < 1.1 * size


def indexed(folder: Path, total: int, **config: object) -> Path:
    """A checkpoint of which the index is there, and the weights are not; `config` adds to config.json."""
    shutil.copytree(SAMPLE / "checkpoints" / FAMILY, folder)
    (folder / "model.safetensors").unlink()
    index = {"metadata": {"total_size": total}, "weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, **config}))
    return folder


def test_the_index_tells_the_memory_of_weights_that_are_missing(episodes: Path, tmp_path: Path) -> None:
    checkpoint = indexed(tmp_path / "checkpoint", 16_000_000_000)
    for dtype, size in (("bfloat16", 16_000_000_000), ("float32", 32_000_000_000)):
        found = plan(episodes, "--json", "--limit", "1", "--dtype", dtype, checkpoint=checkpoint)
        assert json.loads(found.stdout)["weights"] == size


def test_quantised_weights_stay_as_they_are(episodes: Path, tmp_path: Path) -> None:
    quantised = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    checkpoint = indexed(tmp_path / "checkpoint", 7_000_000_000, **quantised)
    found = plan(episodes, "--json", "--limit", "1", "--dtype", "float32", checkpoint=checkpoint)
    assert json.loads(found.stdout)["weights"] == 7_000_000_000


def test_a_checkpoint_of_links(episodes: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    for file in (SAMPLE / "checkpoints" / FAMILY).iterdir():
        (checkpoint / file.name).symlink_to(file)
    refused = plan(episodes, "--limit", "1", checkpoint=checkpoint)
    assert refused.code == 2 and "or add --allow-links if you made the link yourself" in refused.stderr
    assert plan(episodes, "--limit", "1", "--allow-links", checkpoint=checkpoint).code == 0


def test_weights_are_not_needed_and_nothing_is_written(episodes: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(SAMPLE / "checkpoints" / FAMILY, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    before = sorted(path.name for path in episodes.parent.iterdir())
    assert plan(episodes, "-o", str(episodes.parent / "out"), checkpoint=bare).code == 0
    assert sorted(path.name for path in episodes.parent.iterdir()) == before


def test_other_settings_in_the_folder_are_reported(episodes: Path) -> None:
    done = run(episodes, episodes.parent / "out", *FEW, "--limit", "1", tasks=["all"])
    refused = plan(episodes, "-o", str(done.output), "--alpha", "3")
    assert refused.code == 2 and "alpha: 1.0 there, 3.0 now" in refused.stderr


def test_a_typo_is_reported_before_torch_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom socialcli.cli import main\n"
        "try:\n    main(['plan', *sys.argv[1:]])\n"
        "except SystemExit as end:\n    print(end.code, 'torch' in sys.modules)\n"
    )
    words = [sys.executable, "-c", program, str(SAMPLE / "episodes.jsonl"), "--model", FAMILY, "--task", "mentionned"]
    done = subprocess.run(words, env=shell_environment(), capture_output=True, text=True, timeout=60)
    assert done.stdout == "2 False\n", done.stderr


def test_orders_are_planned_as_they_are_run(episodes: Path) -> None:
    options = ("--alignment", "both", "--permute", "4")
    before = planned(episodes, *options)
    done = run(episodes, episodes.parent / "out", *FEW, *options, tasks=["all"])
    assert before["rows"] == len(done.rows) and before["kept"] == 0
    assert sum(before["questions"].values()) == done.manifest["counts"]["questions"]
    assert before["warnings"] == done.manifest["warnings"]
    after = planned(episodes, *options, "-o", str(done.output))
    assert (after["rows"], after["kept"]) == (len(done.rows), len(done.rows))
    more = planned(episodes, "--alignment", "both", "--permute", "6", "-o", str(done.output))
    assert more["kept"] == len(done.rows) < more["rows"]


def test_a_failing_question_is_a_problem_once_and_fails_in_every_order(episodes: Path) -> None:
    lines = [record(0)]
    lines[0]["video"]["path"] = "videos/none.mp4"
    found = planned(write(episodes, lines), "--permute", "2", "--alignment", "off")
    assert len(found["problems"]) == len(record(0)["questions"])
    assert found["failures"] == found["rows"] == 2 * len(record(0)["questions"])
