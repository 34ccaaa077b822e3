"""The built-in families pass the whole suite."""

from __future__ import annotations

import pytest

from socialcli.conformance.checks import CHECKS
from socialcli.conformance.suite import check_checkpoint
from socialcli.errors import UnknownNameError

from ..conftest import SAMPLE, tiny_model


def test_a_built_in_family_passes_every_check(family: str) -> None:
    found = check_checkpoint(tiny_model(family).spec, SAMPLE / "checkpoints" / family)
    assert [one for one in found if one.status == "failed"] == []
    assert {one.check for one in found if one.status == "passed"} == {one.name for one in CHECKS}


def test_a_check_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'spans'"):
        check_checkpoint(tiny_model("internvl3").spec, SAMPLE / "checkpoints" / "internvl3", only=["span"])
