"""What a shell is offered for values that plug-ins provide."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from socialcli.cli import main
from socialcli.errors import PluginError
from socialcli.plugins.registry import Registry

from ..conftest import FAMILIES
from ..verbs.runs import shell_environment


def offered(*words: str) -> list[str]:
    """What can stand in place of the last word."""
    *before, incomplete = words
    return [item.value for item in ShellComplete(main, {}, "socialcli", "_X").get_completions(before, incomplete)]


@pytest.mark.parametrize("name", ["run", "plan", "inspect", "measure", "sweep", "train", "validate"])
def test_models_wherever_one_is_named(name: str) -> None:
    assert set(FAMILIES) <= set(offered(name, "e.jsonl", "--model", ""))
    assert offered(name, "e.jsonl", "--model", "qwen2.") == ["qwen2.5-vl"]


@pytest.mark.parametrize("name", ["run", "plan", "measure", "sweep", "train"])
def test_tasks_and_all(name: str) -> None:
    assert {"target", "coref", "mentioned", "videoqa", "all"} <= set(offered(name, "e.jsonl", "--task", ""))
    assert offered(name, "e.jsonl", "--task", "target", "--task", "co") == ["coref"]
    assert offered(name, "e.jsonl", "--task", "al") == ["all"]


@pytest.mark.parametrize("name", ["run", "plan", "inspect", "measure", "sweep", "train"])
def test_bias_rules(name: str) -> None:
    assert {"published", "floored", "centred"} <= set(offered(name, "e.jsonl", "--bias", ""))
    assert offered(name, "e.jsonl", "--bias", "pub") == ["published"]


@pytest.mark.parametrize("name", ["run", "plan", "sweep"])
def test_answer_modes(name: str) -> None:
    assert {"score", "generate"} <= set(offered(name, "e.jsonl", "--answer", ""))
    assert offered(name, "e.jsonl", "--answer", "gen") == ["generate"]


def test_a_list_goes_on_behind_its_comma_without_what_it_has() -> None:
    found = offered("sweep", "e.jsonl", "--bias", "published,")
    assert "published,floored" in found and "published,published" not in found
    assert offered("sweep", "e.jsonl", "--bias", "published,fl") == ["published,floored"]


def test_nothing_that_there_is_none_of() -> None:
    assert offered("run", "e.jsonl", "--model", "模型") == offered("run", "e.jsonl", "--task", "zz") == []


def test_plug_ins_that_clash_offer_nothing_and_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def clash(_: Registry) -> None:
        raise PluginError("two of a name")

    monkeypatch.setattr(Registry, "models", clash)
    assert offered("run", "e.jsonl", "--model", "") == []


def test_a_shell_gets_its_answer_without_torch() -> None:
    program = "import sys; from socialcli.cli import main\ntry: main(prog_name='socialcli')\nfinally: "
    program += "print('torch' in sys.modules, file=sys.stderr)"
    environment = {"_SOCIALCLI_COMPLETE": "bash_complete", "COMP_WORDS": "socialcli run e --model ", "COMP_CWORD": "4"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=shell_environment() | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[1] for line in done.stdout.splitlines()][:1] and "qwen2.5-vl" in done.stdout
    assert done.stderr.strip().splitlines()[-1] == "False"


def test_every_option_of_these_names_is_completed() -> None:
    """Also one that comes later."""
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        for option in command.params if command is not None else ():
            if isinstance(option, click.Option) and {"--model", "--task", "--bias"} & set(option.opts):
                assert option._custom_shell_complete is not None, (name, option.opts)
