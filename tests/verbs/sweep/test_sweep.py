"""`socialcli sweep` on the sample, with the tiny checkpoints."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from socialcli.errors import Terminated
from socialcli.jobs.grid import Grid
from socialcli.plugins.registry import registry
from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings
from socialcli.verbs.sweep.work import SweepRequest, sweep

from ...conftest import ROOT, SAMPLE
from ...results.samples import validator
from ..runs import FAMILY, Record, Row, Run, assert_reported, close, command, record, run, write

FRAMES = ("--frames", "2", "--media-root", str(SAMPLE))
GRID = ("--alpha", "0,1,2", "--lambda", "5e-5,1", "--layers", "1-2,auto,all")
SETTINGS = [  # of this grid, in a decoder of four layers
    (None, None, None, None),
    *((alpha, lambda_, layers, "published") for alpha in (1, 2) for lambda_ in (5e-5, 1) for layers in ("1-2", "0-3")),
]
VALIDATION, TEST = (11, 12), (0, 1)  # episodes of the sample, two questions of each

Swept = Callable[..., Run]


def small(index: int, **changes: Any) -> Record:
    """An episode of the sample with its first two questions."""
    episode = record(index)
    return {**episode, "questions": episode["questions"][:2], **changes}


def run_sweep(episodes: Path, output: Path, *options: str, family: str = FAMILY) -> Run:
    """`socialcli sweep` on a family's sample checkpoint; what `options` name wins."""
    model = ["--model", family, "--checkpoint", str(SAMPLE / "checkpoints" / family)]
    return command("sweep", str(episodes), *model, "--task", "all", "-o", str(output), *FRAMES, *options)


def manifest_of(done: Run) -> Record:
    found: Record = json.loads((done.output / "sweep.json").read_text(encoding="utf-8"))
    return found


def setting(row: Row) -> tuple[Any, ...]:
    return row["alpha"], row["lambda"], row["layers"], row["bias"]


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [small(index) for index in (*TEST, *VALIDATION)]
    return write(tmp_path_factory.mktemp("in") / "episodes.jsonl", lines)


