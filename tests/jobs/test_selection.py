from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from socialcli.episodes.counting import count_questions
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Question
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import InvalidInputError, UsageError
from socialcli.jobs.counts import Tally
from socialcli.jobs.selection import Selection, check_selection, in_file_order, select

from ..episodes.samples import Record, mutated_records, record, write_lines
from ..results.samples import settings

TASKS = ("videoqa", "target", "coref", "mentioned")


def chosen(folder: Path, lines: list[Record | str], **changes: Any) -> tuple[list[Selection], Tally]:
    file = write_lines(folder / "e.jsonl", lines)
    tally = Tally()
    asked = settings(**{"tasks": TASKS, **changes})
    return list(select(read_episodes(file), asked, asked.selection.tasks, tally)), tally


def ids(selections: list[Selection]) -> list[list[str | None]]:
    return [[question.id for question in one.questions] for one in selections]


def test_the_questions_of_the_tasks_in_the_order_of_the_file(tmp_path: Path) -> None:
    selections, tally = chosen(tmp_path, [record("e1"), record("e2")], tasks=("mentioned", "target"))
    assert ids(selections) == [["e1/target", "e1/mentioned"], ["e2/target", "e2/mentioned"]]
    assert (tally.episodes, tally.questions) == (2, 4)
    assert tally.tasks == dict.fromkeys((*TASKS, "somebody-elses-task"), 2)


def test_bad_questions_keep_their_places_among_the_good_ones(tmp_path: Path) -> None:
    episode = record()
    episode["questions"][0]["answer"] = "nobody"
    episode["questions"][2]["span"] = [0, 999]
    (selection,), _ = chosen(tmp_path, [episode])
    assert ids([selection]) == [["e1/target", "e1/coref", "e1/mentioned", "e1/videoqa"]]
    assert [isinstance(question, Question) for question in selection.questions] == [False, True, False, True]


def test_a_bad_question_without_a_task_may_be_of_any(tmp_path: Path) -> None:
    episode = record()
    del episode["questions"][1]["task"]
    selections, _ = chosen(tmp_path, [episode], tasks=("videoqa",))
    assert ids(selections) == [["e1/coref", "e1/videoqa"]]


def test_all_questions_of_a_bad_episode_are_asked_in_vain(tmp_path: Path) -> None:
    episode = record()
    episode["boxes"][0]["speaker"] = "nobody"
    (selection,), tally = chosen(tmp_path, [episode], tasks=("coref",))
    assert ids([selection]) == [["e1/coref"]]
    assert selection.row.episode is None
    assert (tally.questions, tally.unreadable) == (1, 0)


def test_the_limit_counts_questions_across_episodes_bad_ones_too(tmp_path: Path) -> None:
    episode = record()
    episode["questions"][0]["answer"] = "nobody"
    selections, tally = chosen(tmp_path, [episode, record("e2"), record("e3"), "{"], limit=2, tasks=("target",))
    assert ids(selections) == [["e1/target"], ["e2/target"]]
    assert (tally.questions, tally.unreadable) == (2, 0)


def only(episode_id: str, *tasks: str | None) -> Record:
    """An episode with a question of each of the tasks; None: of a question that names none."""
    episode = record(episode_id)
    by_task = {question["task"]: question for question in episode["questions"]}
    episode["questions"] = [
        {**by_task[task or "videoqa"], "id": f"{episode_id}/{number}", "task": task}
        for number, task in enumerate(tasks)
    ]
    for question in episode["questions"]:
        if question["task"] is None:
            del question["task"]
    return episode


def test_the_limit_holds_for_each_task_of_its_own(tmp_path: Path) -> None:
    file = [
        only("e1", "videoqa", "videoqa", "videoqa", "target"),
        only("e2", "videoqa", "target", "coref"),
        only("e3", "target", "mentioned", "videoqa"),
        only("e4", "mentioned", "coref", "target"),
    ]
    selections, tally = chosen(tmp_path, file, limit=2)
    assert ids(selections) == [["e1/0", "e1/1", "e1/3"], ["e2/1", "e2/2"], ["e3/1"], ["e4/0", "e4/1"]]
    assert tally.questions == count_questions([tmp_path / "e.jsonl"], TASKS, limit=2) == 8


def test_the_file_is_read_until_every_task_has_its_questions(tmp_path: Path) -> None:
    whole = only("e1", *TASKS)
    _, tally = chosen(tmp_path, [whole, "{"], limit=1)
    assert (tally.questions, tally.unreadable) == (4, 0)
    _, tally = chosen(tmp_path, [only("e1", "videoqa"), "{"], limit=1)
    assert (tally.questions, tally.unreadable) == (1, 1)


