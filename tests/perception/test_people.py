from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.perception.contract import Detection, Rectangle, Track
from socialcli.perception.people import Person, box_at, grown, join, standing

BOX = Rectangle(0, 0, 10, 10)
ANNA, BEN = (1.0, 0.1, 0.0), (0.1, 1.0, 0.0)


def track(first: int, last: int, *looks: Sequence[float]) -> Track:
    """A track whose first detections have these looks, turned into vectors of length 1."""
    vectors: list[npt.NDArray[np.float32]] = [np.float32(one) / np.float32(np.linalg.norm(one)) for one in looks]
    found = {number: Detection(BOX, 0.9) for number in range(first, last + 1)}
    return Track(found | {first + k: Detection(BOX, 0.9, embedding=vector) for k, vector in enumerate(vectors)})


def spans(people: Sequence[Person]) -> list[list[tuple[int, int]]]:
    return [[(one.first, one.last) for one in person.tracks] for person in people]


def test_tracks_with_the_same_looks_are_one_person() -> None:
    tracks = [track(0, 9, ANNA, (1.0, 0.2, 0.1)), track(0, 9, BEN), track(20, 29, BEN), track(12, 18, ANNA)]
    people = join(tracks)
    assert spans(people) == [[(0, 9), (12, 18)], [(0, 9), (20, 29)]]
    assert list(people[0].detections) == [*range(10), *range(12, 19)]


def test_two_tracks_at_the_same_time_are_two_people_whatever_they_look_like() -> None:
    assert spans(join([track(0, 9, ANNA), track(5, 14, ANNA)])) == [[(0, 9)], [(5, 14)]]
    assert spans(join([track(0, 9, ANNA), track(9, 14, ANNA)])) == [[(0, 9)], [(9, 14)]]
    # Nor does a third track join them, which is like both, and more like one.
    sisters = [track(0, 9, ANNA), track(5, 14, (1.0, 0.65, 0.0)), track(20, 29, ANNA)]
    assert spans(join(sisters)) == [[(0, 9), (20, 29)], [(5, 14)]]


def test_who_could_be_either_of_two_people_is_neither() -> None:
    uniforms = [track(0, 9, (1.0, 0.01 * k)) for k in range(6)] + [track(12, 19, (1.0, 0.01 * k)) for k in range(6)]
    assert [len(person.tracks) for person in join(uniforms)] == [1] * 12
    # Somebody in other clothes among them is recognized all the same.
    people = join([*uniforms, track(0, 9, (0.1, 1.0)), track(12, 19, (0.12, 1.0))])
    assert sorted(len(person.tracks) for person in people) == [1] * 12 + [2]


def test_below_the_least_likeness_tracks_stay_apart() -> None:
    tracks = [track(0, 9, (1.0, 0.0)), track(10, 19, (1.0, 0.7))]  # cosine 0.82
    assert len(join(tracks)) == 2
    assert len(join(tracks, least=0.8)) == 1


def test_tracks_without_looks_stay_alone() -> None:
    assert spans(join([track(0, 4), track(6, 9), track(10, 19, ANNA)])) == [[(0, 4)], [(6, 9)], [(10, 19)]]
    assert join([]) == ()


def test_many_tracks_are_joined_in_no_time() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, (1000, 3))
    tracks = [track(20 * k, 20 * k + 9, np.add((ANNA, BEN)[k % 2], noise[k])) for k in range(1000)]
    assert [len(person.tracks) for person in join(tracks)] == [500, 500]


def test_a_track_is_between_its_detections_on_a_line() -> None:
    moving = Track({4: Detection(Rectangle(0, 0, 10, 20), 0.9), 8: Detection(Rectangle(40, 0, 60, 20), 0.9)})
    assert box_at(moving, 5) == Rectangle(10, 0, 22.5, 20)
    assert box_at(moving, 8) == Rectangle(40, 0, 60, 20)
    assert box_at(moving, 3.9) is None and box_at(moving, 8.1) is None


def test_a_face_grows_to_head_and_shoulders_inside_the_frame() -> None:
    face = Rectangle(100, 100, 140, 140)
    assert grown(face, 640, 360, factor=3) == Rectangle(60, 80, 180, 200)
    assert grown(face, 640, 360, factor=1) == face
    assert grown(face, 150, 150, factor=3) == Rectangle(60, 80, 150, 150)
    with pytest.raises(ValueError, match=r"the factor is 0\.5"):
        grown(face, 640, 360, factor=0.5)


def test_a_standing_person_reaches_from_the_hair_to_the_feet() -> None:
    assert standing(Rectangle(100, 100, 140, 140), 640, 480) == Rectangle(50, 80, 190, 420)
    assert standing(Rectangle(100, 100, 140, 140), 640, 360).y1 == 360
