"""`socialcli compare` on what runs left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ...conftest import SAMPLE
from ...results.folders import answered, leave
from ...results.samples import plain
from ..runs import SAMPLE_FILE, Run, assert_reported, command, record, run, shell_environment, write

FEW = ("--frames", "2", "--limit", "3", "--media-root", str(SAMPLE))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Run:
    result = run(SAMPLE_FILE, tmp_path_factory.mktemp("both") / "out", *FEW, "--alignment", "both", tasks=["all"])
    assert result.code == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Run:
    result = run(SAMPLE_FILE, tmp_path_factory.mktemp("words") / "out", *FEW, "--inputs", "L", tasks=["all"])
    assert result.code == 0, result.stderr
    return result


def compared(*arguments: str) -> list[dict[str, Any]]:
    done = command("compare", *arguments, "--json")
    assert done.code == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["comparisons"]
    return found


def test_the_conditions_of_one_run(both: Run, tmp_path: Path) -> None:
    flips = tmp_path / "flips.parquet"
    (one,) = compared(str(both.output), "--flips", str(flips))
    assert (one["a"]["condition"]["alignment"], one["b"]["condition"]["alignment"]) == (False, True)
    assert one["differing"] == {"alignment": [False, True]}
    off, on = both.by_id(False), both.by_id(True)
    for row in one["tasks"]:
        ids = [name for name, of in off.items() if (of["task"], of["split"]) == (row["task"], row["split"])]
        ids = ids if row["task"] != "all" else [name for name, of in off.items() if of["split"] == row["split"]]
        assert row["n"] == len(ids) > 0
        assert row["correct_a"] == sum(off[name]["correct"] for name in ids)
        assert row["only_b"] == sum(on[name]["correct"] > off[name]["correct"] for name in ids)
        assert row["difference"] == pytest.approx(row["accuracy_b"] - row["accuracy_a"])
    assert sum(row["n"] for row in one["tasks"] if row["task"] != "all") == len(off)
    changed = [name for name in off if off[name]["correct"] != on[name]["correct"]]
    assert pq.read_table(flips).column("question_id").to_pylist() == changed


def test_two_runs(both: Run, words: Run) -> None:
    (one,) = compared(str(words.output), str(both.output), "--condition-b", "on")
    assert one["differing"]["alignment"] == [False, True]
    assert one["differing"]["inputs"] == ["L", "VL"]
    text = command("compare", str(words.output), str(both.output), "--condition-b", "on")
    assert text.code == 0 and text.stderr == ""
    head = text.stdout.splitlines()[:3]
    assert head[0] == f"A: {words.output}, alignment off"
    assert head[1].startswith(f"B: {both.output}, alignment on, alpha 1.0")
    assert head[2] == "settings that differ: alignment (off, on), inputs (L, VL)"
    table = text.stdout.splitlines()[4:]
    assert [line.split()[0] for line in table[1:]][: len(one["tasks"])] == [row["task"] for row in one["tasks"]]
    assert table[1 + len(one["tasks"])].startswith("p: signs flipped by episode")


def test_like_with_like(both: Run) -> None:
    off, on = compared(str(both.output), str(both.output))
    assert [one["a"] == one["b"] for one in (off, on)] == [True, True]
    assert off["a"]["condition"]["alignment"] is False and on["a"]["condition"]["alignment"] is True
    text = command("compare", str(both.output), str(both.output)).stdout
    assert [line[:2] for line in text.splitlines()].count("A:") == 2


def test_questions_of_one_side_are_reported_and_left_out(tmp_path: Path) -> None:
    a, b = leave(tmp_path / "a", answered("1111")), leave(tmp_path / "b", answered("1011")[1:])
    done = command("compare", str(a), str(b), "--json")
    (one,) = json.loads(done.stdout)["comparisons"]
    assert (one["only_in_a"], one["only_in_b"], one["tasks"][0]["n"]) == (1, 0, 3)
    assert "warning: 1 question ('q0' first) in A alone" in done.stderr


def test_answers_of_another_file_settle_what_the_runs_say(words: Run, tmp_path: Path) -> None:
    altered = record(0)
    first = altered["questions"][0]
    candidates = next(row["candidates"] for row in words.rows if row["question_id"] == first["id"])
    first["answer"] = next(one for one in candidates if one != first["answer"])
    lines = [altered, *SAMPLE_FILE.read_text(encoding="utf-8").splitlines()[1:]]
    path = write(tmp_path / "new.jsonl", lines)
    again = run(path, tmp_path / "again", *FEW, "--inputs", "L", tasks=["all"])
    assert again.code == 0, again.stderr
    sides = (str(words.output), str(again.output))
    assert_reported(
        command("compare", *sides), 4, "another gold answer", f"in 1 of the {len(words.rows)} common", "--answers"
    )
    (one,) = compared(*sides, "--answers", str(path))
    assert {(row["only_a"], row["only_b"]) for row in one["tasks"]} == {(0, 0)}


def test_mistakes(tmp_path: Path) -> None:
    a = str(leave(tmp_path / "a", answered("11")))
    other = str(leave(tmp_path / "other", answered("11", candidates=("ann", "cy"))))
    strange = str(leave(tmp_path / "strange", [plain(question_id="z")]))
    empty = str(leave(tmp_path / "empty", []))
    flips = ("--flips", str(tmp_path / "flips.parquet"))
    assert_reported(
        command("compare", a, other, *flips),
        4,
        "cannot be compared",
        "other candidates in 2 of the 2 common questions ('q0' first)",
    )
    assert_reported(command("compare", a, strange), 4, "no question in common")
    assert_reported(command("compare", a, empty), 4, "holds no predictions")
    assert_reported(command("compare", a), 2, "no condition with alignment=on", "it has alignment=off")
    assert_reported(command("compare", a, str(tmp_path / "gone")), 2, "there is no such folder or file")
    assert_reported(command("compare", a, a, "--condition-a", "alpha=x"), 2, "--condition-a alpha=x")
    assert_reported(command("compare", a, a, "--flips", a), 2, "is a folder")
    assert not (tmp_path / "flips.parquet").exists()
    assert command("compare", a, a, *flips).code == 0
    assert_reported(command("compare", a, a, *flips), 2, "exists;", "--overwrite")
    assert command("compare", a, a, *flips, "--overwrite").code == 0


def test_a_run_that_was_interrupted_is_reported(tmp_path: Path) -> None:
    a = leave(tmp_path / "a", answered("11"), outcome="interrupted")
    done = command("compare", str(a), str(leave(tmp_path / "b", answered("10"))))
    assert done.code == 0 and done.stderr.count(f"{a}: the run was interrupted") == 1
    (one,) = compared(str(a), str(tmp_path / "b"))
    assert any("was interrupted" in warning for warning in one["warnings"])


def test_no_torch_is_imported(both: Run) -> None:
    code = (
        "import sys\n"
        "from socialcli.cli import main\n"
        "from socialcli.verbs.compare.command import command\n"
        "assert not {'torch', 'pyarrow', 'numpy'} & set(sys.modules)\n"  # what showing the help costs
        f"command.main([{str(both.output)!r}, '--answers', {str(SAMPLE_FILE)!r}], standalone_mode=False)\n"
        "assert not {'torch', 'transformers', 'av', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], env=shell_environment(), check=True, stdout=subprocess.DEVNULL)