def test_questions_without_a_task_have_a_limit_of_their_own(tmp_path: Path) -> None:
    file = [only("e1", None, None, "target"), only("e2", None, "target", "target")]
    selections, _ = chosen(tmp_path, file, limit=2, tasks=("target", "coref"))
    assert ids(selections) == [["e1/0", "e1/1", "e1/2"], ["e2/1"]]
    assert count_questions([tmp_path / "e.jsonl"], ("target", "coref"), limit=2) == 4


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "tets"}, r"no episode is of the split 'tets'; the file has: test 2"),
        ({"split": "Test"}, r"no episode is of the split 'Test'; the file has: test 2"),
        ({"split": "验证"}, r"no episode is of the split '验证'; the file has: test 2"),
        ({"tasks": ("mentioned",)}, r"the file has no question of mentioned; it has: coref 1, target 2"),
        ({"tasks": ("coref", "videoqa"), "split": "dev"}, r"no episode is of the split 'dev'; the file has: test 2"),
    ],
)
def test_settings_that_select_nothing_name_what_there_is(
    tmp_path: Path, suffix: str, changes: dict[str, Any], message: str
) -> None:
    file = tmp_path / f"e{suffix}"
    with EpisodeWriter(file) as writer:
        for one in (only("e1", "target", "coref"), only("e2", "target")):
            writer.write(one)
    asked = settings(**{"tasks": TASKS, "episodes": str(file), **changes})
    with pytest.raises(UsageError, match=f"{file.name}: {message}"):
        check_selection(asked, asked.selection.tasks)
    check_selection(settings(tasks=("coref",), episodes=str(file), split="test"), ("coref",))


def test_a_file_without_a_readable_row_is_no_matter_of_names(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "e.jsonl", ["{", '{"split": "test"}'])
    with pytest.raises(InvalidInputError, match=r"e\.jsonl:1"):
        check_selection(settings(episodes=str(file), split="test"), TASKS)


def test_a_bad_question_is_one_that_is_selected(tmp_path: Path) -> None:
    episode = only("e1", "coref")
    episode["boxes"][0]["speaker"] = "nobody"
    check_selection(settings(episodes=str(write_lines(tmp_path / "e.jsonl", [episode]))), ("coref",))


def test_the_split(tmp_path: Path) -> None:
    other, none = record("e2"), record("e3")
    other["split"] = "train"
    del none["split"]
    selections, tally = chosen(tmp_path, [record("e1"), other, none], split="train")
    assert [one.row.row for one in selections] == [2]
    assert tally.splits == {"test": 1, "train": 1, None: 1}
    assert tally.episodes == 1


def test_a_row_that_names_no_question_is_unreadable(tmp_path: Path) -> None:
    selections, tally = chosen(tmp_path, ["{", '{"split": "test"}', '{"split": "train"}', record()], split="test")
    assert [one.row.row for one in selections] == [4]
    assert tally.unreadable == 2  # of the line that is no JSON nobody knows the split
    assert [problem.split(":")[1] for problem in tally.problems] == ["1", "2"]


def test_an_episode_without_a_question_of_the_tasks_is_met_and_not_asked(tmp_path: Path) -> None:
    episode = record()
    episode["questions"] = []
    selections, tally = chosen(tmp_path, [episode])
    assert (selections, tally.episodes, tally.unreadable) == ([], 1, 0)


def test_the_problems_of_a_thousand_unreadable_rows_are_counted_and_not_all_kept(tmp_path: Path) -> None:
    _, tally = chosen(tmp_path, ["{"] * 1000)
    assert (tally.unreadable, len(tally.problems)) == (1000, 100)


@given(episode=mutated_records())
@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_question_changes_its_place_whatever_is_wrong_with_the_episode(tmp_path: Path, episode: Record) -> None:
    (row,) = read_episodes(write_lines(tmp_path / "e.jsonl", [episode, ""]))
    if row.record is None:  # not even JSON, as with a NaN
        return
    found = [question.id for question in in_file_order(row)]
    items = row.record.get("questions")
    names = [item.get("id") if isinstance(item, dict) else None for item in (items if isinstance(items, list) else ())]
    expected = [name if isinstance(name, str) else None for name in names]
    assert found == (expected if row.episode else [name for name in expected if name is not None])


def test_a_split_that_is_no_text_is_none(tmp_path: Path) -> None:
    episode = record()
    episode["split"] = ["test"]
    selections, tally = chosen(tmp_path, [episode, record("e2")])
    assert len(selections) == 2
    assert sum(tally.splits.values()) == 2
    assert None in tally.splits
