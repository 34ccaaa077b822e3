"""Stretches of speech from levels, by rules that others publish."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.perception.contract import Speech
from socialcli.perception.speech import SpeechRules, speech_of, windows

RULES = SpeechRules(onset=0.5, offset=0.35, min_speech=0.1, min_silence=0.1, padding=0.0)


def stretches(levels: list[float], rules: SpeechRules = RULES) -> list[tuple[float, float]]:
    return [(one.start, one.end) for one in speech_of(levels, 800, 800 * len(levels), rules)]  # 50 ms a level


def test_a_level_between_the_thresholds_changes_nothing() -> None:
    assert stretches([0, 0.4, 0.6, 0.4, 0.4, 0.6, 0.1, 0.1, 0.1, 0.4]) == [(0.1, 0.3)]


def test_short_silence_joins_and_short_speech_is_dropped() -> None:
    assert stretches([1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0]) == [(0.0, 0.3)]


def test_padding_takes_at_most_half_of_a_silence() -> None:
    rules = SpeechRules(min_speech=0.1, min_silence=0.1, padding=0.25)
    found = stretches([0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1], rules)
    assert found == [(0.0, pytest.approx(0.3)), (pytest.approx(0.3), pytest.approx(0.55))]


def test_speech_that_lasts_to_the_end_ends_there() -> None:
    assert speech_of([0, 1, 1, 1, 1, 1], 512, 2900, RULES) == [Speech(512 / 16000, 2900 / 16000)]
    assert speech_of([], 512, 0, RULES) == []


@given(
    st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.49, 0.5, 0.9]), max_size=60),
    st.integers(0, 511),
)
def test_the_rules_are_those_of_silero_vad(levels: list[float], missing: int) -> None:
    published = pytest.importorskip("silero_vad.utils_vad", reason="the package silero-vad is not installed")
    length = max(len(levels) * 512 - missing, 0)
    expected = published.get_speech_timestamps_from_probs(levels, audio_length_samples=length)
    found = speech_of(levels, 512, length, SpeechRules())
    assert [(round(one.start * 16000), round(one.end * 16000)) for one in found] == [
        (one["start"], one["end"]) for one in expected
    ]


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 17))
def test_windows_hold_the_samples_of_all_blocks_in_order(lengths: list[int], width: int) -> None:
    sound = np.arange(sum(lengths), dtype=np.float32) + 1
    blocks = np.split(sound, np.cumsum(lengths)[:-1]) if lengths else []
    parts = list(windows(blocks, width))
    assert sum(new for _, new in parts) == len(sound)
    whole = np.concatenate([part.ravel() for part, _ in parts]) if parts else np.zeros(0, np.float32)
    assert len(whole) % width == 0
    assert np.array_equal(whole[: len(sound)], sound)
    assert not whole[len(sound) :].any()
