"""Episodes of a synthetic world: what they say is what their worlds show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.records import Episode, Question
from socialcli.plugins.registry import registry
from socialcli.synth.episodes import Plot, annotate, draw_plot, make_episode
from socialcli.synth.frames import pictures
from socialcli.synth.settings import SynthSettings, split_of
from socialcli.tasks.prompt import build_prompt

SETTINGS = SynthSettings()
SEED = 2


def drawn(index: int, settings: SynthSettings = SETTINGS) -> tuple[Plot, Episode]:
    plot = draw_plot(settings, SEED, index)
    return plot, annotate(plot, settings, SEED, [picture.extents for picture in pictures(plot.world)])


def of_task(episode: Episode, task: str) -> list[Question]:
    return [question for question in episode.questions if question.task == task]


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        SynthSettings(people=(3, 5), turns=2, distractors=2, size=(160, 90)),
        SynthSettings(people=(8, 8), distractors=4, box_jitter=300, missing_boxes=0.5),
    ],
)
def test_every_episode_keeps_the_format(settings: SynthSettings) -> None:
    seen = Seen()
    for index in range(3):
        _, episode = drawn(index, settings)
        assert check(episode.to_record(), index + 1, seen) == []


def test_every_speaker_is_asked_about_and_the_answer_is_the_shirt_that_is_worn() -> None:
    for index in range(5):
        plot, episode = drawn(index)
        questions = of_task(episode, "videoqa")
        worn = {f"Speaker {k + 1}": plot.world.people[person].look.shirt for k, person in enumerate(plot.story.cast)}
        asked = {str(question.text).removeprefix("What is the colour of ").split("'")[0] for question in questions}
        assert asked == set(worn)
        for question in questions:
            assert set(question.candidates or ()) == set(worn.values())
            assert question.answer == next(worn[label] for label in worn if f" {label}'s " in str(question.text))


def test_every_utterance_is_asked_about_and_the_answer_is_the_one_pointed_at() -> None:
    for index in range(5):
        plot, episode = drawn(index, SynthSettings(turns=2))
        questions = [question for question in episode.questions if question.task != "videoqa"]
        assert [question.utterance for question in questions] == [line.id for line in episode.utterances]
        for stretch, (line, question) in enumerate(zip(episode.utterances, questions, strict=True)):
            cast = [f"speaker{k + 1}" for k in range(4)]
            person = {label: plot.story.cast[k] for k, label in enumerate(cast)}
            assert question.answer is not None and line.speaker is not None
            assert plot.world.gestures[stretch][person[line.speaker]] == person[question.answer]
            assert question.candidates == tuple(label for label in cast if label != line.speaker)
            frames = [round(time * 4) for time in (line.start, line.end)]
            assert {plot.world.stretch(frame) for frame in (frames[0], int(line.end * 4))} == {stretch}


def test_speakers_have_boxes_where_they_are_and_distractors_have_none() -> None:
    plot, episode = drawn(0, SynthSettings(distractors=3))
    extents = [picture.extents for picture in pictures(plot.world)]
    assert len(episode.boxes) == 4 * 16
    for box in episode.boxes:
        person = plot.story.cast[int(box.speaker.removeprefix("speaker")) - 1]
        assert (box.x0, box.y0, box.x1, box.y1) == extents[round(box.time * 4)][person]


def test_jitter_moves_boxes_a_little_and_changes_nothing_else() -> None:
    _, exact = drawn(0)
    _, moved = drawn(0, replace(SETTINGS, box_jitter=5.0))
    assert replace(moved, boxes=exact.boxes) == exact
    shifts = [
        abs(getattr(one, edge) - getattr(other, edge))
        for one, other in zip(exact.boxes, moved.boxes, strict=True)
        for edge in ("x0", "y0", "x1", "y1")
    ]
    assert 4 < max(shifts) <= 5.01 and 2 < sum(shifts) / len(shifts) < 3


def test_a_share_of_the_boxes_is_missing() -> None:
    counts = [len(drawn(index, replace(SETTINGS, missing_boxes=0.25))[1].boxes) for index in range(8)]
    assert sum(counts) == pytest.approx(0.75 * 8 * 64, abs=4 * (512 * 0.25 * 0.75) ** 0.5)


def test_prompts_call_people_by_number_alone() -> None:
    _, episode = drawn(0)
    for question in episode.questions:
        prompt = build_prompt(registry().task(question.task).item, episode, question, None)
        assert prompt.text.startswith("People in the video: Speaker 1, Speaker 2, Speaker 3, Speaker 4.\n")
        assert len(prompt.utterances) == 4


def test_an_episode_depends_on_seed_and_index_and_on_no_other_one(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    small = SynthSettings(size=(96, 96), frames=4)
    again = [make_episode(small, SEED, tmp_path, 7) for _ in range(2)]
    assert again[0] == again[1]
    for seed, index in ((SEED, 8), (SEED + 1, 7)):
        other = make_episode(small, seed, tmp_path, index)
        assert other.boxes != again[0].boxes and other.episode_id != again[0].episode_id
    assert len(list((tmp_path / "videos").iterdir())) == 3


def test_splits_keep_their_shares_in_the_first_episodes_already() -> None:
    splits = [split_of(index, SETTINGS.splits) for index in range(1000)]
    for count in (10, 50, 1000):
        assert splits[:count].count("train") == pytest.approx(0.8 * count, abs=2)
        assert splits[:count].count("validation") == pytest.approx(0.1 * count, abs=2)
        assert splits[:count].count("test") == pytest.approx(0.1 * count, abs=2)
    assert {split_of(index, (("all", 1.0),)) for index in range(50)} == {"all"}
