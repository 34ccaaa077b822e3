from __future__ import annotations

from dataclasses import replace

from .samples import an_annotation, an_episode


def test_windows_that_overlap_repeat_nothing() -> None:
    lines = [(0.0, 2.0, "anna"), (3.0, 5.0, "ben")]
    first = an_episode(lines, [(1.0, "anna", 0.0), (4.0, "ben", 200.0)], 0.0, 6.0, "w1")
    second = an_episode([lines[1], (7.0, 8.0, "anna")], [(4.0, "ben", 999.0), (7.0, "anna", 0.0)], 3.0, 9.0, "w2")
    found = an_annotation(second, first)
    assert [window.episode_id for window in found.windows] == ["w1", "w2"]
    assert [(line.start, line.speaker) for line in found.utterances] == [(0.0, "anna"), (3.0, "ben"), (7.0, "anna")]
    assert [(box.time, box.x0) for box in found.boxes] == [(1.0, 0.0), (4.0, 200.0), (7.0, 0.0)]  # the first wins


def test_speakers_are_those_of_speech_and_boxes_too() -> None:
    episode = replace(an_episode([(0.0, 1.0, "anna")], [(0.0, "ben", 0.0)]), speakers=())
    assert an_annotation(episode).speakers == ("anna", "ben")
