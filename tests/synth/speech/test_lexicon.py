"""Every word that a sentence can have is pronounced, and by known phones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from socialcli.synth.sentences import draw_sentences
from socialcli.synth.speech.lexicon import LEXICON, PAUSE, phones_of
from socialcli.synth.speech.phones import PHONES, timed


def test_sentences_are_made_of_words_of_the_lexicon() -> None:
    words: set[str] = set()
    for seed in range(30):
        for sentence in draw_sentences(32, np.random.default_rng(seed)):
            assert phones_of(sentence.text)
            words |= set(sentence.text.lower().replace(",", "").rstrip(".?!").split())
    assert words == set(LEXICON)


def test_the_signs_of_the_lexicon_are_the_phones() -> None:
    assert {sign for signs in LEXICON.values() for sign in signs} == set(PHONES) - {PAUSE}


def test_a_comma_is_a_pause_and_an_unknown_word_an_error() -> None:
    assert phones_of("Look, Kim!") == ["L", "UH", "K", PAUSE, "K", "IH", "M"]
    with pytest.raises(KeyError, match="xylophone"):
        phones_of("Xylophone")


def test_phones_follow_without_gaps_and_a_faster_voice_takes_less_time() -> None:
    slow, fast = (timed(phones_of("They took the umbrella."), tempo) for tempo in (1.0, 2.0))
    assert slow[0].start == 0 and slow[-1].end == pytest.approx(2 * fast[-1].end)
    assert all(one.end == other.start for one, other in pairwise(slow))
    assert 5 < len(phones_of("They took the umbrella.")) / slow[-1].end < 20  # phones a second, as people speak
