"""A recording is cut at its pauses, and nothing said is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from socialcli.annotating.windows import windows
from socialcli.episodes.records import Utterance


def said(*times: tuple[float, float]) -> list[Utterance]:
    return [Utterance(f"u{number}", start, end, "Yes.") for number, (start, end) in enumerate(times, start=1)]


def test_a_short_recording_is_one_window() -> None:
    (only,) = windows(said((0.5, 2), (3, 5)), 8.0, longest=30)
    assert (only.start, only.end, len(only.utterances)) == (0.0, 8.0, 2)


def test_the_longest_pause_of_the_second_half_ends_a_window() -> None:
    lines = said((0, 2), (8, 9), (9.2, 14), (14.5, 16), (18, 19), (19.2, 24), (25, 28))
    first, second = windows(lines, 30.0, longest=20)
    assert [one.id for one in first.utterances] == ["u1", "u2", "u3", "u4"]
    assert first.end == 17.0  # the middle of the pause from 16 to 18 s
    assert [one.id for one in second.utterances] == ["u5", "u6", "u7"]
    assert second.end == 30.0


def test_silence_before_the_first_words_is_not_an_episode() -> None:
    (only,) = windows(said((600, 602)), 605.0, longest=30)
    assert only.start > 580


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 15)), min_size=1, max_size=30), st.floats(5, 60))
def test_every_utterance_is_whole_in_one_window(steps: list[tuple[float, float]], longest: float) -> None:
    now, times = 0.0, []
    for pause, length in steps:
        times.append((now + pause, now + pause + length))
        now += pause + length
    lines = said(*times)
    found = windows(lines, now + 3, longest)
    assert [one for window in found for one in window.utterances] == lines
    for window in found:
        assert all(window.start <= one.start and one.end <= window.end for one in window.utterances)
        alone = len(window.utterances) == 1
        assert alone or window.utterances[-1].end - window.utterances[0].start <= longest + 1e-9
    for before, after in pairwise(found):
        assert before.end <= after.start + 1e-9
