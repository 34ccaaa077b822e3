from __future__ import annotations

import pytest

from socialcli.agreement.measures import MEASURES
from socialcli.agreement.score import EpisodeAgreement
from socialcli.agreement.table import agreement_table, totals
from socialcli.stats.intervals import accuracy_interval, ratio_interval


def an_agreement(name: str, **amounts: tuple[float, float]) -> EpisodeAgreement:
    return EpisodeAgreement(name, "clip.mp4", {one.name: (0.0, 0.0) for one in MEASURES} | amounts, ())


EPISODES = [
    an_agreement("a", utterances_right=(3, 4), der=(1.0, 10.0), mota=(-5, 10)),
    an_agreement("b", utterances_right=(5, 6), der=(9.0, 8.0), mota=(9, 10)),
    an_agreement("c", utterances_right=(0, 0), der=(0.5, 0.0), mota=(0, 0)),
]


def test_totals_come_first_and_add_up() -> None:
    rows = agreement_table(EPISODES)
    assert len(rows) == 4 * len(MEASURES)
    found = {row.measure: row for row in totals(rows)}
    assert [row.episode_id for row in rows[: len(MEASURES)]] == [None] * len(MEASURES)
    right = found["utterances_right"]
    assert (right.value, right.amount, right.total, right.episodes) == (0.8, 8, 10, 2)
    assert (right.ci_low, right.ci_high) == accuracy_interval([(4, 3), (6, 5)])
    der = found["der"]
    assert (der.value, der.total) == (pytest.approx(10.5 / 18), 18)  # false alarms without speech count
    low, high = ratio_interval([(10.0, 1.0), (8.0, 9.0), (0.0, 0.5)]) or (0, 0)
    assert low < 0 < 1 < high
    assert (der.ci_low, der.ci_high) == (0, high)  # an error rate is never below 0, but may exceed 1
    mota = found["mota"]
    assert mota.ci_low is not None and mota.ci_low < 0 and mota.ci_high == 1
    empty = found["jer"]
    assert (empty.value, empty.ci_low, empty.episodes) == (None, None, 0)


def test_each_episode_has_its_rows() -> None:
    rows = [row for row in agreement_table(EPISODES) if row.measure == "utterances_right"][1:]
    assert [(row.episode_id, row.video, row.value, row.episodes, row.ci_low) for row in rows] == [
        ("a", "clip.mp4", 0.75, 1, None), ("b", "clip.mp4", 5 / 6, 1, None), ("c", "clip.mp4", None, 0, None)
    ]  # fmt: skip
