from __future__ import annotations

import numpy as np

from socialcli.agreement.tracking import corresponding

from .samples import Place, amounts, an_episode


def figures(reference: list[Place], other: list[Place]) -> dict[str, float]:
    found = amounts(an_episode(places=reference), an_episode(places=other), box_gap=0.0)
    named = {"missed": "mota_missed", "false": "mota_false", "switches": "identity_switches"}
    counts = {name: found[measure][0] for name, measure in named.items()}
    boxes = found["mota"][1]
    assert found["mota"][0] == boxes - sum(counts.values())
    return counts


def test_a_switch_is_counted_where_a_person_gets_another_track() -> None:
    anna = [(float(time), "anna", 0.0) for time in range(10)]
    split = [(float(time), "x" if time < 6 else "y", 0.0) for time in range(10)]
    assert figures(anna, split) == {"missed": 0, "false": 0, "switches": 1}
    found = amounts(an_episode(places=anna), an_episode(places=split), box_gap=0.0)
    assert found["idf1"] == (6.0, 10.0)  # 2 * 6 / (10 + 10)


def test_a_switch_is_counted_across_a_pause_too() -> None:
    anna = [(float(time), "anna", 0.0) for time in range(10)]
    split = [(float(time), "x" if time < 4 else "y", 0.0) for time in range(10) if time not in (4, 5)]
    assert figures(anna, split) == {"missed": 2, "false": 0, "switches": 1}
    back = [(float(time), "x", 0.0) for time in range(10) if time not in (4, 5)]
    assert figures(anna, back) == {"missed": 2, "false": 0, "switches": 0}


def test_boxes_that_correspond_to_nothing_are_false() -> None:
    anna = [(float(time), "anna", 0.0) for time in range(4)]
    other = [*((float(time), "x", 0.0) for time in range(4)), (2.0, "y", 500.0), (3.0, "y", 500.0)]
    assert figures(anna, other) == {"missed": 0, "false": 2, "switches": 0}


def test_a_correspondence_stays_while_its_boxes_overlap() -> None:
    overlaps = np.array([[0.6, 0.9], [0.0, 0.0]])
    assert corresponding(overlaps, np.array([-1, -1])).tolist() == [1, -1]
    assert corresponding(overlaps, np.array([0, -1])).tolist() == [0, -1]
    assert corresponding(np.array([[0.0, 0.9], [0.0, 0.0]]), np.array([0, -1])).tolist() == [1, -1]


def test_as_many_boxes_as_possible_correspond() -> None:
    # The largest overlap alone would leave the second person without a box.
    assert corresponding(np.array([[0.5, 1.0], [0.0, 0.5]]), np.array([-1, -1])).tolist() == [0, 1]
    chain = np.array([[0.5, 1.0, 0, 0], [0, 0.5, 1.0, 0], [0, 0, 0.5, 1.0], [0, 0, 0, 0.5]])
    assert corresponding(chain, np.full(4, -1)).tolist() == [0, 1, 2, 3]
