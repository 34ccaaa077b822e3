from __future__ import annotations

from collections import Counter

import pytest

from socialcli.errors import InvalidInputError
from socialcli.jobs.counts import Tally

from ..results.samples import failed, plain, prediction, settings


def test_rows_are_counted_by_what_became_of_them() -> None:
    tally = Tally(episodes=2, questions=2, unreadable=1)
    for row in (prediction(), plain(answer=None), failed(), plain(status="unparsed", prediction=None)):
        tally.add(row)
    counts = tally.counts()
    assert (counts.rows, counts.ok, counts.unparsed, counts.failed, counts.unlabelled) == (4, 2, 1, 1, 1)
    assert (counts.episodes, counts.questions, counts.unreadable) == (2, 2, 1)


def test_unreadable_rows_are_failures_among_all() -> None:
    tally = Tally(unreadable=2)
    tally.add(failed())
    tally.add(plain())
    assert (tally.failures, tally.total) == (3, 4)


def test_a_file_of_which_nothing_could_be_read_is_invalid_input() -> None:
    tally = Tally(unreadable=1, problems=["e.jsonl:1: no"])
    with pytest.raises(InvalidInputError, match=r"e\.jsonl:1: no"):
        tally.check_readable()
    tally.splits["test"] = 1
    tally.check_readable()


def test_a_run_with_questions_of_its_tasks_has_nothing_to_warn_of() -> None:
    tally = Tally(questions=1, splits=Counter({"test": 1}), tasks=Counter({"coref": 1, "else": 1}))
    tally.add(prediction())
    assert tally.warnings(settings(tasks=("coref", "mentioned"), split="test"), {"coref", "mentioned"}) == []


def test_a_split_that_nobody_has_names_those_there_are() -> None:
    tally = Tally(splits=Counter({"test": 2, None: 1}))
    (warning,) = tally.warnings(settings(split="train"), {"mentioned"})
    assert warning == "no episode is of the split 'train'; the file has: (none) 1, test 2"


def test_a_task_that_the_split_lacks_names_those_it_has() -> None:
    tally = Tally(splits=Counter({"test": 2}), tasks=Counter({"coref": 3}))
    (warning,) = tally.warnings(settings(split="test"), {"mentioned"})
    assert warning == "the split 'test' has no question of mentioned; it has: coref 3"


def test_all_tasks_do_not_hide_one_that_nobody_provides() -> None:
    tally = Tally(questions=1, tasks=Counter({"coref": 1, "gaze": 2}))
    assert tally.warnings(settings(tasks=("all",)), {"coref"}) == [
        "questions of tasks that no plug-in provides were left out: gaze 2"
    ]


def test_alignment_that_reached_no_visual_token_is_told_once() -> None:
    tally = Tally(questions=2)
    tally.add(prediction(utterances=3, covered_utterances=0))
    (warning,) = tally.warnings(settings(), {"mentioned"})
    assert warning.startswith("nothing can be aligned: 0 of 3 utterances")
    tally.told_uncovered = True  # before the model was loaded
    assert tally.warnings(settings(), {"mentioned"}) == []
    tally.told_uncovered = False
    tally.add(prediction(episode_id="e2", utterances=3, covered_utterances=1))
    assert tally.warnings(settings(), {"mentioned"}) == []


def test_less_coverage_than_was_asked_for_is_told_at_the_end_too() -> None:
    tally = Tally(questions=2)
    tally.add(prediction(utterances=3, covered_utterances=1))
    assert tally.warnings(settings(min_coverage="30%"), {"mentioned"}) == []
    (warning,) = tally.warnings(settings(min_coverage="50%"), {"mentioned"})
    assert warning.startswith("less can be aligned than --min-coverage 50% requires: 1 of 3 utterances")


def test_plain_rows_are_no_reason_to_warn() -> None:
    tally = Tally(questions=1)
    tally.add(plain(utterances=3, covered_utterances=0))
    assert tally.warnings(settings(alignment="off"), {"mentioned"}) == []
