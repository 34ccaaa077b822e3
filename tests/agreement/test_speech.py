from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.agreement.measures import Amounts

from .samples import Line, amounts, an_episode

REFERENCE: list[Line] = [(0.0, 10.0, "anna"), (10.0, 20.0, "ben"), (18.0, 24.0, "anna")]


def errors(reference: list[Line], other: list[Line], **criteria: object) -> tuple[dict[str, float], Amounts]:
    """The parts of the diarization error rate in seconds, "of" the speech."""
    found = amounts(an_episode(reference), an_episode(other), **criteria)
    parts = {name: found[f"der_{name}"][0] for name in ("missed", "false_alarm", "confusion")}
    assert found["der"][0] == pytest.approx(sum(parts.values()))
    return {**parts, "of": found["der"][1]}, found


def test_names_do_not_matter_unless_ids_are_taken() -> None:
    other = [(0.0, 10.0, "x"), (10.0, 20.0, "y"), (18.0, 24.0, "x")]
    found, every = errors(REFERENCE, other, collar=0.0)
    assert found == {"missed": 0, "false_alarm": 0, "confusion": 0, "of": 26}
    assert every["jer"] == (0.0, 2.0)
    by_id, every = errors(REFERENCE, other, collar=0.0, match="id")
    assert by_id == {"missed": 0, "false_alarm": 0, "confusion": 26, "of": 26}
    assert every["jer"] == (2.0, 2.0)


def test_each_second_is_missed_false_or_confused() -> None:
    # 0-8 right, 8-10 given to ben, 10-12 missed, 12-18 right, 18-20 overlap: one of two missed, 24-25 false.
    other: list[Line] = [(0.0, 8.0, "x"), (8.0, 10.0, "y"), (12.0, 20.0, "y"), (20.0, 25.0, "x")]
    found, every = errors(REFERENCE, other, collar=0.0)
    assert found == pytest.approx({"missed": 4, "false_alarm": 1, "confusion": 2, "of": 26})
    # anna speaks 0-10, 18-24 (16 s), x 0-8, 20-25 (13 s): 12 s shared of 17; ben and y: 8 s shared of 12.
    assert every["jer"] == (pytest.approx((1 - 12 / 17) + (1 - 8 / 12)), 2.0)


def test_the_collar_leaves_out_both_sides_of_a_boundary_of_the_reference() -> None:
    # Late by 0.2 s everywhere: within the collar nothing is an error, and 2 x 0.25 s of each boundary do not count.
    late: list[Line] = [(start + 0.2, end + 0.2, who) for start, end, who in REFERENCE]
    found, _ = errors(REFERENCE, late, collar=0.25)
    # Speech less what lies within 0.25 s of 0, 10, 18, 20 and 24; about 18 one and then two people speak, about 20 two
    # and then one, and about 10 always one.
    assert found == pytest.approx({"missed": 0, "false_alarm": 0, "confusion": 0, "of": 26 - 0.25 - 0.5 - 1.5 - 0.25})
    found, _ = errors(REFERENCE, late, collar=0.0)
    assert found["confusion"] == pytest.approx(0.2)  # after 10 s
    assert found["missed"] == pytest.approx(0.4)  # after 0 and 18 s
    assert found["false_alarm"] == pytest.approx(0.4)  # after 20 and 24 s


def test_speech_without_a_speaker_is_nobodys_voice() -> None:
    found, _ = errors([(0.0, 4.0, "anna")], [(0.0, 3.0, "x"), (3.0, 5.0, None)], collar=0.0)
    assert found == pytest.approx({"missed": 0, "false_alarm": 1, "confusion": 1, "of": 4})


def test_time_in_which_the_reference_does_not_know_who_speaks_is_left_out() -> None:
    found, _ = errors([(0.0, 4.0, "anna"), (5.0, 9.0, None)], [(0.0, 4.0, "x"), (5.0, 9.0, "y")], collar=0.0)
    assert found == pytest.approx({"missed": 0, "false_alarm": 0, "confusion": 0, "of": 4})


def test_one_speaker_is_one_voice_however_often_utterances_overlap() -> None:
    found, _ = errors([(0.0, 4.0, "anna")], [(0.0, 3.0, "x"), (2.0, 4.0, "x")], collar=0.0)
    assert found == {"missed": 0, "false_alarm": 0, "confusion": 0, "of": 4}


def test_without_speech_the_total_is_0() -> None:
    found, every = errors([], [(0.0, 1.0, "x")], collar=0.0)
    assert found == {"missed": 0, "false_alarm": 1, "confusion": 0, "of": 0}
    assert every["jer"] == (0.0, 0.0)


def whole_seconds(people: str) -> st.SearchStrategy[list[Line]]:
    line = st.tuples(st.integers(0, 12), st.integers(1, 4), st.sampled_from(people))
    return st.lists(line.map(lambda one: (float(one[0]), float(one[0] + one[1]), one[2])), max_size=8)


@given(reference=whole_seconds("abc"), other=whole_seconds("xyz"))
def test_the_rates_are_those_of_counting_second_by_second_under_every_matching(
    reference: list[Line], other: list[Line]
) -> None:
    def speaking(lines: list[Line], second: int) -> set[str | None]:
        return {who for start, end, who in lines if start <= second < end}

    seconds = [(speaking(reference, second), speaking(other, second)) for second in range(20)]
    expected = {
        "missed": sum(max(len(people) - len(voices), 0) for people, voices in seconds),
        "false_alarm": sum(max(len(voices) - len(people), 0) for people, voices in seconds),
        "confusion": min(
            sum(
                min(len(people), len(voices)) - len({names.get(one) for one in people} & voices)
                for people, voices in seconds
            )
            for names in (dict(zip("abc", order, strict=True)) for order in permutations("xyz"))
        ),
        "of": sum(len(people) for people, _ in seconds),
    }
    assert errors(reference, other, collar=0.0)[0] == pytest.approx(expected)
