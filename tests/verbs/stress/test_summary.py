"""What a stress test prints at its end."""

from __future__ import annotations

import re

from socialcli.verbs.stress.summary import summary_lines

from .answers import one_episode, shares, spread, stress_of, table


def cells(line: str) -> list[str]:
    return re.split(r"\s{2,}", line)


def test_a_table_then_a_sentence_for_each_kind() -> None:
    rows = table(spread(shares(0.4, 0.8, 0.6, 0.4)))
    stress = stress_of(rows)
    title, head, *lines = summary_lines(stress, rows).splitlines()
    assert title.startswith("accuracy with annotation errors, task target; ")
    assert title.endswith("; vs level 0: over the annotation as it is")
    assert cells(head) == [
        *("kind", "level", "n", "aligned", "95% interval", "plain", "gain", "95% interval", "p"),
        *("vs level 0", "p"),
    ]
    assert [cells(line)[1:4] for line in lines[:3]] == [
        ["0", "80", "80.0%"],
        ["0.5", "80", "60.0%"],
        ["1", "80", "40.0%"],
    ]
    assert [(cells(line)[6], cells(line)[9]) for line in lines[:3]] == [
        ("+40.0", "+0.0"),
        ("+20.0", "-20.0"),
        ("+0.0", "-40.0"),
    ]
    assert lines[3:] == ["", stress.limits[0].sentence]


def test_a_single_episode_has_a_dash_for_each_interval() -> None:
    rows = one_episode(shares(0.2, 0.8, 0.2, 0.2))
    _, _, *lines = summary_lines(stress_of(rows), rows).splitlines()
    assert [(cells(line)[4], cells(line)[7]) for line in lines[:3]] == [("-", "-")] * 3
