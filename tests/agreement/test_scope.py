from __future__ import annotations

import pytest

from socialcli.agreement.scope import common_scope

from .samples import an_annotation, an_episode


def test_time_belongs_to_the_first_window_and_only_where_both_files_have_one() -> None:
    reference = an_annotation(an_episode(start=0.0, end=10.0, name="a"), an_episode(start=8.0, end=20.0, name="b"))
    other = an_annotation(an_episode(start=5.0, end=12.0), an_episode(start=15.0, end=30.0))
    scope = common_scope(reference, other)
    assert scope.episode_ids == ("a", "b")
    assert scope.owners_at([4.9, 5.0, 9.0, 10.0, 12.0, 13.0, 15.0, 20.0, 20.1]).tolist() == [
        *(-1, 0, 0, 1, 1, -1, 1, 1, -1)
    ]


def test_an_episode_without_limits_covers_everything() -> None:
    scope = common_scope(an_annotation(an_episode()), an_annotation(an_episode(start=2.0, end=3.0)))
    assert scope.owners_at([1.9, 2.5, 3.0, 3.1]).tolist() == [-1, 0, 0, -1]
    scope = common_scope(an_annotation(an_episode()), an_annotation(an_episode()))
    assert scope.owners_at([-5.0, 1e9]).tolist() == [0, 0]


@pytest.mark.parametrize("late", [4.0, 100.0])
def test_without_common_time_no_moment_is_compared(late: float) -> None:
    scope = common_scope(
        an_annotation(an_episode(start=0.0, end=3.0)), an_annotation(an_episode(start=late, end=late + 1))
    )
    assert set(scope.owners.tolist()) == {-1}
