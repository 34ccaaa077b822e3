"""The built-in families pass the whole suite."""

from __future__ import annotations

import pytest

from socialcli.conformance.checks import CHECKS
from socialcli.conformance.suite import check_checkpoint
from socialcli.errors import UnknownNameError
from socialcli.plugins.registry import registry

from ..conftest import FAMILIES, SAMPLE

BUILT_IN = [name for name in registry().models() if (SAMPLE / "checkpoints" / name).is_dir()]


@pytest.mark.parametrize("family", BUILT_IN)
def test_a_built_in_family_passes_every_check(family: str) -> None:
    found = check_checkpoint(registry().model(family).item, SAMPLE / "checkpoints" / family)
    assert [one for one in found if one.status == "failed"] == []
    assert {one.check for one in found if one.status == "passed"} == {one.name for one in CHECKS}


def test_the_suite_runs_on_the_families_of_the_other_tests() -> None:
    assert set(FAMILIES) <= set(BUILT_IN)


def test_a_check_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'spans'"):
        check_checkpoint(registry().model("internvl3").item, SAMPLE / "checkpoints" / "internvl3", only=["span"])
