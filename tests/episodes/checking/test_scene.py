from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.checking.scene import Scene, episode_findings

from ..samples import Record, changed, record

INFINITE = float("inf")


def messages(change: Callable[[Record], object]) -> list[str]:
    return [f"{problem.field}: {problem.message}" for problem in check(changed(change), 1, Seen())]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda r: r["video"].update(end=1.0), "video.end: is 1.0, not after the start at 1.0; "),
        (lambda r: r["video"].update(start=float("nan")), "video.start: is NaN, not a finite number; leave it out"),
        (lambda r: r["video"].update(fps=INFINITE), "video.fps: is Infinity, not a finite number; "),
        (lambda r: r["speakers"].append({"id": "s1"}), 'speakers[3].id: is "s1", the same as that of speakers[0]; '),
        (
            lambda r: r["utterances"][1].update(id="u1"),
            'utterances[1].id: is "u1", the same as that of utterances[0]; ',
        ),
        (
            lambda r: r["utterances"][2].update(speaker="bob"),
            'utterances[2].speaker: "bob" is not a speaker of the episode ("s1", "s2", "s3"); ',
        ),
        (lambda r: r["utterances"][2].update(start=9.5, end=9), "utterances[2].end: is 9, before the start at 9.5; "),
        (
            lambda r: r["utterances"][2].update(start=2.0),
            "utterances[2].start: is 2.0, but an utterance above it starts at 2.5; put them in order",
        ),
        (lambda r: r["utterances"][0].update(start=0.5), "utterances[0].start: is 0.5, before the clip begins at 1.0"),
        (lambda r: r["utterances"][2].update(end=9.6), "utterances[2].end: is 9.6, after the clip ends at 9.5; "),
        (lambda r: r["utterances"][2].update(end=INFINITE), "utterances[2].end: is Infinity, not a finite number; "),
        (lambda r: r["utterances"][2].update(end=10**400), "utterances[2].end: is 1000000"),
        (lambda r: r["boxes"][1].update(speaker="bob"), 'boxes[1].speaker: "bob" is not a speaker of the episode'),
        (lambda r: r["boxes"][1].update(time=0.9), "boxes[1].time: is 0.9, before the clip begins at 1.0; "),
        (lambda r: r["boxes"][1].update(time=9.6), "boxes[1].time: is 9.6, after the clip ends at 9.5; "),
        (lambda r: r["boxes"][1].update(x1=float("nan")), "boxes[1].x1: is NaN, not a finite number; "),
        (lambda r: r["boxes"][1].update(x0=100.5), "boxes[1].x0: is 100.5, not less than x1 at 100.5; "),
        (lambda r: r["boxes"][1].update(y1=0), "boxes[1].y0: is 0, not less than y1 at 0; "),
        (lambda r: r["boxes"][1].update(x0=-1), "boxes[1].x0: is -1, outside the frame (0 to 640); clip the box"),
        (lambda r: r["boxes"][1].update(y1=361), "boxes[1].y1: is 361, outside the frame (0 to 360); clip the box"),
    ],
)
def test_a_contradiction_of_the_episode_is_found_alone(change: Callable[[Record], object], expected: str) -> None:
    [message] = messages(change)
    assert message.startswith(expected)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: None,
        lambda r: r["video"].update(start=None, end=None),
        lambda r: r["video"].pop("end"),
        lambda r: r["boxes"][0].update(time=1.0 - 1e-9),
        lambda r: r["boxes"][2].update(x1=640 + 1e-9),
        lambda r: r.update(boxes=[], questions=[]),
        lambda r: r.update(dataset=None, split=None),
    ],
)
def test_a_correct_episode_has_no_problem(change: Callable[[Record], object]) -> None:
    assert messages(change) == []


def test_times_are_not_held_against_a_window_that_is_itself_wrong() -> None:
    assert len(messages(lambda r: r["video"].update(start=9.0, end=2.0))) == 1


NUMBERS = st.one_of(st.floats(), st.integers(-2, 700), st.sampled_from([0, 1.0, 9.5, 640, 360.0, 10**400]))


@given(st.fixed_dictionaries(dict.fromkeys(("time", "x0", "y0", "x1", "y1"), NUMBERS)))
def test_the_fast_test_of_a_box_finds_what_the_slow_one_explains(numbers: dict[str, Any]) -> None:
    from socialcli.episodes.checking.scene import _box_findings, _is_good

    scene, box = Scene.of(record()), {"speaker": "s1", **numbers}
    assert _is_good(box, scene) is (not list(_box_findings(box, scene)))
    assert bool(list(episode_findings({**record(), "boxes": [box]}, scene))) is not _is_good(box, scene)