@pytest.fixture(scope="module")
def swept(episodes: Path, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """Sweep these episodes, each way once."""

    @cache
    def done(*options: str, family: str = FAMILY) -> Run:
        result = run_sweep(episodes, tmp_path_factory.mktemp("out"), *GRID, *options, family=family)
        assert result.code == 0, result.stderr
        return result

    return done


def test_every_question_is_asked_once_under_every_setting(swept: Swept) -> None:
    rows = swept().rows
    ids = [question["id"] for index in (*TEST, *VALIDATION) for question in small(index)["questions"]]
    assert [(row["question_id"], setting(row)) for row in rows] == [(name, one) for name in ids for one in SETTINGS]
    check = validator("prediction")
    for row in rows:
        check.validate(row)
        assert row["status"] == "ok" and row["alignment"] is (row["alpha"] is not None)
    assert {row["active_heads"] for row in rows if row["lambda"] == 1} == {0}
    assert len({row["key"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (("--alpha", "2", "--layers", "all", "--alignment", "on"), (2.0, 5e-5, "0-3", "published")),
        (("--alpha", "1", "--layers", "1-2", "--alignment", "both"), (1.0, 5e-5, "1-2", "published")),
    ],
)
def test_answers_and_keys_are_those_of_a_run_with_the_setting(
    options: tuple[str, ...], asked: tuple[Any, ...], family: str, episodes: Path, swept: Swept, tmp_path: Path
) -> None:
    ours = {row["question_id"]: row for row in swept(family=family).rows if setting(row) == asked}
    single = run(episodes, tmp_path, *FRAMES, *options, family=family, tasks=["all"])
    for name, row in single.by_id().items():
        assert close(ours[name]["scores"], row["scores"], 1e-4) and ours[name]["prediction"] == row["prediction"]
        assert ours[name]["key"] == row["key"]
    plain = {row["question_id"]: row for row in swept(family=family).rows if not row["alignment"]}
    for name, row in single.by_id(alignment=False).items():
        assert close(plain[name]["scores"], row["scores"], 1e-4)
    assert any(ours[name]["scores"] != plain[name]["scores"] for name in ours)


def test_the_folder_and_what_sweep_json_says(swept: Swept) -> None:
    done = swept()
    figures = ["active_heads.png", "alpha.png", "lambda.png", "layers.png"]
    files = ["accuracy.parquet", *figures, "inputs.json", "predictions.parquet", "sweep.json"]
    assert sorted(path.name for path in done.output.iterdir()) == sorted(files)
    manifest = manifest_of(done)
    assert (manifest["outcome"], manifest["exit_code"], manifest["warnings"]) == ("done", 0, [])
    assert (manifest["combinations"], len(manifest["conditions"]), manifest["asked"]) == (18, 9, 9)
    assert manifest["counts"]["questions"] == 8 and manifest["counts"]["rows"] == 8 * 9
    assert manifest["splits"] == {"validation": "validation", "test": ["test"]}
    assert manifest["grid"]["layers"] == ["1-2", "auto", "all"]
    assert manifest["model"]["checkpoint_sha256"] is not None


def test_the_best_is_that_of_the_accuracy_table_and_reported_from_it(swept: Swept) -> None:
    done = swept()
    table = {(row["task"], row["split"], setting(row)): row for row in done.accuracy}
    best = manifest_of(done)["best"]
    assert best and all(one["validation"]["split"] == "validation" for one in best)
    for choice in best:
        chosen = setting(choice["setting"])
        for task in choice["tasks"]:
            if choice["task"] is not None:
                figures = [table[task, "validation", one]["accuracy"] for one in SETTINGS]
                assert table[task, "validation", chosen]["accuracy"] == max(figures)
        for compared in [choice["validation"], *choice["test"]]:
            for item in compared["tasks"]:
                for role, one in (("chosen", chosen), ("plain", SETTINGS[0])):
                    row = table[item["task"], compared["split"], one]
                    assert item[role] == {name: row[name] for name in item[role]}


def test_standard_output_is_the_table_or_one_object(swept: Swept) -> None:
    lines = swept().stdout.splitlines()
    assert lines[0].startswith("accuracy in the split validation; *:") and len(lines) > 2 + len(SETTINGS)
    assert "the chosen settings in the other splits" in lines
    printed = json.loads(swept("--json").stdout)
    assert printed["best"] == manifest_of(swept("--json"))["best"] and printed["exit_code"] == 0


def test_with_the_answers_of_the_test_split_turned_round_the_same_is_chosen(swept: Swept, tmp_path: Path) -> None:
    lines = [small(index) for index in (*TEST, *VALIDATION)]
    for line in lines[: len(TEST)]:
        for question in line["questions"]:
            others = question["candidates"] or ["speaker1", "speaker2"]
            question["answer"] = next(one for one in others if one != question["answer"])
    turned = run_sweep(write(tmp_path / "episodes.jsonl", lines), tmp_path / "out", *GRID)
    ours, theirs = manifest_of(swept())["best"], manifest_of(turned)["best"]
    assert [(one["task"], one["setting"], one["validation"]) for one in ours] == [
        (one["task"], one["setting"], one["validation"]) for one in theirs
    ]
    assert [one["test"] for one in ours] != [one["test"] for one in theirs]


def test_without_a_validation_split_no_best_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "episodes.jsonl", [small(0)])
    done = run_sweep(file, tmp_path / "out", "--alpha", "1")
    assert done.code == 0 and "no best setting can be chosen" in done.stderr and "--validation-split" in done.stderr
    manifest = manifest_of(done)
    assert manifest["best"] == [] and manifest["splits"] == {"validation": None, "test": ["test"]}
    (warning,) = manifest["warnings"]
    assert warning in done.stderr and "the file has: test" in warning
    assert done.stdout.startswith("accuracy in the split test\n") and "chosen" not in done.stdout


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_pictures_are_in_the_format_that_is_named(kind: str, begins: bytes, tmp_path: Path) -> None:
    """Of a split whose name the font of the pictures lacks, and without a warning of the library's."""
    file = write(tmp_path / "episodes.jsonl", [small(0, split="验证集")])
    done = run_sweep(file, tmp_path / "out", "--alpha", "0,1", "--figure-format", kind, "--limit", "1")
    assert done.code == 0 and "Glyph" not in done.stderr
    (picture,) = [path for path in done.output.iterdir() if path.stem == "alpha"]
    assert picture.name == f"alpha.{kind}" and picture.read_bytes().startswith(begins)


def test_named_splits_are_used_and_the_others_not_asked(tmp_path: Path) -> None:
    lines = [small(0, split="train"), small(1, split="a"), small(2, split="b"), small(3, split=None)]
    file = write(tmp_path / "episodes.jsonl", lines)
    done = run_sweep(file, tmp_path / "out", "--alpha", "1", "--validation-split", "a", "--test-split", "b")
    assert {row["split"] for row in done.rows} == {"a", "b"}
    assert manifest_of(done)["splits"] == {"validation": "a", "test": ["b"]}
    assert {one["split"] for best in manifest_of(done)["best"] for one in best["test"]} == {"b"}


def test_values_can_be_lists_repeated_options_and_of_a_settings_file(episodes: Path, tmp_path: Path) -> None:
    config = tmp_path / "s.toml"
    config.write_text('[sweep]\nalpha = [0.5, "1,2"]\nlambda = "5e-5, 5e-4"\nlayers = 1\n', encoding="utf-8")
    few = ("--limit", "1", "--config", str(config))
    done = run_sweep(episodes, tmp_path / "file", *few)
    assert manifest_of(done)["grid"] == {
        "alpha": [0.5, 1.0, 2.0],
        "lambda": [5e-5, 5e-4],
        "layers": ["1"],
        "bias": ["published"],
        "heads_by": ["dynamic"],
        "max_heads": [None],
        "steer": ["speaker"],
        "balance": [0.5],
    }
    done = run_sweep(
        episodes, tmp_path / "line", *few, "--alpha", "1", "--alpha", "2", "--bias", "published,probability"
    )
    assert manifest_of(done)["grid"]["alpha"] == [1.0, 2.0]
    assert {row["bias"] for row in done.rows} == {None, "published", "probability"}


HEADS = (
    *("--alpha", "1", "--layers", "all", "--lambda", "5e-5,1e-4", "--heads-by", "dynamic,top,random,all"),
    *("--max-heads", "none,1,2", "--steer", "speaker,both-ways", "--balance", "0.25,1"),
)


def heads_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("lambda", "heads_by", "max_heads", "steer", "balance"))


