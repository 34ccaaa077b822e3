from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

import click
import pytest
from click.testing import CliRunner

from socialcli.errors import UsageError
from socialcli.options.from_settings import setting_options, settings_from
from socialcli.settings.fields import setting, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    lambda_: float = field(default=0.5, metadata=setting(above=0, most=1, aliases=("--lam",), help="A share."))
    size: int | Literal["auto"] = field(default="auto", metadata=setting(least=1, metavar="N|auto", help="A size."))
    pack: int | Literal["all"] = field(default=1, metadata=setting(least=1, help="A number or all."))
    mode: Literal["on", "off"] = field(default="on", metadata=setting(help="A mode."))
    names: tuple[str, ...] = field(default=(), metadata=setting(option="--name", help="Names."))
    root: str | None = field(default=None, metadata=setting(otherwise="here", is_path=True, help="A folder."))
    fast: bool = field(default=False, metadata=setting(help="Fast."))


@click.command()
@setting_options(settings_of(Group), {"mode": {"default": "off"}})
def attempt(**values: object) -> None:
    click.echo(json.dumps(values, default=str))


def values(*args: str) -> dict[str, object]:
    result = CliRunner().invoke(attempt, args)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_defaults_are_those_of_the_fields_but_for_what_a_command_changes() -> None:
    expected = {"lambda_": 0.5, "size": "auto", "pack": 1, "mode": "off", "names": [], "root": None, "fast": False}
    assert values() == expected


def test_values_arrive_by_parameter_and_type() -> None:
    given = values(
        "--lam", "0.25", "--size", "3", "--pack", "all", "--name", "a", "--name", "b", "--root", "x", "--fast"
    )
    expected = {"lambda_": 0.25, "size": 3, "pack": "all", "names": ["a", "b"], "root": "x", "fast": True}
    assert given == {"mode": "off", **expected}


@pytest.mark.parametrize(
    "args", [("--lambda", "0"), ("--lambda", "inf"), ("--size", "0"), ("--size", "x"), ("--mode", "z")]
)
def test_a_value_that_the_field_refuses_is_a_usage_error(args: tuple[str, str]) -> None:
    assert CliRunner().invoke(attempt, args).exit_code == 2


def test_the_help_says_what_the_field_declares() -> None:
    text = CliRunner().invoke(attempt, ["--help"]).output
    for part in ("A share.", "[default: 0.5; 0<x<=1]", "N|auto", "A folder.  [default: here]"):
        assert part in text


def test_options_that_depend_on_each_other_are_resolved() -> None:
    options = {"episodes": "e", "model": "m", "tasks": ("coref", "all"), "inputs": None, "boxes_as": "text"}
    settings = settings_from({**options, "alignment": None})
    assert (settings.prompt.inputs, settings.alignment.mode, settings.selection.tasks) == ("VLB", "on", ("all",))
    with pytest.raises(UsageError, match="--inputs"):
        settings_from({**options, "inputs": "L"})
    with pytest.raises(TypeError, match="no setting"):
        settings_from({**options, "unknown": 1})
