"""Each broken adapter fails in the check that names its fault, and in no check that has nothing to do with it."""

from __future__ import annotations

import pytest

from socialcli.conformance.checks import CHECKS
from socialcli.conformance.suite import findings
from socialcli.models.contract import LoadOptions

from ..conftest import SAMPLE, tiny_model
from .broken import FAULTS, Fault

SLOW = {"grid", "generate", "save-load", "lora", "cost"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.adapter.__name__)
def test_a_fault_fails_the_check_that_names_it(fault: Fault) -> None:
    sound = tiny_model(fault.family)
    broken = fault.adapter(sound.spec, sound.model, sound.processor)
    checks = {one.name for one in CHECKS} - SLOW | {fault.check} | fault.others
    found = list(findings(broken, LoadOptions(str(SAMPLE / "checkpoints" / fault.family)), checks))
    failed = [one for one in found if one.status == "failed"]
    assert {one.check for one in failed} == {fault.check} | fault.others
    first = next(one for one in failed if one.check == fault.check)
    assert first.case == fault.case
    assert fault.detail in first.detail
