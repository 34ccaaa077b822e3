from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from socialcli.alignment.steering.modes import BOTH_WAYS, GAZE, Steering
from socialcli.episodes.records import Box, Episode
from socialcli.verbs.inspect.text import ranges, render
from tests.conftest import ROOT, sample_episodes

from .samples import asked_and_inspected, inspection

PAGE = ROOT / "docs" / "inspect.md"


def moved(episode: Episode, speaker: str, x0: float, x1: float) -> Episode:
    """The episode with one speaker's boxes somewhere else."""
    boxes = [replace(box, x0=x0, x1=x1) if box.speaker == speaker else box for box in episode.boxes]
    return replace(episode, boxes=tuple(boxes))


def test_the_pairs_are_those_of_the_plan(family: str) -> None:
    found = inspection(family, sample_episodes()[0])
    assert found.plan is not None
    again = np.zeros_like(found.plan.pairs)
    for line, columns in zip(found.utterances, found.pairs, strict=True):
        rows = np.searchsorted(found.plan.rows, line.tokens)
        again[np.ix_(rows, np.searchsorted(found.plan.columns, columns))] = True
    assert again.any()
    assert np.array_equal(again, found.plan.pairs)


def test_as_many_boxes_are_unseen_as_the_plan_counts() -> None:
    found = inspection("llava-next-video", sample_episodes()[0], frame_fit="crop")
    assert found.plan is not None
    assert len(found.unseen) == found.plan.boxes_unseen > 0


def test_the_share_that_the_model_sees_of_a_box() -> None:
    episode = moved(sample_episodes()[0], "speaker1", 100.0, 160.0)
    found = inspection("llava-next-video", episode, frame_fit="crop")
    left = found.frames[0].seen[0]  # the crop begins inside the box
    assert 100 < left < 160
    shares = [box.seen for box in found.boxes if box.speaker == "speaker1"]
    assert shares == [pytest.approx((160 - left) / 60)] * 8


def test_what_the_model_sees_of_a_frame_never_reaches_beyond_it() -> None:
    for fit, expected in (("pad", 640), ("stretch", 640), ("crop", 361)):
        (seen, *_) = {
            frame.seen for frame in inspection("llava-next-video", sample_episodes()[0], frame_fit=fit).frames
        }
        assert (seen[1], seen[3]) == pytest.approx((0, 360))
        assert seen[2] - seen[0] == pytest.approx(expected, abs=1)


def test_an_utterance_of_nobody_known_has_tokens_and_frames_but_no_pairs(episode: Episode) -> None:
    first, *others = episode.utterances
    found = inspection("internvl3", replace(episode, utterances=(replace(first, speaker=None), *others)))
    line = found.utterances[0]
    assert (line.speaker, line.label) == (None, "Somebody")
    assert line.tokens and line.frames
    assert found.pairs[0] == ()
    assert found.plan is not None
    assert not set(line.tokens) & set(found.plan.rows.tolist())
    assert "its speaker is not known" in render(found)


def test_a_speaker_without_boxes_is_named_in_the_text(episode: Episode) -> None:
    boxes = tuple(box for box in episode.boxes if box.speaker != "speaker2")
    found = inspection("internvl3", replace(episode, boxes=boxes))
    assert "Speaker 2 has no box near any frame" in render(found)
    spoken = [
        columns for line, columns in zip(found.utterances, found.pairs, strict=True) if line.speaker == "speaker2"
    ]
    assert spoken == [()] * len(spoken)


def test_a_box_that_covers_no_token_is_named_in_the_text(episode: Episode) -> None:
    text = render(inspection("llava-next-video", moved(episode, "speaker1", 4.0, 60.0), frame_fit="crop"))
    for frame in range(8):
        assert f"  Speaker 1 in frame {frame}: the box covers NO token (the model sees 0% of it)" in text
    assert "boxes that cover no token: " in text.splitlines()[-1]


def test_a_box_without_area_is_seen_where_it_is_inside(episode: Episode) -> None:
    point = Box("speaker1", 0.0, 320.0, 180.0, 320.0, 180.0)
    found = inspection("qwen2.5-vl", replace(episode, boxes=(point,)), box_gap=100.0)
    assert {(box.seen, len(box.tokens)) for box in found.boxes} == {(1.0, 1)}


def test_without_video_the_text_says_so(episode: Episode) -> None:
    found = inspection("internvl3", episode, with_video=False)
    assert (found.frames, found.boxes, found.grid, found.plan, found.inputs) == ((), (), None, None, "L")
    text = render(found)
    assert "the model gets no video" in text
    assert "nothing to align to" in text


def test_the_text_has_the_prompt_and_every_utterance(family: str, episode: Episode) -> None:
    found = inspection(family, episode)
    text = render(found)
    for line in found.prompt.split("\n"):
        assert f"  | {line}" in text
    for line in found.utterances:
        assert f"{line.start:.2f}-{line.end:.2f}  {ranges(line.tokens)}" in text


def test_runs_of_numbers_are_ranges() -> None:
    assert ranges([3, 7, 8, 9, 12, 13]) == "3, 7-9, 12-13"
    assert ranges([]) == "none"


def test_the_example_of_the_docs_works(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert names["record"]["question_id"] == names["question"].id


def test_the_biases_are_those_of_the_steering_mode(family: str) -> None:
    for steering in (Steering(BOTH_WAYS, 0.25), Steering(GAZE)):
        asked, found = asked_and_inspected(family, of_task("target"), frames=4, steering=steering)
        plan = asked.plan_under(steering)
        assert plan is not None
        assert plan.weights is not None
        again = np.zeros_like(plan.weights)
        for one in found.steered:
            again[np.ix_(np.searchsorted(plan.rows, one.tokens), np.searchsorted(plan.columns, one.columns))] = (
                one.weight
            )
        assert np.array_equal(again, plan.weights * plan.pairs)
        assert len({(one.part, one.tokens, one.weight) for one in found.steered}) == len(found.steered)


def test_the_text_names_what_a_mode_biases_and_whom_it_shows() -> None:
    both = render(inspection("internvl3", of_task("target"), steering=Steering(BOTH_WAYS, 0.25)))
    assert re.search(r"utterance \S+ +[\d-]+ +\+0\.75 .*in frame", both)
    assert re.search(r"Speaker \d in the options +[\d-]+ +\+0\.25 .*in frame", both)
    assert "steer both-ways, balance 0.25" in both
    gaze = render(inspection("internvl3", of_task("target"), steering=Steering(GAZE)))
    signs = re.findall(r"last prompt token +\d+ +([+-]1) ", gaze)
    assert signs == ["+1", "-1"]
    assert "no tokens" in gaze  # of the utterances, which the mode leaves alone
    nobody = replace(of_task("target"), boxes=())
    assert "Biases: none" in render(inspection("internvl3", nobody, steering=Steering(GAZE)))


def of_task(task: str) -> Episode:
    """A sample episode whose first question is of that task."""
    episode = sample_episodes()[0]
    return replace(episode, questions=tuple(one for one in episode.questions if one.task == task))