@pytest.fixture(scope="module")
def by_heads(tmp_path_factory: pytest.TempPathFactory) -> Run:
    file = write(tmp_path_factory.mktemp("in") / "episodes.jsonl", [small(0), small(11)])
    return run_sweep(file, tmp_path_factory.mktemp("out"), *HEADS)


def test_selectors_and_modes_are_settings_and_values_without_effect_count_once(by_heads: Run) -> None:
    assert by_heads.code == 0, by_heads.stderr
    heads = [(lambda_, "dynamic", limit) for lambda_ in (5e-5, 1e-4) for limit in (None, 1, 2)]
    heads += [(5e-5, selector, limit) for selector in ("top", "random") for limit in (1, 2)] + [(5e-5, "all", None)]
    steered = [("speaker", None), ("both-ways", 0.25), ("both-ways", 1.0)]
    expected = {(*one, *other) for one in heads for other in steered} | {(None,) * 5}
    rows = by_heads.rows
    assert {heads_of(row) for row in rows} == expected and len(rows) == 4 * len(expected)
    manifest = manifest_of(by_heads)
    assert {heads_of(one) for one in manifest["conditions"]} == expected
    assert manifest["combinations"] == 2 * 4 * 3 * 2 * 2 and manifest["settings"]["heads_seed"] == 0
    assert {row["active_head_count"] for row in rows if row["heads_by"] == "random" and row["max_heads"] == 2} == {2}


def test_answers_under_a_selector_and_a_mode_are_those_of_a_run(by_heads: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "episodes.jsonl", [small(0), small(11)])
    options = ("--layers", "all", "--heads-by", "random", "--max-heads", "2", "--steer", "both-ways", "--balance", "1")
    single = run(file, tmp_path / "out", *FRAMES, *options, tasks=["all"])
    ours = {row["question_id"]: row for row in by_heads.rows if heads_of(row) == (5e-5, "random", 2, "both-ways", 1)}
    for name, row in single.by_id().items():
        assert ours[name]["key"] == row["key"] and close(ours[name]["scores"], row["scores"], 1e-4)


