from __future__ import annotations

from collections import Counter

import pytest

from socialcli.errors import InvalidInputError
from socialcli.jobs.counts import JobCounter

from ..results.samples import failed, plain, prediction, settings


def test_rows_are_counted_by_what_became_of_them() -> None:
    counter = JobCounter(episodes=2, questions=2, unreadable=1)
    for row in (prediction(), plain(answer=None), failed(), plain(status="unparsed", prediction=None)):
        counter.add(row)
    counts = counter.counts()
    assert (counts.rows, counts.ok, counts.unparsed, counts.failed, counts.unlabelled) == (4, 2, 1, 1, 1)
    assert (counts.episodes, counts.questions, counts.unreadable) == (2, 2, 1)


def test_unreadable_rows_are_failures_among_all() -> None:
    counter = JobCounter(unreadable=2)
    counter.add(failed())
    counter.add(plain())
    assert (counter.failures, counter.total) == (3, 4)


def test_a_file_of_which_nothing_could_be_read_is_invalid_input() -> None:
    counter = JobCounter(unreadable=1, problems=["e.jsonl:1: no"])
    with pytest.raises(InvalidInputError, match=r"e\.jsonl:1: no"):
        counter.check_readable()
    counter.splits["test"] = 1
    counter.check_readable()


def test_a_run_with_questions_of_its_tasks_has_nothing_to_warn_of() -> None:
    counter = JobCounter(questions=1, splits=Counter({"test": 1}), tasks=Counter({"coref": 1, "else": 1}))
    counter.add(prediction())
    assert counter.warnings(settings(tasks=("coref", "mentioned"), split="test"), {"coref", "mentioned"}) == []


def test_a_split_that_nobody_has_names_those_there_are() -> None:
    counter = JobCounter(splits=Counter({"test": 2, None: 1}))
    (warning,) = counter.warnings(settings(split="train"), {"mentioned"})
    assert warning == "no episode is of the split 'train'; the file has: (none) 1, test 2"


def test_a_task_that_the_split_lacks_names_those_it_has() -> None:
    counter = JobCounter(splits=Counter({"test": 2}), tasks=Counter({"coref": 3}))
    (warning,) = counter.warnings(settings(split="test"), {"mentioned"})
    assert warning == "the split 'test' has no question of mentioned; it has: coref 3"


def test_all_tasks_do_not_hide_one_that_nobody_provides() -> None:
    counter = JobCounter(questions=1, tasks=Counter({"coref": 1, "gaze": 2}))
    assert counter.warnings(settings(tasks=("all",)), {"coref"}) == [
        "questions of tasks that no plug-in provides were skipped: gaze 2"
    ]


def test_alignment_that_reached_no_visual_token_is_reported_once() -> None:
    counter = JobCounter(questions=2)
    counter.add(prediction(utterances=3, covered_utterances=0))
    (warning,) = counter.warnings(settings(), {"mentioned"})
    assert warning.startswith("nothing can be aligned: 0 of 3 utterances")
    counter.coverage_warned = True  # before the model was loaded
    assert counter.warnings(settings(), {"mentioned"}) == []
    counter.coverage_warned = False
    counter.add(prediction(episode_id="e2", utterances=3, covered_utterances=1))
    assert counter.warnings(settings(), {"mentioned"}) == []


def test_less_coverage_than_was_asked_for_is_reported_at_the_end_too() -> None:
    counter = JobCounter(questions=2)
    counter.add(prediction(utterances=3, covered_utterances=1))
    assert counter.warnings(settings(min_coverage="30%"), {"mentioned"}) == []
    (warning,) = counter.warnings(settings(min_coverage="50%"), {"mentioned"})
    assert warning.startswith("less can be aligned than --min-coverage 50% requires: 1 of 3 utterances")


def test_plain_rows_are_no_reason_to_warn() -> None:
    counter = JobCounter(questions=1)
    counter.add(plain(utterances=3, covered_utterances=0))
    assert counter.warnings(settings(alignment="off"), {"mentioned"}) == []
