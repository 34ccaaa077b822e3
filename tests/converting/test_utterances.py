"""Which utterances are shown, and when they end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.converting.utterances import context_window, end_times, repair_order, speaking_time


@pytest.mark.parametrize("total", [1, 2, 5, 11, 12, 40])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_the_window_is_that_of_the_release(total: int, length: int) -> None:
    """As the loader of "Modeling Multimodal Social Interactions" cuts its list of utterances."""
    utterances = list(range(total))
    for index in utterances:
        start = max(0, index - length - max(0, length - (total - index) + 1))
        assert list(context_window(index, total, length)) == utterances[start : start + 2 * length + 1]
        assert list(context_window(index, total, length, online=True)) == utterances[max(0, index - length) : index + 1]


@given(st.lists(st.floats(0, 1000), max_size=40))
def test_times_are_brought_in_order_and_as_few_as_possible_are_moved(times: list[float]) -> None:
    repaired = repair_order(times)
    assert repaired == sorted(repaired) and set(repaired) <= set(times)
    longest = [1] * len(times)
    for index, time in enumerate(times):
        longest[index] += max((longest[before] for before in range(index) if times[before] <= time), default=0)
    assert sum(one == other for one, other in zip(times, repaired, strict=True)) >= max(longest, default=0)


def test_an_utterance_ends_as_the_next_begins_and_the_last_after_its_words() -> None:
    assert end_times([0.0, 2.0, 2.5], ["a", "b", "one , two three"], 1.0) == [2.0, 3.0, pytest.approx(3.7)]
    assert end_times([], [], 1.0) == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("one , two", 0.8), ("他们在车里。", 1.0), ("मैं ठीक हूँ", 1.2), ("...", 0.0)]
)
def test_words_take_time_in_every_script(text: str, seconds: float) -> None:
    assert speaking_time(text) == pytest.approx(seconds)