def test_the_command_of_a_choice_gives_its_answers(
    swept: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = manifest_of(swept())
    assert manifest["rule"].startswith("the highest accuracy in the validation split")
    monkeypatch.chdir(tmp_path)
    choice = manifest["best"][0]
    (line,) = choice["runs"]
    assert line in swept().stdout
    done = command(*shlex.split(line)[1:])
    assert done.code == 0, done.stderr
    output = tmp_path / shlex.split(line)[-1]
    again = pq.read_table(output / "predictions.parquet").to_pylist()
    wanted = [row for row in swept().rows if row["task"] == choice["task"] and row["split"] == "test"]
    wanted = [row for row in wanted if setting(row) == setting(choice["setting"])]
    assert again and [row["key"] for row in again] == [row["key"] for row in wanted]
    assert [row["prediction"] for row in again] == [row["prediction"] for row in wanted]


def test_accuracy_by_active_heads_is_drawn_where_settings_differ_in_them(by_heads: Run) -> None:
    assert (by_heads.output / "active_heads.png").is_file()
    counts = {(row["heads_by"], row["max_heads"]): row["active_head_count"] for row in by_heads.accuracy}
    assert counts["random", 2] == counts["top", 2] == 2 and counts["all", None] > 2 and counts[None, None] is None


def test_the_table_of_the_page_is_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (ROOT / "docs" / "sweep.md").read_text(encoding="utf-8").split("\n## The table\n")[1]
    lines = section.split("```console\n")[1].split("```")[0].replace("\\\n", " ").splitlines()
    table = section.split("```text\n")[1].split("```")[0]
    (tmp_path / "sample_data").symlink_to(SAMPLE)
    monkeypatch.chdir(tmp_path)
    drawn, done = (command(*shlex.split(line)[2:]) for line in lines)
    assert (drawn.code, done.code) == (0, 0), done.stderr
    assert done.stdout == table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--alpha", "1,-1"), "--alpha -1.0 is out of range"),
        (("--alpha", "1,x"), "Invalid value for '--alpha': 'x' is not a valid float."),
        (("--lambda", "5e-5,,1"), "Invalid value for '--lambda': '5e-5,,1' lacks a value next to a comma."),
        (("--alpha", "0"), "--alpha 0 is the plain model"),
        (("--layers", "auto,9-3"), "--layers 9-3 runs backwards"),
        (("--layers", "1-2,3-9"), "--layers 3-9 reaches beyond the model's decoder, which has 4 layers"),
        (("--bias", "published,publshed"), "Did you mean 'published'?"),
        (("--validation-split", "valid"), "--validation-split 'valid': no episode is of this split"),
        (("--test-split", "validation", "--validation-split", "validation"), "what is chosen on is not reported on"),
        (("--inputs", "L"), "there is nothing to align words to; use --inputs VL"),
        (("--split", "test"), "No such option"),
        (("--heads-by", "random"), "--heads-by random needs numbers of heads: add --max-heads"),
        (("--heads-by", "fixed"), "--heads-by fixed: a sweep has no --heads"),
        (("--heads-by", "dynamic,tpo"), "Invalid value for '--heads-by'"),
        (("--max-heads", "none,0"), "Invalid value for '--max-heads': 0 is not in the range x>=1."),
        (("--balance", "0.5,2"), "--balance 2.0 is out of range"),
    ],
)
def test_a_usage_error_is_a_message_and_leaves_no_folder(
    options: tuple[str, ...], message: str, episodes: Path, tmp_path: Path
) -> None:
    done = run_sweep(episodes, tmp_path / "out", *options)
    assert_reported(done, 2, message)
    assert done.stdout == "" and not done.output.exists()


def test_failed_questions_are_rows_and_exit_code_3(tmp_path: Path) -> None:
    lost = small(12)
    lost["video"]["path"] = "videos/nowhere.mp4"
    file = write(tmp_path / "episodes.jsonl", [small(0), small(11), lost])
    done = run_sweep(file, tmp_path / "out", "--alpha", "1")
    assert_reported(done, 3, "4 of 12 answers failed", str(done.output))
    assert manifest_of(done)["outcome"] == "failures" and manifest_of(done)["best"]


def test_the_results_of_a_run_are_replaced_only_when_asked(episodes: Path, tmp_path: Path) -> None:
    few = ("--alpha", "1", "--limit", "1")
    assert run(episodes, tmp_path, *FRAMES, "--limit", "1", tasks=["all"]).code == 0
    assert_reported(run_sweep(episodes, tmp_path, *few), 2, "run.json", "--overwrite")
    assert run_sweep(episodes, tmp_path, *few, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)], ids=["interrupted", "terminated"]
)
def test_what_was_answered_before_an_interrupt_is_kept(
    error: type[BaseException], code: int, episodes: Path, tmp_path: Path
) -> None:
    def three_and_no_more(rows: Iterable[Prediction], total: int) -> Iterable[Prediction]:
        assert total == 8 * 3
        for count, row in enumerate(rows, start=1):
            yield row
            if count == 3:
                # At this moment the file says that the work is on.
                assert manifest_of(done)["outcome"] == "running"
                raise error

    done = Run(0, "", "", tmp_path / "out")
    settings: dict[str, Any] = {"episodes": str(episodes), "model": FAMILY, "tasks": ("all",), "alignment": "both"}
    settings |= {"checkpoint": str(SAMPLE / "checkpoints" / FAMILY), "media_root": str(SAMPLE), "frames": 2}
    grid = Grid((0.5, 1.0), (5e-5,), ("auto",), ("published",))
    with pytest.raises(error):
        sweep(SweepRequest(RunSettings.of(**settings), done.output, grid=grid), registry(), three_and_no_more)
    manifest = manifest_of(done)
    assert (manifest["outcome"], manifest["exit_code"], manifest["best"]) == ("interrupted", code, [])
    assert manifest["counts"]["rows"] == 3
    assert sorted(path.name for path in done.output.iterdir()) == ["parts", "sweep.json"]
    (part,) = done.output.glob("parts/*")
    assert pq.read_table(part).num_rows == 6  # two questions went through the model together
