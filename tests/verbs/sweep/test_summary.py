from __future__ import annotations

from pathlib import Path

from socialcli.jobs.grid import PLAIN, Setting
from socialcli.jobs.splits import Splits
from socialcli.verbs.sweep.choice import RULE
from socialcli.verbs.sweep.reproduction import run_command
from socialcli.verbs.sweep.summary import summary_json, summary_lines

from ...results.samples import settings
from .sweeps import DECODER, Right, answered, grid, sweep_of, table_of

GRID = grid()
ASKED = GRID.settings(DECODER)
SPLITS = Splits("validation", ("test",))
PLAIN_MODEL, HALF, ONE = ASKED


def right(task: str, split: str | None, setting: Setting, question: int) -> bool:
    best = {"coref": HALF, "target": ONE}[task]
    return question < (9 if setting == best else 3 if setting == PLAIN else 2)


def text(answers: Right = right, splits: Splits = SPLITS, *tasks: str) -> str:
    table = table_of(answered(answers, ASKED, tasks=tasks or ("coref", "target")), ASKED)
    return summary_lines(sweep_of(table, splits, GRID), table)


def test_accuracy_by_setting_then_the_chosen_ones_in_the_other_splits() -> None:
    by_setting, reported, repeated = text().split("\n\n")
    assert repeated.startswith(f"chosen on validation: {RULE}\nto repeat\ncoref: socialcli run episodes.parquet ")
    assert repeated.endswith("all tasks: " + run_command(settings(), HALF, ("coref", "target"), "test"))
    assert "--alpha 0.5 --lambda 5e-05 --layers 10-19 --bias published -o best-coref-target-test" in repeated
    assert by_setting.splitlines() == [
        "accuracy in the split validation; *: the best of a column, the nearest to the plain model (-) among equals",
        "alpha  lambda  layers  bias       coref    target    all tasks",
        "-      -       -       -          25.0%     25.0%        25.0%",
        "0.5    5e-05   10-19   published  75.0% *   16.7%        45.8% *",
        "1      5e-05   10-19   published  16.7%     75.0% *      45.8%",
    ]
    lines = reported.splitlines()
    assert lines[0] == "the chosen settings in the other splits"
    half, one = (str(setting) for setting in (HALF, ONE))
    cells = [[cell for cell in line.split("  ") if cell] for line in lines[2:7]]
    assert lines[7:] == [
        "rough intervals for coref (6 episodes); target (6 episodes): with fewer than 10 episodes, 95 % is approximate"
    ]
    assert [[cell.strip() for cell in line[:4]] for line in cells] == [
        ["coref", half, "coref", "test"],
        ["target", one, "target", "test"],
        ["all tasks", half, "coref", "test"],
        ["all tasks", half, "target", "test"],
        ["all tasks", half, "mean", "test"],
    ]
    assert cells[0][4].strip() == "12" and cells[0][5].strip() == "75.0%" and cells[0][7].strip() == "25.0%"
    # The setting gains 1, 2, 2 and 1 questions in four of the episodes: 2 of 16 choices of signs are as far from 0.
    assert [cell.strip() for cell in cells[0][9:]] == ["0.125", "0.031"]
    assert [cell.strip() for cell in cells[3][9:]] == ["1.000", "1.000"]  # 2 right, not 3
    assert [cell.strip() for cell in cells[-1][4:]] == ["45.8%", "25.0%", "0.250", "0.125"]


def test_the_figures_of_the_test_split_stand_only_with_the_chosen_settings() -> None:
    def answers(task: str, split: str | None, setting: Setting, question: int) -> bool:
        return question < 5 if split == "test" and setting == ONE else setting == HALF

    assert "41.7%" not in text(answers)  # 5 of 12, of the setting that was not chosen


def test_without_a_validation_split_all_splits_are_shown_and_nothing_is_marked() -> None:
    shown = text(right, Splits(None, ("test", "validation"), "why"))
    assert [line for line in shown.splitlines() if line.startswith("acc")] == [
        "accuracy in the split test",
        "accuracy in the split validation",
    ]
    assert "*" not in shown and "chosen" not in shown


def test_a_single_task_has_no_column_of_all(tmp_path: Path) -> None:
    assert "all tasks  " not in text(right, Splits("validation", ("test",)), "coref")


def test_no_other_split_to_report_on_is_said() -> None:
    shown = text(right, Splits("validation", ()))
    assert "to report the chosen settings on\n" in shown and "socialcli run" not in shown


def test_where_the_validation_split_was_not_reached_the_others_are_shown() -> None:
    shown = text(lambda task, split, setting, question: None if split == "validation" else True)
    assert [line for line in shown.splitlines() if line.startswith("acc")] == ["accuracy in the split test"]


def test_nothing_labelled() -> None:
    assert text(lambda *_: None) == "no labelled question was asked, so there is no accuracy to show"


def test_as_json_every_row_and_the_choice() -> None:
    table = table_of(answered(right, ASKED, tasks=("coref", "target")), ASKED)
    record = summary_json(sweep_of(table, Splits("validation", ("test",)), GRID), table, Path("out"))
    assert record["output"] == "out" and [item["task"] for item in record["best"]] == ["coref", "target", None]
    assert len(record["accuracy"]) == 2 * 2 * len(ASKED)
    assert {row["split"] for row in record["accuracy"]} == {"validation", "test"}
