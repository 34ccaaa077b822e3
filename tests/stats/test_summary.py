from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from socialcli.results.manifest import Counts, Manifest, ModelIdentity
from socialcli.stats.accuracy import AccuracyRow
from socialcli.stats.summary import summary_json, summary_lines

from ..results.samples import settings


def accuracy(**changes: Any) -> AccuracyRow:
    values: dict[str, Any] = {
        "model": "llava-next-video",
        "task": "mentioned",
        "dataset": "drawn",
        "split": "test",
        "checkpoint": "checkpoints/llava-next-video",
        "adapter": None,
        "alignment": False,
        "alpha": None,
        "lambda_": None,
        "layers": None,
        "bias": None,
        "heads": None,
        "max_heads": None,
        "heads_by": None,
        "heads_seed": None,
        "steer": None,
        "balance": None,
        "regions": None,
        "region_share": None,
        "perturbation": None,
        "level": None,
        "perturbation_seed": None,
        "inputs": "VLB",
        "boxes_as": "none",
        "context": "full",
        "answer_mode": "score",
        "n": 1200,
        "episodes": 300,
        "correct": 760,
        "accuracy": 760 / 1200,
        "ci_low": 0.601,
        "ci_high": 0.6655,
        "failed": 2,
        "unparsed": 0,
        "unlabelled": 13,
        "single_candidate": 0,
        "chance": 0.25,
        "negative_bias": None,
        "active_head_count": None,
        "orders": None,
        "questions": None,
        "circular_accuracy": None,
        "circular_ci_low": None,
        "circular_ci_high": None,
        "position_bias": None,
    }
    return AccuracyRow(**values | changes)


def test_the_table_is_short_and_aligned() -> None:
    text = summary_lines([accuracy(), accuracy(task="target", n=0, accuracy=None, ci_low=None, chance=None)])
    assert text.splitlines() == [
        "task       alignment     n  accuracy    95% interval  chance  failed  unparsed  unlabelled",
        "mentioned  off        1200     63.3%  60.1% to 66.5%   25.0%       2         0          13",
        "target     off           0         -               -       -       2         0          13",
    ]


def test_how_often_the_bias_is_negative_is_shown_where_there_is_a_bias() -> None:
    header, first, second = summary_lines([accuracy(), accuracy(alignment=True, negative_bias=0.25)]).splitlines()
    assert header.endswith("unlabelled  W < 0")
    assert (first.split()[-1], second.split()[-1]) == ("-", "25.0%")
    assert summary_lines([accuracy(alignment=True, negative_bias=0.0)]).splitlines()[1].endswith("  0.0%")
    assert "W < 0" not in summary_lines([accuracy(alignment=True)])


def test_questions_with_a_single_candidate_have_a_column_where_there_are_some() -> None:
    head, first, second = summary_lines([accuracy(), accuracy(task="target", single_candidate=4)]).splitlines()
    assert head.endswith("unlabelled  one candidate")
    assert (first.split()[-1], second.split()[-1]) == ("0", "4")


def test_a_word_below_the_table_where_episodes_are_few() -> None:
    rows = [accuracy(episodes=10), accuracy(task="coref", episodes=9), accuracy(task="target", episodes=1)]
    *_, single, rough = summary_lines([*rows, accuracy(task="videoqa", n=0, episodes=0)]).splitlines()
    assert single == "no interval for target: all questions are of a single episode"
    assert rough == "rough intervals for coref (9 episodes): with fewer than 10 episodes, 95 % is approximate"


def test_a_word_where_all_answers_are_alike_and_splits_by_name() -> None:
    rows = [accuracy(correct=1200), accuracy(task="coref", split=None, correct=0)]
    *_, alike = summary_lines(rows).splitlines()
    assert alike.startswith("all right or all wrong in mentioned, test; coref, -: the interval assumes")


def test_columns_in_which_rows_differ_are_shown() -> None:
    header, first, second = summary_lines([accuracy(), accuracy(dataset=None)]).splitlines()
    assert header.split()[:3] == ["task", "dataset", "alignment"]
    assert first.split()[:3] == ["mentioned", "drawn", "off"]
    assert second.split()[:3] == ["mentioned", "-", "off"]


def test_the_strength_is_shown_only_where_aligned_rows_differ_in_it() -> None:
    aligned: dict[str, Any] = {
        "alignment": True,
        "alpha": 1.0,
        "lambda_": 5e-5,
        "layers": "10-19",
        "bias": "published",
    }
    both = [accuracy(), accuracy(**aligned)]
    assert summary_lines(both).splitlines()[0].split()[:3] == ["task", "alignment", "n"]
    sweep = summary_lines([*both, accuracy(**aligned | {"alpha": 2.0})]).splitlines()
    assert [line.split()[:3] for line in sweep] == [
        ["task", "alignment", "alpha"],
        ["mentioned", "off", "-"],
        ["mentioned", "on", "1.0"],
        ["mentioned", "on", "2.0"],
    ]


def test_without_rows_it_says_so() -> None:
    assert "no question" in summary_lines([])


def test_the_json_object_holds_the_rows_and_how_the_run_ended() -> None:
    model = ModelIdentity(name="m", adapter_version="1", distribution=None, distribution_version=None, checkpoint="c")
    manifest = Manifest.begin(settings(), ["socialcli"], model, "0" * 64).end("failures", 3, Counts(rows=7, failed=2))
    summary = json.loads(json.dumps(summary_json([accuracy()], Path("out"), manifest), allow_nan=False))
    assert (summary["output"], summary["outcome"], summary["exit_code"]) == ("out", "failures", 3)
    assert summary["counts"]["failed"] == 2
    assert summary["accuracy"] == [accuracy().as_record()]


def test_orders_have_columns_and_a_note_where_there_are_some() -> None:
    permuted = accuracy(orders=4, questions=300, circular_accuracy=0.5, circular_ci_low=0.4, circular_ci_high=0.6)
    heading, row, note = summary_lines([permuted]).splitlines()
    assert re.split(r"  +", heading)[-4:] == ["questions", "circular", "circular interval", "position bias"]
    assert re.split(r"  +", row)[-4:] == ["300", "50.0%", "40.0% to 60.0%", "-"]
    assert note.startswith("n counts answers, up to 4 a question")
    assert "circular" not in summary_lines([accuracy()])
