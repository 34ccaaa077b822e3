from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from socialcli.results.predictions import Prediction
from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import Wanted, chosen_sides
from socialcli.verbs.compare.summary import comparison_lines, comparison_record
from socialcli.verbs.compare.work import Comparison, compare

from ...results.folders import answered, leave


def compared(folder: Path, a: list[Prediction], b: list[Prediction], frames: int = 8, sha: str = "a") -> Comparison:
    settings = {"tasks": ["coref", "target"]}
    one = leave(folder / "a", a, settings={**settings, "frames": 8}, model={"checkpoint_sha256": "a" * 64})
    other = leave(
        folder / "b", b, settings={"tasks": ["coref"], "frames": frames}, model={"checkpoint_sha256": sha * 64}
    )
    ((left, right),) = chosen_sides(Source.find(one), Source.find(other), Wanted(), Wanted())
    return compare(left, right)


def test_the_text_names_the_sides_and_their_settings_and_the_difference_in_points(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path, answered("1" * 10 + "0" * 20), answered("01" * 10 + "10" * 5, aligned=True), 16, "b"
    )
    *head, empty, columns, row, tests = comparison_lines(comparison).splitlines()
    assert head == [
        f"A: {tmp_path}/a, alignment off",
        f"B: {tmp_path}/b, alignment on, alpha 1.0, lambda 5e-05, layers 1-2, bias published",
        "settings that differ: alignment (off, on), tasks (coref+target, coref), frames (8, 16), "
        "checkpoint_sha256 (aaaaaaaa, bbbbbbbb)",
    ]
    assert empty == ""
    (table,) = comparison.table
    assert table.ci_low is not None and table.ci_high is not None
    assert dict(zip(*(re.split(" {2,}", line) for line in (columns, row)), strict=True)) == {
        "task": "mentioned",
        "n": "30",
        "A": "33.3%",
        "B": "50.0%",
        "B - A": "+16.7",
        "95% interval": f"{100 * table.ci_low:+.1f} to {100 * table.ci_high:+.1f}",
        "only A": "5",
        "only B": "10",
        "p": f"{table.p:.3f}",
        "McNemar p": "0.302",
    }
    assert table.p is not None and table.p != table.p_mcnemar
    assert tests.startswith("p: signs flipped by episode") and "McNemar p takes the questions" in tests


def test_orders_are_answers_and_have_no_test_of_single_questions(tmp_path: Path) -> None:
    rows = [row for order in range(3) for row in answered("x?1u", order=order)]
    comparison = compared(tmp_path, rows, [row for order in range(3) for row in answered("0001", order=order)])
    (row,) = comparison.table
    assert (row.n, row.questions, row.only_a, row.failed_a, row.unparsed_a, row.unlabelled) == (9, 3, 3, 3, 3, 3)
    text = comparison_lines(comparison).splitlines()
    assert "p: signs flipped by episode, exact" in text and "McNemar p takes" not in "".join(text)


def test_failures_and_open_questions_have_columns_where_there_are_any(tmp_path: Path) -> None:
    alone: dict[str, Any] = {"question_id": "alone", "candidates": ("ann",), "scores": (0.0,)}
    sides = ([*answered(right), *answered("1", **alone)] for right in ("1x10u?", "1110u?"))
    columns, row, *_ = comparison_lines(compared(tmp_path, *sides)).splitlines()[4:]
    assert columns.endswith("p  failed A  unparsed A  unparsed B  unlabelled  one candidate")
    assert row.split()[-5:] == ["1", "1", "1", "1", "1"]


def test_small_p_values_and_missing_figures(tmp_path: Path) -> None:
    sure = comparison_lines(compared(tmp_path / "sure", answered("0" * 40), answered("1" * 40)))
    assert sure.splitlines()[5].split()[-4:] == ["0", "40", "<0.001", "<0.001"]
    assert "or all differ in the same direction, in mentioned:" in sure.splitlines()[-1]
    none = comparison_lines(compared(tmp_path / "none", answered("uu"), answered("uu")))
    assert none.splitlines()[5].split() == ["mentioned", "0", "-", "-", "-", "-", "0", "0", "-", "-", "2"]


def test_a_word_below_the_table_where_few_episodes_differ(tmp_path: Path) -> None:
    text = comparison_lines(compared(tmp_path, answered("0" * 8), answered("1" * 6 + "00")))
    rough, least = text.splitlines()[-2:]
    assert rough.startswith("rough intervals for mentioned (4 episodes)")
    assert least == "smallest p possible with so few differing episodes: mentioned (0.25)"


def test_datasets_and_splits_are_shown_where_they_differ(tmp_path: Path) -> None:
    rows = [*answered("11", split="test"), *answered("1", split=None, question_id="z", episode_id="z")]
    text = comparison_lines(compared(tmp_path, rows, rows)).splitlines()
    assert [line.split()[:3] for line in text[4:7]] == [
        ["task", "split", "n"],
        ["mentioned", "-", "1"],
        ["mentioned", "test", "2"],
    ]


def test_files_without_a_manifest_tell_only_so_much(tmp_path: Path) -> None:
    leave(tmp_path, answered("1")), (tmp_path / "predictions.parquet").rename(tmp_path / "a.parquet")
    source = Source.find(tmp_path / "a.parquet")
    ((one, other),) = chosen_sides(source, source, Wanted(), Wanted())
    assert "settings that differ, as far as the rows show: none" in comparison_lines(compare(one, other))


def test_the_json_object_holds_the_same(tmp_path: Path) -> None:
    comparison = compared(tmp_path, answered("110"), answered("101", aligned=True)[:2], 16)
    found = json.loads(json.dumps(comparison_record(comparison), allow_nan=False))
    assert found["a"]["folder"] == str(tmp_path / "a") and found["b"]["condition"]["alpha"] == 1.0
    assert found["differing"]["frames"] == [8, 16]
    assert (found["only_in_a"], found["only_in_b"], found["warnings"]) == (1, 0, list(comparison.warnings))
    (row,) = found["tasks"]
    assert row == comparison.table[0].as_record()
    assert (row["n"], row["only_a"], row["only_b"]) == (2, 1, 0)
