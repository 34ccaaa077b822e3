"""Known errors in the annotation of the sample worlds must be read as what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

import pytest

from socialcli.agreement.annotation import joined_annotation
from socialcli.agreement.criteria import Criteria, Match
from socialcli.agreement.measures import MEASURES
from socialcli.agreement.score import EpisodeAgreement, compare_annotations
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.perturbation.perturbation import Perturbation, perturbed

from ..conftest import SAMPLE
from .samples import an_annotation, an_episode

Figures = dict[str, tuple[float, float]]


@cache
def world() -> tuple[Episode, ...]:
    rows = read_episodes(SAMPLE / "world" / "episodes.parquet")
    return tuple(row.episode for row in rows if row.episode is not None)


def compared(change: Callable[[Episode], Episode], match: Match = "id") -> tuple[Figures, list[Episode]]:
    """The figures of the world against a changed copy, all episodes together, and that copy."""
    copies = [change(episode) for episode in world()]
    episodes: list[EpisodeAgreement] = []
    for episode, copy in zip(world(), copies, strict=True):
        sides = joined_annotation("v", [episode]), joined_annotation("v", [copy])
        episodes += compare_annotations(*sides, Criteria(match)).episodes
    return {
        one.name: (
            sum(episode.amounts[one.name][0] for episode in episodes),
            sum(episode.amounts[one.name][1] for episode in episodes),
        )
        for one in MEASURES
    }, copies


def with_error(kind: str, level: float) -> Callable[[Episode], Episode]:
    return lambda episode: perturbed(episode, Perturbation(kind, level))


def changed_lines(copies: Iterable[Episode]) -> float:
    """The utterances that have another speaker in the copies."""
    return sum(
        line.speaker != other.speaker
        for episode, copy in zip(world(), copies, strict=True)
        for line, other in zip(episode.utterances, copy.utterances, strict=True)
    )


@pytest.mark.parametrize("match", ["recording", "episode", "id"])
def test_a_copy_agrees_in_everything(match: Match) -> None:
    found, _ = compared(lambda episode: episode, match)
    bad = ("wrong", "without", "not_found", "der", "jer", "missing", "missed", "false", "switches")
    for name, (amount, total) in found.items():
        assert total > 0, name
        assert amount == pytest.approx(0.0 if any(word in name for word in bad) else total), name


@pytest.mark.parametrize("match", ["recording", "id"])
def test_wrong_speakers_are_read_as_their_share(match: Match) -> None:
    found, copies = compared(with_error("wrong-speakers", 0.5), match)
    wrong = changed_lines(copies)
    assert 0.4 < wrong / 160 < 0.6
    assert found["utterances_wrong"] == (wrong, 160)
    assert found["utterances_right"] == (160 - wrong, 160)
    assert found["utterances_placed"] == (160 - wrong, 160)
    assert found["boxes_right"] == found["boxes_identity"] == (2560, 2560)
    if match == "id":
        wrong_time = sum(
            line.end - line.start - 0.5  # two collars
            for episode, copy in zip(world(), copies, strict=True)
            for line, other in zip(episode.utterances, copy.utterances, strict=True)
            if line.speaker != other.speaker
        )
        assert found["der_confusion"][0] == pytest.approx(wrong_time)


def test_missing_labels_are_utterances_without_a_speaker() -> None:
    found, copies = compared(with_error("missing-labels", 0.25), "recording")
    assert found["utterances_without_speaker"] == (changed_lines(copies), 160)
    assert found["utterances_wrong"] == (0, 160)
    assert found["utterances_precision"] == (160 - changed_lines(copies), 160 - changed_lines(copies))


def test_people_off_screen_are_false_people() -> None:
    found, copies = compared(with_error("off-screen", 0.5), "recording")
    assert found["utterances_wrong"] == (changed_lines(copies), 160)
    assert found["people_false"][0] == changed_lines(copies)  # each speaks once
    assert found["boxes_right"] == (2560, 2560)


def test_swapped_tracks_show_in_the_boxes_of_ids_and_in_the_place_of_words() -> None:
    by_id, copies = compared(with_error("swapped-tracks", 0.5))
    moved = sum(
        box != other
        for episode, copy in zip(world(), copies, strict=True)
        for box, other in zip(_sorted(episode), _sorted(copy), strict=True)
    )
    assert by_id["boxes_right"] == (2560 - moved, 2560) and 0 < moved < 2560
    assert by_id["utterances_right"] == (160, 160)
    matched, _ = compared(with_error("swapped-tracks", 0.5), "recording")
    assert matched["utterances_placed"] == by_id["utterances_placed"]
    assert matched["utterances_placed"][0] == pytest.approx(160 * (2560 - moved) / 2560)


def test_dropped_and_jittered_boxes_are_less_right() -> None:
    shares = []
    for change in (with_error("dropped-boxes", 0.9), with_error("box-jitter", 0.25), with_error("no-boxes", 0.5)):
        found, copies = compared(change)
        shares.append([found[name][0] / 2560 for name in ("boxes_right", "boxes_missing", "boxes_centred")])
    without = sum(not copy.boxes for copy in copies) / 40
    assert shares[2] == [1 - without, without, 1 - without]
    (dropped, missing, _), (jittered, none_missing, centred) = shares[:2]
    assert 0.1 < missing < 0.9 and dropped + missing <= 1
    assert jittered < 0.7 and none_missing == 0 and centred > 0.95


def test_windows_of_any_length_give_the_same_figures() -> None:
    """Another division of the same annotation: the windows of the reference decide which episode a figure is of."""
    lines = [(2.0 * number, 2.0 * number + 1.5, "ab"[number % 2]) for number in range(30)]
    places = [(0.5 * number, who, 300.0 * place) for number in range(120) for place, who in enumerate("ab")]

    def cut(length: float) -> list[Episode]:
        return [
            an_episode(
                [line for line in lines if start <= line[0] and line[1] <= start + length],
                [place for place in places if start <= place[0] <= start + length],
                start, start + length, f"{length}-{start}",
            )
            for start in (length * step for step in range(int(60 // length)))
        ]  # fmt: skip

    whole, thirds, tenths = an_annotation(*cut(60.0)), an_annotation(*cut(20.0)), an_annotation(*cut(6.0))
    for reference, other, count in ((whole, thirds, 1), (thirds, tenths, 3), (tenths, whole, 10)):
        result = compare_annotations(reference, other, Criteria())
        assert len(result.episodes) == count
        for name, total in (("utterances_right", 30), ("boxes_right", 240), ("mota", 240), ("idf1", 240)):
            amounts = [episode.amounts[name] for episode in result.episodes]
            assert (sum(one for one, _ in amounts), sum(one for _, one in amounts)) == (total, total), name


def test_what_lies_outside_of_the_other_episodes_is_not_counted_but_reported() -> None:
    reference = an_annotation(
        an_episode([(0.0, 1.0, "a"), (5.0, 6.0, "a")], [(0.5, "a", 0.0), (5.5, "a", 0.0), (6.0, "a", 0.0)], 0.0, 9.0)
    )
    result = compare_annotations(reference, an_annotation(an_episode(start=0.0, end=4.0)), Criteria())
    assert (result.utterances_outside, result.boxes_outside) == (1, 2)
    (episode,) = result.episodes
    assert episode.amounts["utterances_not_found"] == (1, 1) and episode.amounts["boxes_missing"] == (1, 1)


def test_people_who_change_their_ids_between_episodes_need_a_matching_of_each() -> None:
    def window(start: float, *names: str) -> Episode:
        lines = [(start + 2 * place, start + 2 * place + 1.5, who) for place, who in enumerate(names)]
        return an_episode(lines, start=start, end=start + 10, name=f"{start}")

    reference = an_annotation(window(0.0, "a", "b"), window(20.0, "a", "b"))
    other = an_annotation(window(0.0, "x", "y"), window(20.0, "y", "x"))
    right = {
        match: sum(
            one.amounts["utterances_right"][0]
            for one in compare_annotations(reference, other, Criteria(match)).episodes
        )
        for match in ("recording", "episode")
    }
    assert right == {"recording": 2, "episode": 4}


def test_boxes_in_frames_of_another_size_are_scaled() -> None:
    whole = an_episode(places=[(1.0, "anna", 0.0), (1.0, "ben", 300.0)])
    half = replace(
        whole,
        video=replace(whole.video, width=500, height=250),
        boxes=tuple(replace(box, x0=box.x0 / 2, x1=box.x1 / 2, y0=0.0, y1=50.0) for box in whole.boxes),
    )
    for reference, other in ((whole, half), (half, whole)):
        result = compare_annotations(an_annotation(reference), an_annotation(other), Criteria())
        assert result.resized and result.episodes[0].amounts["mean_iou"] == (2, 2)
    assert not compare_annotations(an_annotation(half), an_annotation(half), Criteria()).resized
    later = replace(half, episode_id="later", video=replace(half.video, start=0.0))
    assert an_annotation(replace(whole, boxes=()), later).boxes == whole.boxes


def test_who_is_who_is_listed() -> None:
    reference = an_episode([(0.0, 4.0, "anna"), (4.0, 6.0, "ben")], [(1.0, "anna", 0.0), (1.0, "carla", 300.0)])
    other = an_episode([(0.0, 4.0, "x"), (4.0, 6.0, "x")], [(1.0, "x", 0.0)])
    (episode,) = compare_annotations(an_annotation(reference), an_annotation(other), Criteria()).episodes
    assert [(one.speaker, one.partner, one.utterances_right, one.utterances) for one in episode.speakers] == [
        *(("anna", "x", 1, 1), ("ben", None, 0, 1), ("carla", None, 0, 0))
    ]
    assert [(one.boxes_right, one.boxes) for one in episode.speakers] == [(1, 1), (0, 0), (0, 1)]
    assert episode.amounts["people_missed"] == (2, 3)


def _sorted(episode: Episode) -> list[object]:
    return sorted(episode.boxes, key=lambda box: (box.speaker, box.time))
