from __future__ import annotations

import json
from collections.abc import Callable
from time import process_time

from hypothesis import given, settings

from socialcli.episodes.checking.problems import Problem
from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.formats.jsonl import parse_lines
from socialcli.episodes.records import Episode

from ..samples import Record, changed, mutated_records, record


def test_a_correct_record_has_no_problem() -> None:
    assert check(record(), 1, Seen()) == []


def test_ids_are_unique_across_the_file() -> None:
    seen = Seen()
    assert check(record("a"), 1, seen) == []
    again = record("b")
    again["questions"][1]["id"] = "a/coref"
    [problem] = check(again, 2, seen)
    assert problem == Problem(
        2, "questions[1].id", '"a/coref" is already used in row 1; give each its own id', question=1
    )
    assert check(record("a"), 3, seen)[0] == Problem(
        3, "episode_id", '"a" is already used in row 1; give each its own id'
    )


def test_ids_of_a_record_of_the_wrong_shape_count_too() -> None:
    seen = Seen()
    check(changed(lambda r: r.pop("video")), 1, seen)
    assert check(record(), 2, seen)[0].field == "episode_id"


def test_question_ids_are_unique_within_the_episode() -> None:
    [problem] = check(changed(lambda r: r["questions"][1].update(id="e1/target")), 7, Seen())
    assert problem.message.startswith('"e1/target" is already used in row 7; ')


def test_a_badly_shaped_question_does_not_hide_what_else_is_wrong() -> None:
    def change(r: Record) -> None:
        r["questions"][0]["task"] = 3
        r["questions"][1]["span"] = [90, 91]
        r["boxes"][0]["speaker"] = "bob"

    found = [(problem.field, problem.question) for problem in check(changed(change), 1, Seen())]
    assert found == [("questions[0].task", 0), ("boxes[0].speaker", None), ("questions[1].span", 1)]


def test_an_unusual_field_name_stays_on_its_line() -> None:
    [problem] = check(changed(lambda r: r["video"].update({"a\nb": 1})), 4, Seen())
    assert problem.located("x.jsonl").startswith('x.jsonl:4:video."a\\nb": is not a field of the format; ')


@settings(max_examples=300, deadline=None)
@given(mutated_records())
def test_any_record_is_judged_and_a_good_one_becomes_an_episode(record: Record) -> None:
    problems = check(record, 1, Seen())
    assert all("; " in problem.message and "\n" not in problem.message for problem in problems)
    if not problems:
        episode = Episode.from_record(record)
        assert check(episode.to_record(), 1, Seen()) == []
        assert Episode.from_record(episode.to_record()) == episode


def test_checking_500_boxes_costs_at_most_six_times_the_parsing() -> None:
    boxes = [{**record()["boxes"][1], "time": 1.0 + index / 100} for index in range(500)]
    lines = [json.dumps({**record(str(index)), "boxes": boxes}) for index in range(20)]
    raw = [line.encode() for line in lines]

    def checked() -> None:
        seen = Seen()
        assert not any(check(line.record, line.row, seen) for line in parse_lines(raw))

    assert shortest(checked) <= 6 * shortest(lambda: [json.loads(line) for line in lines])


def shortest(work: Callable[[], object]) -> float:
    def once() -> float:
        start = process_time()
        work()
        return process_time() - start

    return min(once() for _ in range(7))
