from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from socialcli.schemas import SCHEMA_NAMES, load_schema
from socialcli.verbs.schema.command import command


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_the_schema_is_printed_as_it_is(name: str) -> None:
    result = CliRunner().invoke(command, [name])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == load_schema(name)


def test_another_name_is_a_usage_error_that_lists_the_names() -> None:
    result = CliRunner().invoke(command, ["accuracy"])
    assert result.exit_code == 2
    assert all(name in result.output for name in SCHEMA_NAMES)
