"""What holds for every kind of annotation error."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf

import pytest

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.errors import UnknownNameError, UsageError
from socialcli.perturbation.draws import Draws
from socialcli.perturbation.kinds import KINDS, PerturbationKind, find_kind
from socialcli.perturbation.perturbation import Perturbation, perturbed
from tests.conftest import SAMPLE

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@cache
def sample() -> tuple[Episode, ...]:
    files = SAMPLE / "episodes.parquet", SAMPLE / "world" / "episodes.parquet"
    return tuple(row.episode for file in files for row in read_episodes(file) if row.episode is not None)


def with_error(kind: PerturbationKind, level: float, seed: int = 0) -> list[Episode]:
    return [perturbed(episode, Perturbation(kind.name, level, seed)) for episode in sample()]


@every_kind
def test_level_0_is_the_episode_itself(kind: PerturbationKind) -> None:
    assert all(after is before for after, before in zip(with_error(kind, 0), sample(), strict=True))


@every_kind
def test_every_default_level_is_an_error_and_leaves_the_prompt_alone(kind: PerturbationKind) -> None:
    assert len(kind.levels) == 3 and sorted(set(kind.levels)) == list(kind.levels) and kind.levels[0] > 0
    for level in kind.levels:
        found = with_error(kind, level)
        assert found != list(sample())
        for before, after in zip(sample(), found, strict=True):
            words = tuple(replace(line, speaker=None) for line in after.utterances)
            assert words == tuple(replace(line, speaker=None) for line in before.utterances)
            assert replace(after, boxes=before.boxes, utterances=before.utterances) == before


@every_kind
@pytest.mark.parametrize("often", [1, 20])
def test_boxes_stay_in_the_frame(kind: PerturbationKind, often: int) -> None:
    """Also where a level is far beyond the default ones."""
    for episode in with_error(kind, min(kind.highest, kind.levels[-1] * often)):
        for box in episode.boxes:
            assert 0 <= box.x0 <= box.x1 - 1 + 1e-9 and box.x1 <= episode.video.width
            assert 0 <= box.y0 <= box.y1 - 1 + 1e-9 and box.y1 <= episode.video.height


@every_kind
def test_the_seed_and_the_episode_decide_the_draws(kind: PerturbationKind) -> None:
    level = kind.levels[1]
    again, other = with_error(kind, level), with_error(kind, level, seed=1)
    assert with_error(kind, level) == again
    random = kind.name not in ("one-box", "side-by-side")
    assert (other != again) == random
    renamed = [replace(episode, episode_id=f"{episode.episode_id}-2") for episode in sample()]
    found = [perturbed(episode, Perturbation(kind.name, level)) for episode in renamed]
    assert ([(one.boxes, one.utterances) for one in found] != [(one.boxes, one.utterances) for one in again]) == random


# The others depend on all boxes of a moment.
@pytest.mark.parametrize(
    "kind", [one for one in KINDS if one.name not in ("one-box", "side-by-side")], ids=lambda kind: kind.name
)
def test_the_errors_of_a_part_do_not_depend_on_later_parts(kind: PerturbationKind) -> None:
    """So that a question which may not see the end of a clip gets the errors that the others get."""
    for before in sample()[:20]:
        whole = replace(before, video=replace(before.video, end=4.0))  # drift is a share of the clip's length
        part = replace(whole, utterances=whole.utterances[:-1], boxes=whole.boxes[:-8])
        error = Perturbation(kind.name, kind.levels[1])
        found, expected = perturbed(part, error), perturbed(whole, error)
        assert set(found.boxes) <= set(expected.boxes)
        assert found.utterances == expected.utterances[:-1]


def test_draws_are_the_same_in_every_process() -> None:
    """Numbers on record: anybody can repeat the results of a stress test, with any version."""
    assert Draws(3, "box-jitter", "clip/7").uniform("box", "s1", 0.25) == 0.5585524475663127
    assert Draws(0, "one", "é\ud800").uniform() == 0.4440123001355244


def test_draws_are_uniform_and_normal() -> None:
    draws = Draws(0, "kind", "episode")
    uniform = [draws.uniform("part", number) for number in range(4000)]
    normal = [draws.normal("part", number) for number in range(4000)]
    assert all(0 < one < 1 for one in uniform)
    assert sum(uniform) / 4000 == pytest.approx(0.5, abs=0.02)
    assert sum(normal) / 4000 == pytest.approx(0, abs=0.06)
    assert sum(one * one for one in normal) / 4000 == pytest.approx(1, abs=0.1)


def test_an_unknown_kind_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'box-jiter'. Did you mean 'box-jitter'\? Known: box-drift, "):
        Perturbation("box-jiter", 0.1)


@pytest.mark.parametrize("level", [-0.1, 1.5, inf, float("nan")])
def test_a_level_out_of_range_is_an_error_that_gives_the_range(level: float) -> None:
    with pytest.raises(UsageError, match="dropped-boxes: a level is a number from 0 to 1 \\(share of the boxes\\)"):
        Perturbation("dropped-boxes", level)


def test_kinds_without_a_highest_level_take_any_finite_one() -> None:
    find_kind("time-shift").check(100.0)
    with pytest.raises(UsageError, match="time-shift: a level is a number of 0 or more \\(seconds\\), not inf"):
        find_kind("time-shift").check(inf)


def test_there_are_eleven_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) == 11
