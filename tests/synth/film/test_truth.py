"""The files beside an episode that speaks: subtitles without names, who speaks when, who is on screen."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import Any

import pytest

from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.records import Episode
from socialcli.synth.episodes import Plot, annotate
from socialcli.synth.film.truth import diarization, subtitles, truth
from socialcli.synth.frames import pictures
from tests.synth.speaking import SEED, SPEAKING, performed

CUT = replace(SPEAKING, people=(4, 4), distractors=1, shots=7)


@functools.cache
def drawn(index: int = 0, boxes: bool = False) -> tuple[Plot, Episode, Any]:
    plot, performance = performed(CUT, index)
    shown = [picture.extents for picture in pictures(plot.world, performance.film)] if boxes else []
    known = json.loads(truth(plot.world, plot.story, performance.talk, performance.film, "socialcli"))
    return plot, annotate(plot, CUT, SEED, shown), known


def test_the_episode_keeps_the_format_and_is_a_dataset_of_its_own() -> None:
    _, episode, _ = drawn(boxes=True)
    assert check(episode.to_record(), 1, Seen()) == []
    assert (episode.episode_id, episode.dataset) == (f"synth-audio-{SEED}-000000", "synth-audio")


def test_subtitles_have_the_words_at_their_times_and_no_names() -> None:
    _, episode, _ = drawn()
    cues = subtitles(episode.utterances).split("\n\n")
    assert len(cues) == len(episode.utterances) == 4
    for number, (cue, one) in enumerate(zip(cues, episode.utterances, strict=True), start=1):
        place, times, text = cue.strip().split("\n")
        assert (int(place), text) == (number, one.text)
        start, end = (
            sum(60**power * float(part) for power, part in enumerate(clock.replace(",", ".").split(":")[::-1]))
            for clock in times.split(" --> ")
        )
        assert abs(start - one.start) < 0.001 and abs(end - one.end) < 0.001
    assert "speaker" not in subtitles(episode.utterances).lower()


def test_diarization_has_a_line_for_each_utterance() -> None:
    _, episode, _ = drawn()
    lines = [line.split() for line in diarization(episode).splitlines()]
    assert [(line[0], line[1], line[2], line[7]) for line in lines] == [
        ("SPEAKER", episode.episode_id, "1", one.speaker) for one in episode.utterances
    ]
    for line, one in zip(lines, episode.utterances, strict=True):
        assert float(line[3]) == pytest.approx(one.start, abs=0.001)
        assert float(line[4]) == pytest.approx(one.end - one.start, abs=0.001)


def test_boxes_are_exactly_where_people_are_on_screen() -> None:
    _, episode, known = drawn(boxes=True)
    for person in known["people"]:
        times = {box.time for box in episode.boxes if box.speaker == person["id"]}
        frames = range(performed(CUT)[0].world.frames)
        on_screen = {
            round(frame / 15, 6)
            for frame in frames
            if any(start <= round(frame / 15, 6) < end for start, end in person["on_screen"])
        }
        assert times == (on_screen if person["speaker"] else set())
    assert any(len(person["on_screen"]) > 1 for person in known["people"])


def test_the_truth_names_everybody_and_the_shots_cover_the_clip() -> None:
    plot, episode, known = drawn()
    assert known["synthesizer"] == "socialcli"
    speakers = [person for person in known["people"] if person["speaker"]]
    assert {person["id"] for person in speakers} == {speaker.id for speaker in episode.speakers}
    (bystander,) = [person for person in known["people"] if not person["speaker"]]
    assert (bystander["id"], bystander["voice"]) == ("bystander5", None)
    assert len({person["voice"]["pitch"] for person in speakers}) == 4
    for question in episode.questions:
        if question.task == "videoqa":
            (label,) = (number for number in range(4) if f"Speaker {number + 1}'s" in str(question.text))
            (worn,) = (person["look"]["shirt"] for person in speakers if person["id"] == f"speaker{label + 1}")
            assert question.answer == worn
    shots = known["shots"]
    assert len(shots) == 7 and shots[0]["start"] == 0
    assert [shot["start"] for shot in shots[1:]] == [shot["end"] for shot in shots[:-1]]
    assert shots[-1]["end"] == round(plot.world.frames / 15, 6)


def test_gestures_that_are_off_screen_are_not_asked_about() -> None:
    asked = left_out = 0
    for index in range(6):
        plot, episode, known = drawn(index)
        spans = {person["id"]: person["on_screen"] for person in known["people"]}
        about = {question.utterance: question for question in episode.questions if question.task != "videoqa"}
        for place, one in enumerate(episode.utterances):
            frames = [frame / 15 for frame in plot.world.frames_of(place)]
            person = plot.story.cast[plot.story.lines[place].speaker]
            meant = f"speaker{plot.story.cast.index(plot.world.gestures[place][person]) + 1}"
            seen = [
                all(any(a <= at + 1e-6 < b for a, b in spans[who]) for who in (str(one.speaker), meant))
                for at in frames
            ]
            assert (one.id in about) == (sum(seen) >= len(seen) / 2)
            assert one.id not in about or about[one.id].answer == meant
            asked, left_out = asked + (one.id in about), left_out + (one.id not in about)
    assert asked > 5 and left_out > 5


def test_among_two_people_nothing_is_asked_about_gestures() -> None:
    plot, _ = performed(replace(SPEAKING, people=(2, 2)))
    episode = annotate(plot, SPEAKING, SEED, [])
    assert [question.task for question in episode.questions] == ["videoqa"] * 2
    assert check(episode.to_record(), 1, Seen()) == []
