from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import socialcli
from socialcli.cli import COMMANDS, main

from .distributions import Install, site_folder

TROUBLE = """
import sys, time
import click
from socialcli import errors
from socialcli.plugins.hookspecs import hookimpl

@click.command()
@click.argument("kind")
def trouble(kind):
    "Get into trouble."
    if kind == "ok":
        return 7
    if kind == "exit":
        click.get_current_context().exit(9)
    if kind == "wait":
        try:
            click.echo("ready")
            time.sleep(60)
        finally:
            click.echo("put away")
    if kind == "file":
        open("/nowhere/at/all")
    if kind == "bug":
        raise KeyError("unforeseen")
    if kind == "library":
        raise OSError("a library's own reason")
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "flood":
        while True:
            click.echo("y" * 1000)
    raise getattr(errors, kind)("what went wrong")

@hookimpl
def socialcli_commands():
    return [trouble]
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        yield install


@pytest.fixture
def trouble(distribution: Install) -> Path:
    return distribution("acme-trouble", TROUBLE, version="1.5")


def start(site: Path, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "socialcli", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_in_the_table_is_the_commands_own(name: str) -> None:
    command = importlib.import_module(COMMANDS[name].module).command
    assert command.name == name
    assert COMMANDS[name].help == command.get_short_help_str(limit=200)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_the_environment_variable_of_its_long_name(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    for option in options:
        long = next(flag for flag in option.opts if flag.startswith("--"))
        assert option.envvar == f"SOCIALCLI_{name}_{long[2:]}".replace("-", "_").upper()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_of_a_command_takes_nan_or_infinity_for_a_number(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    for option in command.params:
        if isinstance(option.type, type(click.FLOAT)):
            for text in ("nan", "inf", "-inf"):
                with pytest.raises(click.BadParameter):
                    option.type.convert(text, option, None)


def test_an_option_comes_from_the_environment() -> None:
    assert CliRunner().invoke(main, ["tasks"], env={"SOCIALCLI_TASKS_JSON": "1"}).stdout.startswith("[")


def test_help_lists_every_command_with_its_short_help() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert name in result.stdout
        assert entry.help.split()[0] in result.stdout


def test_help_lists_the_commands_of_plugins(trouble: Path) -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert "Commands of plug-ins:\n  trouble  Get into trouble." in result.stdout


def test_help_works_with_broken_and_clashing_plugins(distribution: Install) -> None:
    distribution("acme-one", TROUBLE)
    distribution("acme-two", TROUBLE)
    distribution("acme-broken", "1 / 0")
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "validate" in result.stdout
    assert "acme-broken 1.0" in result.stderr
    assert "'trouble' is provided by acme-one 1.0" in result.stderr


def test_a_clash_of_commands_leaves_those_of_socialcli_alone(distribution: Install) -> None:
    distribution("acme-one", TROUBLE)
    distribution("acme-two", TROUBLE)
    assert CliRunner().invoke(main, ["tasks"]).exit_code == 0
    clash = CliRunner().invoke(main, ["trouble", "ok"])
    assert clash.exit_code == 2
    assert "acme-one 1.0" in clash.stderr and "acme-two 1.0" in clash.stderr


def test_a_plugin_cannot_replace_a_command_of_socialcli(distribution: Install) -> None:
    distribution("acme-usurper", TROUBLE.replace("@click.command()", "@click.command('tasks')"))
    assert "videoqa" in CliRunner().invoke(main, ["tasks"]).stdout
    result = CliRunner().invoke(main, ["--help"])
    assert "'tasks' hides that of the plug-in acme-usurper 1.0" in result.stderr
    assert "Commands of plug-ins" not in result.stdout


def test_the_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"socialcli {socialcli.__version__}\n")


def test_an_unknown_command_suggests_the_nearest() -> None:
    result = CliRunner().invoke(main, ["valdate"])
    assert result.exit_code == 2
    assert "socialcli: error: there is no command 'valdate'. Did you mean 'validate'?" in result.stderr


def test_an_unknown_option_is_a_usage_error_with_clicks_hint() -> None:
    result = CliRunner().invoke(main, ["tasks", "--jsn"])
    assert result.exit_code == 2
    assert "Try 'socialcli tasks --help'" in result.stderr
    assert "--json" in result.stderr


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("SocialcliError", 1),
        ("UsageError", 2),
        ("PluginError", 2),
        ("TooManyFailuresError", 3),
        ("InvalidInputError", 4),
        ("VideoError", 4),
        ("FolderInUseError", 5),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(trouble: Path, kind: str, code: int) -> None:
    result = CliRunner().invoke(main, ["trouble", kind])
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "socialcli: error: what went wrong\n"


def test_what_a_command_returns_is_no_exit_code_but_its_context_can_set_one(trouble: Path) -> None:
    assert CliRunner().invoke(main, ["trouble", "ok"]).exit_code == 0
    assert CliRunner().invoke(main, ["trouble", "exit"]).exit_code == 9


def test_what_the_system_refuses_is_a_message_without_traceback(trouble: Path) -> None:
    result = CliRunner().invoke(main, ["trouble", "file"])
    assert result.exit_code == 1
    assert result.stderr == "socialcli: error: /nowhere/at/all: No such file or directory\n"


@pytest.mark.parametrize(
    ("kind", "last"), [("bug", "KeyError: 'unforeseen'"), ("library", "OSError: a library's own reason")]
)
def test_a_bug_shows_its_traceback_and_asks_for_a_report(trouble: Path, kind: str, last: str) -> None:
    result = CliRunner().invoke(main, ["trouble", kind])
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert last in result.stderr
    assert "please report it" in result.stderr.splitlines()[-1]


def test_an_interrupt_exits_with_130(trouble: Path) -> None:
    result = CliRunner().invoke(main, ["trouble", "interrupt"])
    assert result.exit_code == 130
    assert result.stderr.strip() == "socialcli: error: interrupted"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_work_in_order(trouble: Path, number: signal.Signals, code: int) -> None:
    process = start(trouble, "trouble", "wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert output == "put away\n"
    assert "Traceback" not in errors


def test_nobody_reading_the_output_ends_the_command_quietly(trouble: Path) -> None:
    process = start(trouble, "trouble", "flood")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("tasks",), ("--help",)])
def test_a_full_disk_is_a_message(trouble: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = start(trouble, *arguments, stdout=full.fileno())
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    told = "No space left on device; free some space, or write to another disk, and run the command again"
    assert errors == f"socialcli: error: {told}\n"


def test_with_standard_error_closed_no_message_gets_among_the_results(distribution: Install) -> None:
    site = distribution("acme-broken", "1 / 0")
    command = f'"{sys.executable}" -m socialcli tasks --json 2>&-'
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    done = subprocess.run(command, shell=True, env=environment, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["name"] == "videoqa"
