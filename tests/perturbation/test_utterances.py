"""Each error in who says what does what its name says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import mean

import pytest

from socialcli.episodes.records import Episode, Speaker, Utterance, Video
from socialcli.perturbation.perturbation import Perturbation, perturbed

PEOPLE = ("a", "b", "c")
KINDS = ("wrong-speakers", "off-screen", "missing-labels")


def episode() -> Episode:
    """A conversation in which every tenth utterance has no known speaker."""
    lines = tuple(
        Utterance(f"u{index}", index, index + 0.9, "words", None if index % 10 == 9 else PEOPLE[index % 3])
        for index in range(900)
    )
    return Episode("e", Video("clip.mp4", 640, 360), tuple(map(Speaker, PEOPLE)), lines, (), ())


def speakers(kind: str, level: float, of: Episode | None = None) -> list[str | None]:
    return [line.speaker for line in perturbed(of or episode(), Perturbation(kind, level)).utterances]


BEFORE = [line.speaker for line in episode().utterances]


def changed(kind: str, level: float) -> set[int]:
    found = speakers(kind, level)
    return {index for index, (a, b) in enumerate(zip(BEFORE, found, strict=True)) if a != b}


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_the_known_speakers_changes_and_nests(kind: str) -> None:
    found = [changed(kind, level) for level in (0.1, 0.5, 0.9, 1.0)]
    assert all(lower < higher for lower, higher in pairwise(found))
    assert [len(one) / 810 for one in found] == pytest.approx([0.1, 0.5, 0.9, 1.0], abs=0.06)
    assert not any(BEFORE[index] is None for one in found for index in one)


def test_a_wrong_speaker_is_any_other_one() -> None:
    found = speakers("wrong-speakers", 1.0)
    taken_by_b = [after == "b" for before, after in zip(BEFORE, found, strict=True) if before == "a"]
    assert mean(taken_by_b) == pytest.approx(0.5, abs=0.1)
    assert {after for before, after in zip(BEFORE, found, strict=True) if before == "c"} == {"a", "b"}


def test_the_only_speaker_stays() -> None:
    alone = replace(episode(), speakers=(Speaker("a"),), utterances=(Utterance("u", 0, 1, "words", "a"),))
    assert speakers("wrong-speakers", 1.0, alone) == ["a"]


def test_somebody_off_screen_has_an_id_of_nobody() -> None:
    odd = replace(episode(), speakers=(Speaker("a"), Speaker("a (off screen)")), utterances=episode().utterances[:1])
    (name,) = speakers("off-screen", 1.0, odd)
    assert name is not None and name not in {speaker.id for speaker in odd.speakers}


def test_missing_labels_are_unknown_speakers() -> None:
    assert set(speakers("missing-labels", 1.0)) == {None}
