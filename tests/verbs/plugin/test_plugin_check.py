"""`socialcli plugin check` as a command: table, JSON, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socialcli.cli import main

from ...conftest import SAMPLE
from ...distributions import Install, site_folder

SHIFTED = """
from dataclasses import replace
from socialcli.plugins.hookspecs import hookimpl
from socialcli_internvl3 import SPEC as BASE

def load(options):
    from socialcli_internvl3.adapter import InternVL3Adapter

    class Shifted(InternVL3Adapter):
        def encode_prompt(self, text, spans, clip):
            encoded = super().encode_prompt(text, spans, clip)
            return replace(encoded, token_spans=tuple(tokens + 1 for tokens in encoded.token_spans))

    return Shifted.load(SPEC, options)

SPEC = replace(BASE, name="shifted", load=load)

@hookimpl
def socialcli_models():
    return [SPEC]
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        yield install


def checked(model: str, *options: str) -> Result:
    return CliRunner().invoke(
        main, ["plugin", "check", model, "--checkpoint", str(SAMPLE / "checkpoints" / "internvl3"), *options]
    )


def test_a_right_adapter_exits_with_0_and_a_table() -> None:
    result = checked("internvl3", "--only", "refusals", "--only", "layers")
    assert result.exit_code == 0, result.stderr
    header, *lines = result.stdout.splitlines()
    assert header.split() == ["CHECK", "CASE", "STATUS", "DETAIL"]
    assert {line.split()[0] for line in lines} == {"refusals", "layers"}
    assert all("  passed  " in line for line in lines)
    assert "passed, 0 failed, 0 skipped" in result.stderr
    assert "GB in float32" in result.stderr


def test_a_plugins_wrong_adapter_exits_with_3_and_says_what_is_wrong(distribution: Install) -> None:
    distribution("acme-shifted", SHIFTED)
    result = checked("shifted", "--only", "spans", "--json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert {(one["check"], one["status"]) for one in found} == {("spans", "failed")}
    assert "its beginning is missing" in found[0]["detail"]
    assert "shifted fails 5 of 5 cases" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("internvl4",), "Did you mean 'internvl3'"),
        (("internvl3", "--only", "span"), "'span' is not one of"),
        (("internvl3", "--checkpoint", "/nowhere"), "/nowhere"),
        (("internvl3", "--device", "cpu", "--device", "cuda"), "--device is given 2 times"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(arguments: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(main, ["plugin", "check", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_option_can_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALCLI_PLUGIN_CHECK_ONLY", "refusals")
    assert {line.split()[0] for line in checked("internvl3").stdout.splitlines()[1:]} == {"refusals"}


def test_help_lists_the_checks() -> None:
    help_text = CliRunner().invoke(main, ["plugin", "check", "--help"]).stdout
    assert "Checks:" in help_text
    assert "alpha-0" in help_text
