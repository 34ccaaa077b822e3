from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from socialcli.agreement.places import centre_inside, intersection_over_union

from .samples import Place, amounts, an_episode

PLACES: list[Place] = [(time / 5, who, x) for time in range(10) for who, x in (("anna", 0.0), ("ben", 300.0))]


def moved(places: list[Place], **shift: float) -> list[Place]:
    return [(time, who, x + shift.get(who, 0.0)) for time, who, x in places]


def test_the_overlap_of_boxes() -> None:
    box = np.array([[[0.0, 0.0, 10.0, 10.0]]])
    others = np.array([[[0.0, 0, 10, 10]], [[5, 0, 15, 10]], [[10, 0, 20, 10]], [[0, 0, 10, 5]], [[np.nan] * 4]])
    assert intersection_over_union(box, others)[0, :, 0] == pytest.approx([1, 1 / 3, 0, 0.5, np.nan], nan_ok=True)


def test_the_centre_is_that_of_the_smaller_box() -> None:
    person = np.array([[[0.0, 0.0, 10.0, 100.0]]])
    faces = np.array([[[2.0, 5, 8, 15]], [[9.0, 5, 15, 15]], [[np.nan] * 4]])
    for a, b in ((person, faces), (faces, person)):
        assert centre_inside(a, b).ravel().tolist() == [True, False, False]


def test_boxes_of_the_right_person_are_counted_by_their_overlap() -> None:
    # 20 of 100 pixels off: 80 / 120. 60 off: 40 / 160, and the centre is outside.
    other = moved(PLACES, anna=20.0, ben=60.0)
    found = amounts(an_episode(places=PLACES), an_episode(places=other))
    assert found["boxes_right"] == (10.0, 20.0)
    assert found["boxes_centred"] == (10.0, 20.0)
    assert found["boxes_missing"] == (10.0, 20.0)  # ben's boxes are at no place of his, so he is nobody
    assert found["people_missed"] == (1.0, 2.0) and found["people_false"] == (1.0, 2.0)
    found = amounts(an_episode(places=PLACES), an_episode(places=other), match="id")
    assert found["boxes_missing"] == (0.0, 20.0)
    assert found["mean_iou"] == (pytest.approx(10 * (80 / 120) + 10 * (40 / 160)), 20.0)
    assert amounts(an_episode(places=PLACES), an_episode(places=other), least_iou=0.7)["boxes_right"] == (0.0, 20.0)


def test_faces_against_people_are_counted_by_their_centres() -> None:
    person = [(time, who, x) for time, who, x in PLACES]
    reference, other = an_episode(places=person), an_episode(places=person)
    faces = tuple(type(box)(box.speaker, box.time, box.x0 + 40, 0.0, box.x0 + 60, 20.0) for box in other.boxes)
    found = amounts(reference, replace(other, boxes=faces))
    assert found["boxes_right"] == (0.0, 20.0)
    assert found["boxes_centred"] == (20.0, 20.0)
    assert found["people_missed"] == (0.0, 2.0)


def test_swapped_tracks_have_the_wrong_identity_by_id_alone() -> None:
    other = [(time, {"anna": "ben", "ben": "anna"}[who], x) for time, who, x in PLACES]
    found = amounts(an_episode(places=PLACES), an_episode(places=other), match="id")
    assert found["boxes_right"] == (0.0, 20.0) and found["boxes_identity"] == (0.0, 20.0)
    assert found["idf1"] == (0.0, 20.0) and found["mota"] == (20.0, 20.0)
    found = amounts(an_episode(places=PLACES), an_episode(places=other))
    assert found["boxes_right"] == (20.0, 20.0) and found["idf1"] == (20.0, 20.0)


def test_boxes_at_other_times_count_within_the_gap() -> None:
    sparse = [(time, who, x) for time, who, x in PLACES if time in (0.0, 1.0)]
    assert amounts(an_episode(places=PLACES), an_episode(places=sparse))["boxes_right"] == (20.0, 20.0)
    found = amounts(an_episode(places=PLACES), an_episode(places=sparse), box_gap=0.5)
    # 0.2 and 0.4 s are within half a second of 0 s, 0.6 and 0.8 s of 1 s, 1.2 and 1.4 s too; 1.6 and 1.8 s are not.
    assert found["boxes_right"] == (16.0, 20.0) and found["boxes_missing"] == (4.0, 20.0)


def test_a_file_without_boxes_has_all_of_them_missing() -> None:
    found = amounts(an_episode(places=PLACES), an_episode([(0.0, 1.0, "x")]))
    assert found["boxes_missing"] == (20.0, 20.0) and found["mota"] == (0.0, 20.0)
    found = amounts(an_episode([(0.0, 1.0, "x")]), an_episode(places=PLACES))
    assert found["boxes_missing"] == (0.0, 0.0) and found["mota"] == (0.0, 0.0)


def test_many_moments_are_counted_in_blocks() -> None:
    many = [(time / 10, who, x) for time in range(1000) for who, x in (("anna", 0.0), ("ben", 300.0))]
    found = amounts(an_episode(places=many), an_episode(places=moved(many, anna=1.0)))
    assert found["boxes_right"] == (2000.0, 2000.0) and found["mota"] == (2000.0, 2000.0)
