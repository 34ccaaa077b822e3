from __future__ import annotations

import numpy as np

from socialcli.agreement.matching import matched, of_partners

ANNA, BEN = 0, 1
# In the first episode anna is x, in the second y; over both she shares more with x.
WEIGHTS = np.array([[[5.0, 1.0, 0.0], [1.0, 3.0, 0.0]], [[1.0, 3.0, 0.0], [2.0, 1.0, 0.0]]])
PEOPLE, OTHERS = ("anna", "ben"), ("x", "y", "anna")


def test_speakers_are_matched_over_the_recording_by_episode_or_by_id() -> None:
    assert matched(WEIGHTS, PEOPLE, OTHERS, "recording").tolist() == [[0, 1], [0, 1]]
    assert matched(WEIGHTS, PEOPLE, OTHERS, "episode").tolist() == [[0, 1], [1, 0]]
    assert matched(WEIGHTS, PEOPLE, OTHERS, "id").tolist() == [[2, -1], [2, -1]]


def test_the_sum_is_maximal_and_not_only_the_largest_part() -> None:
    weights = np.array([[[10.0, 9.0], [9.0, 0.0]]])  # greedy: 10 + 0
    assert matched(weights, PEOPLE, ("x", "y"), "recording").tolist() == [[1, 0]]


def test_speakers_who_share_nothing_are_no_pair() -> None:
    weights = np.array([[[0.0], [2.0]]])
    assert matched(weights, PEOPLE, ("x",), "recording").tolist() == [[-1, 0]]
    assert matched(np.zeros((1, 2, 0)), PEOPLE, (), "episode").tolist() == [[-1, -1]]


def test_of_pairs_that_share_alike_equal_ids_win() -> None:
    for others in (("ben", "anna"), ("anna", "ben")):
        partners = matched(np.full((1, 2, 2), 3.0), PEOPLE, others, "recording")
        assert [others[place] for place in partners[0]] == ["anna", "ben"]


def test_values_of_partners() -> None:
    assert of_partners(WEIGHTS, np.array([[0, -1], [1, 0]])).tolist() == [[5.0, 0.0], [3.0, 2.0]]
    assert of_partners(WEIGHTS, np.array([[0, 1]])).tolist() == [[5.0, 3.0], [1.0, 1.0]]
    assert of_partners(np.zeros((1, 2, 0)), np.array([[-1, -1]])).tolist() == [[0.0, 0.0]]
