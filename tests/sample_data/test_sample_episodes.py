from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from _dialogues import SCENES
from _episodes import episode_record
from make import make_episodes

from socialcli.episodes.reading import read_episodes, read_records
from socialcli.episodes.records import Episode, Question

PRONOUNS = {"he", "him", "his", "she", "her", "hers"}
NAMES = {scene.id: {f"speaker{n}": place.name for n, place in enumerate(scene.cast, 1)} for scene in SCENES}


@pytest.fixture(scope="module")
def episodes(sample_data: Path) -> list[Episode]:
    rows = list(read_episodes(sample_data / "episodes.parquet"))
    assert all(row.problems == () for row in rows)
    return [row.episode for row in rows if row.episode is not None]


def questions(episodes: list[Episode], task: str) -> list[tuple[Episode, Question, str]]:
    """The questions of a task, each with its episode and the characters that its span covers."""
    found = []
    for episode in episodes:
        texts = {utterance.id: utterance.text for utterance in episode.utterances}
        for question in episode.questions:
            if question.task == task:
                word = texts[question.utterance or ""][slice(*question.span)] if question.span else ""
                found.append((episode, question, word))
    return found


def test_both_files_hold_the_same_episodes(sample_data: Path, episodes: list[Episode]) -> None:
    rows = read_episodes(sample_data / "episodes.jsonl")
    assert [row.episode for row in rows] == episodes
    assert len(episodes) >= 12


def test_making_the_episodes_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for attempt in ("first", "second"):
        make_episodes(tmp_path / attempt, SCENES[5:7])
    for name in ("episodes.parquet", "episodes.jsonl"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_the_files_are_what_the_script_makes(sample_data: Path) -> None:
    stored = [line.record for line in read_records(sample_data / "episodes.jsonl")]
    for scene, record in zip(SCENES, stored, strict=True):
        assert isinstance(record, dict)
        made = episode_record(scene)
        assert _without_boxes(record) == _without_boxes(made)
        for box, again in zip(record["boxes"], made["boxes"], strict=True):
            # Another version of Pillow may draw an edge half a pixel elsewhere.
            assert (box["speaker"], box["time"]) == (again["speaker"], again["time"])
            assert box == pytest.approx(again, abs=1.0)


def _without_boxes(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "boxes"}


def test_mentioned_spans_cover_the_name_of_the_person_who_is_the_answer(episodes: list[Episode]) -> None:
    found = questions(episodes, "mentioned")
    assert len(found) >= len(episodes)
    for episode, question, word in found:
        assert word == NAMES[episode.episode_id][question.answer or ""]


def test_coref_spans_cover_a_pronoun(episodes: list[Episode]) -> None:
    found = questions(episodes, "coref")
    assert len(found) >= len(episodes)
    assert all(word.lower() in PRONOUNS for _, _, word in found)


def test_every_episode_asks_all_four_tasks_and_two_questions_have_no_answer(episodes: list[Episode]) -> None:
    for episode in episodes:
        assert {question.task for question in episode.questions} == {"videoqa", "target", "coref", "mentioned"}
        assert 5 <= len(episode.utterances) <= 9
        assert 3 <= len(episode.speakers) <= 5
    unanswered = [question.id for episode in episodes for question in episode.questions if question.answer is None]
    assert unanswered == ["station-castle/coref-1", "workshop-robot/target-2"]


def test_target_answers_are_whom_the_script_addresses(episodes: list[Episode]) -> None:
    scripts = {scene.id: scene for scene in SCENES}
    for episode, question, _ in questions(episodes, "target"):
        line = scripts[episode.episode_id].lines[int((question.utterance or "")[1:]) - 1]
        assert question.answer in (None, next(k for k, v in NAMES[episode.episode_id].items() if v == line.to))


def test_the_sample_has_the_cases_that_real_data_have(episodes: list[Episode]) -> None:
    utterances = [utterance for episode in episodes for utterance in episode.utterances]
    assert {episode.split for episode in episodes} == {"test", "validation"}
    assert any(utterance.speaker is None for utterance in utterances)
    assert any(ord(char) > 0xFFFF for utterance in utterances for char in utterance.text)
    assert all(unicodedata.is_normalized("NFC", utterance.text) for utterance in utterances)
    assert any(
        before.end > after.start
        for episode in episodes
        for before, after in zip(episode.utterances, episode.utterances[1:], strict=False)
    )
    assert any(speaker.name for episode in episodes for speaker in episode.speakers)
    assert any((episode.video.start or 0.0) > 0.0 for episode in episodes)
    boxes = [box for episode in episodes for box in episode.boxes]
    assert any(box.x1 < 130 for box in boxes)
    assert any(box.x0 > 510 for box in boxes)


def test_people_who_leave_or_enter_have_boxes_only_while_they_show(episodes: list[Episode]) -> None:
    by_id = {episode.episode_id: episode for episode in episodes}
    leaving = [box.time for box in by_id["hall-goodbye"].boxes if box.speaker == "speaker1"]
    entering = [box.time for box in by_id["birthday-surprise"].boxes if box.speaker == "speaker4"]
    assert min(leaving) == 0.0
    assert 3.0 < max(leaving) < 4.0
    assert 2.4 < min(entering) < 3.6
    assert max(entering) == 5.8
