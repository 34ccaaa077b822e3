"""Who is who, and who says what."""

from __future__ import annotations

from collections import Counter

import pytest

from socialcli.synth.sentences import KINDS, draw_sentences
from socialcli.synth.settings import stream
from socialcli.synth.story import Story, draw_story


def stories(speakers: int = 4, turns: int = 1, count: int = 200) -> list[Story]:
    return [draw_story(speakers, turns, stream(5, index, "story")) for index in range(count)]


def test_every_speaker_has_as_many_lines_as_there_are_turns() -> None:
    for story in stories(turns=2, count=20):
        assert Counter(line.speaker for line in story.lines) == dict.fromkeys(range(4), 2)


def test_any_speaker_is_any_person_and_speaks_at_any_place() -> None:
    casts = Counter((speaker, person) for story in stories() for speaker, person in enumerate(story.cast))
    places = Counter((line.speaker, place) for story in stories() for place, line in enumerate(story.lines))
    for counts in (casts, places):
        assert len(counts) == 16
        assert all(abs(count - 50) < 5 * 50**0.5 for count in counts.values())


@pytest.mark.parametrize("count", [3, 4, 8, 32])
def test_sentences_are_of_all_kinds_and_none_occurs_twice(count: int) -> None:
    sentences = draw_sentences(count, stream(0, count, "story"))
    kinds = Counter(sentence.kind for sentence in sentences)
    assert len(sentences) == len({sentence.text for sentence in sentences}) == count
    assert set(kinds) == set(KINDS)
    assert max(kinds.values()) - min(kinds.values()) <= 1


def test_the_span_is_the_pronoun_or_the_name_and_no_name_recurs() -> None:
    marked: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for sentence in draw_sentences(32, stream(0, 0, "story")):
        assert not set("[]{}") & set(sentence.text)
        if sentence.span is not None:
            marked[sentence.kind].append(sentence.text[slice(*sentence.span)])
    assert set(marked["coref"]) == {"they", "them"}
    assert len(set(marked["mentioned"])) == len(marked["mentioned"]) >= 10
    assert all(name.istitle() for name in marked["mentioned"])
    assert marked["target"] == []
