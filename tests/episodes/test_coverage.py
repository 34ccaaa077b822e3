"""Which utterances are near a box of their speaker, how that adds up, and what is said of it."""

from __future__ import annotations

import unicodedata
from fractions import Fraction

import pytest

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.episode import EpisodeCoverage, annotated_coverage, spelling_variants
from socialcli.episodes.coverage.messages import check_min_coverage, coverage_line, coverage_warning
from socialcli.episodes.coverage.record import MOST_NAMES, Coverage, is_below, parse_min_coverage
from socialcli.episodes.records import Box, Episode, Speaker, Utterance, Video
from socialcli.errors import InvalidInputError, UsageError

Said = tuple[str | None, float, float]
Seen = tuple[str, float]


def episode(said: list[Said], seen: list[Seen], name: str = "e", **video: float) -> Episode:
    people = dict.fromkeys([who for who, *_ in said if who is not None] + [who for who, _ in seen])
    lines = [Utterance(f"u{n}", start, end, "words", who) for n, (who, start, end) in enumerate(said)]
    boxes = [Box(who, time, 0, 0, 10, 10) for who, time in seen]
    clip = Video("clip.mp4", 640, 360, **video)
    return Episode(name, clip, tuple(map(Speaker, people)), tuple(lines), tuple(boxes), ())


def coverage(*episodes: Episode, reached: list[tuple[str, int, int]] | None = None) -> Coverage:
    counter = CoverageCounter()
    for one in episodes:
        counter.add(annotated_coverage(one))
    for name, utterances, covered in reached or ():
        counter.add_prompt(name, utterances, covered)
    return counter.total()


UNMATCHED = episode([("anna", 0, 1), ("ben", 1, 2)], [("person_1", 0.5), ("person_2", 1.5)])


def test_speakers_and_boxes_of_different_labels() -> None:
    found = annotated_coverage(UNMATCHED)
    assert (found.utterances, found.near, found.unknown, found.boxes) == (2, 0, 0, 2)
    assert found.without_box == ("anna", "ben") and found.without_speaker == ("person_1", "person_2")


@pytest.mark.parametrize(("time", "near"), [(1.0, 1), (0.999, 0), (2.5, 1), (4.0, 1), (4.001, 0)])
def test_a_box_counts_up_to_the_gap_before_and_behind_the_utterance(time: float, near: int) -> None:
    found = annotated_coverage(episode([("a", 2, 3)], [("a", time)]))
    assert found.near == near
    assert found.elsewhere == (() if near else ("a",)) and found.without_box == ()


def test_the_gap_may_be_rounded() -> None:
    assert annotated_coverage(episode([("a", 2.2, 3)], [("a", 1.2)])).near == 1  # 2.2 - 1.2 is a little more than 1


def test_another_gap() -> None:
    one = episode([("a", 2, 3)], [("a", 8.0)])
    assert [annotated_coverage(one, gap).near for gap in (1.0, 5.0, 0.0)] == [0, 1, 0]


def test_a_speaker_who_is_never_on_screen() -> None:
    found = annotated_coverage(episode([("a", 0, 1), ("narrator", 1, 2), ("a", 2, 3)], [("a", 0.0), ("a", 2.0)]))
    assert (found.near, found.utterances) == (2, 3)
    assert found.without_box == ("narrator",) and found.without_speaker == ()


def test_boxes_outside_of_the_clip_are_none() -> None:
    found = annotated_coverage(episode([("a", 10, 11)], [("a", 9.5), ("a", 12.5)], start=10.0, end=12.0))
    assert (found.boxes, found.near, found.without_box) == (0, 0, ("a",))


def test_who_is_not_known_has_no_box() -> None:
    found = annotated_coverage(episode([(None, 0, 1), ("a", 0, 1)], [("a", 0.5)]))
    assert (found.utterances, found.unknown, found.near) == (2, 1, 1)


def test_many_boxes_cost_little() -> None:
    """Two hours with a box in every frame and an utterance every second: a scan of all boxes for each takes minutes."""
    seen = [("a", 0.04 * n) for n in range(180_000)]
    found = annotated_coverage(episode([("a", float(n), n + 1.0) for n in range(7200)], seen))
    assert found.near == 7200


@pytest.mark.parametrize(
    ("spoken", "boxed"),
    [
        ("anna", "Anna"),
        (unicodedata.normalize("NFC", "José"), unicodedata.normalize("NFD", "José")),
        ("speaker 1", "SPEAKER  1 "),
        ("ＡＮＮＡ", "anna"),
        ("Straße", "STRASSE"),
    ],
)
def test_labels_that_differ_only_in_spelling_are_named(spoken: str, boxed: str) -> None:
    assert spelling_variants([spoken, "else"], [boxed, "other"]) == [(spoken, boxed)]
    warning = coverage_warning(coverage(episode([(spoken, 0, 1)], [(boxed, 0.5)])))
    assert warning is not None and f"{spoken!r} and {boxed!r}" in warning


def test_equal_and_different_labels_are_no_misspelling() -> None:
    assert spelling_variants(["anna", "ben"], ["anna", "Benjamin"]) == []


def test_episodes_add_up_and_the_most_frequent_labels_come_first() -> None:
    episodes = [episode([("narrator", 0, 1), (f"s{n}", 1, 2)], [("guest", 1.0)], f"e{n}") for n in range(30)]
    whole = coverage(*episodes, episode([("a", 0, 1)], [("a", 0.5)], "good"))
    assert (whole.episodes, whole.uncovered_episodes, whole.utterances, whole.near_box) == (31, 30, 61, 1)
    assert (whole.speakers_without_box, whole.boxes_without_speaker) == (60, 30)
    assert whole.labels_without_box[0] == "narrator" and len(whole.labels_without_box) == MOST_NAMES
    assert whole.labels_without_speaker == ("guest",)
    assert whole.uncovered_episode_ids == tuple(f"e{n}" for n in range(MOST_NAMES))
    assert not whole.is_zero and coverage_warning(whole) is None
    assert Coverage.from_record(whole.as_record()) == whole


def test_of_an_episode_the_prompt_with_the_most_utterances_counts() -> None:
    whole = coverage(
        episode([("a", 0, 1)] * 4, [("a", 0.5)], "one"),
        episode([("a", 0, 1)] * 2, [("a", 0.5)], "two"),
        reached=[("one", 2, 2), ("one", 4, 3), ("one", 3, 3), ("two", 2, 0)],
    )
    assert (whole.prompt_utterances, whole.covered_utterances) == (6, 3)
    assert whole.uncovered_episode_ids == ("two",)
    assert "3 of 6 utterances (50.0%) with a visual token of the speaker" in coverage_line(whole)
    assert "episodes without any: 1 of 2 (two)" in coverage_line(whole)


def test_the_sums_can_be_asked_for_more_than_once() -> None:
    counter = CoverageCounter()
    counter.add_prompt("one", 2, 0)
    assert counter.total() == counter.total()
    counter.add_prompt("one", 3, 1)
    assert (counter.total().prompt_utterances, counter.total().covered_utterances) == (3, 1)
    counter.add_prompt("two", None, None)
    assert counter.total().prompt_utterances == 3


def test_the_warning_names_the_labels_on_both_sides() -> None:
    warning = coverage_warning(coverage(UNMATCHED))
    assert warning is not None
    assert warning.startswith("nothing can be aligned: 0 of 2 utterances")
    assert "speakers without a box: 2 (anna, ben)" in warning
    assert "boxes of people who say nothing: 2 (person_1, person_2)" in warning
    assert "--labels" in warning and warning.endswith("episodes without any: 1 of 1 (e)")


def test_other_reasons_are_named() -> None:
    reasons = {
        "there are no boxes": episode([("a", 0, 1)], []),
        "2 without a known speaker": episode([(None, 0, 1), (None, 1, 2)], [("a", 0.5)]),
        "speakers with boxes at other times only: 1 (a)": episode([("a", 0, 1)], [("a", 25.0)]),
        "the episodes have no utterances": episode([], [("a", 0.5)]),
    }
    for reason, one in reasons.items():
        warning = coverage_warning(coverage(one))
        assert warning is not None and reason in warning
    unseen = coverage_warning(coverage(episode([("a", 0, 1)], [("a", 0.5)]), reached=[("e", 1, 0)]))
    assert unseen is not None and "--frames" in unseen and "1 have a box within 1 s" in unseen


def test_the_limit() -> None:
    assert parse_min_coverage(" 12.5 %") == Fraction(1, 8)
    for wrong in ("50", "101%", "-1%", "half", "", "5e1%", "50%%"):
        with pytest.raises(UsageError, match="--min-coverage"):
            parse_min_coverage(wrong)
    half = coverage(episode([("a", 0, 1), ("b", 0, 1)], [("a", 0.5)]))
    assert not is_below(half, Fraction(1, 2)) and is_below(half, Fraction(51, 100))
    check_min_coverage(half, "50%")
    check_min_coverage(half, None)
    with pytest.raises(InvalidInputError, match=r"--min-coverage 51%: 1 of 2 utterances .*without a box: 1 \(b\)"):
        check_min_coverage(half, "51%")


def test_nothing_is_below_every_limit_but_0() -> None:
    for one in (UNMATCHED, episode([], [("a", 0.5)])):
        assert is_below(coverage(one), Fraction(1, 1000)) and not is_below(coverage(one), Fraction(0))
    assert not is_below(Coverage(), Fraction(1))  # no episode: there is nothing to be covered


def test_what_is_held_does_not_grow_with_the_episodes() -> None:
    counter = CoverageCounter()
    for number in range(5000):
        counter.add(EpisodeCoverage(f"e{number}", 1, 0, 0, 1, (f"a{number}",), (), (f"b{number}",)))
        counter.add_prompt(f"e{number}", 1, 0)
    assert counter.total().speakers_without_box == 5000
    assert len(counter.without_box.kinds) < 5000 and len(counter.far.first) == MOST_NAMES
