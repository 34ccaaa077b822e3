from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from socialcli import logs
from socialcli.cli import Shell
from socialcli.options.config import config_option, config_option_of
from socialcli.options.variables import name_variables
from socialcli.options.verbosity import logging_options


class Commands(Shell):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name_variables(attempt, "SOCIALCLI_TRY")
        return attempt

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["try", "other"]


@click.command(name="try")
@config_option
@logging_options
@click.option("--alpha", type=float, default=1.0)
@click.option("--frames", type=click.IntRange(min=1), default=8)
@click.option("--bias", type=click.Choice(["published", "probability"]), default="published")
@click.option("--task", "tasks", multiple=True)
@click.option("--max-failures", type=str.strip, default="0")
@click.option("--overwrite", is_flag=True)
def attempt(**values: object) -> None:
    logging.getLogger("socialcli.test").debug("a detail")
    logging.getLogger("socialcli.test").info("a step")
    logging.getLogger("socialcli.test").warning("a doubt")
    click.echo(json.dumps(values))


GROUP = Commands(name="socialcli", context_settings={"auto_envvar_prefix": "SOCIALCLI"})


@pytest.fixture(autouse=True)
def default_logging() -> Iterator[None]:
    yield
    logs.configure()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def attempted(*arguments: str, env: dict[str, str] | None = None) -> dict[str, object]:
    result = invoke(*arguments, env=env)
    assert result.exit_code == 0, result.stderr
    values: dict[str, object] = json.loads(result.stdout)
    return values


def invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(GROUP, ["try", *arguments], env=env)


def test_the_command_line_wins_over_environment_over_file_over_default(settings: Path) -> None:
    settings.write_text("[try]\nalpha = 4.0\n", encoding="utf-8")
    in_file, in_environment = ("--config", str(settings)), {"SOCIALCLI_TRY_ALPHA": "3"}
    assert attempted()["alpha"] == 1.0
    assert attempted(*in_file)["alpha"] == 4.0
    assert attempted(*in_file, env=in_environment)["alpha"] == 3.0
    assert attempted(*in_file, "--alpha", "2", env=in_environment)["alpha"] == 2.0


def test_the_command_line_wins_also_when_it_repeats_the_default(settings: Path) -> None:
    settings.write_text("[try]\nalpha = 4.0\n", encoding="utf-8")
    assert attempted("--config", str(settings), "--alpha", "1.0")["alpha"] == 1.0


def test_every_kind_of_option_can_stand_in_the_file(settings: Path) -> None:
    settings.write_text(
        '[try]\nframes = 4\nalpha = 2\nbias = "probability"\ntask = ["coref", "target"]\n'
        "max_failures = 3\noverwrite = true\n",
        encoding="utf-8",
    )
    assert attempted("--config", str(settings)) == {
        "frames": 4,
        "alpha": 2.0,
        "bias": "probability",
        "tasks": ["coref", "target"],
        "max_failures": "3",
        "overwrite": True,
    }


def test_one_value_may_stand_for_an_option_that_repeats(settings: Path) -> None:
    settings.write_text('[try]\ntask = "coref"\n', encoding="utf-8")
    assert attempted("--config", str(settings))["tasks"] == ["coref"]


def test_the_file_itself_can_come_from_the_environment(settings: Path) -> None:
    settings.write_text('[try]\nalpha = 4.0\nlog-format = "json"\n', encoding="utf-8")
    result = invoke(env={"SOCIALCLI_TRY_CONFIG": str(settings)})
    assert json.loads(result.stdout)["alpha"] == 4.0
    assert json.loads(result.stderr.splitlines()[0])["message"] == "a step"


def test_a_variable_is_named_like_the_option_not_like_the_parameter_behind_it() -> None:
    assert attempted(env={"SOCIALCLI_TRY_TASK": "coref target"})["tasks"] == ["coref", "target"]


def test_tables_of_other_commands_are_left_alone(settings: Path) -> None:
    settings.write_text("[other]\nanything = 1\n", encoding="utf-8")
    assert attempted("--config", str(settings))["alpha"] == 1.0


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("[try]\nalhpa = 1.0", ["[try]", "'alhpa'", "Did you mean 'alpha'?"]),
        ("[tyr]\nalpha = 1.0", ["'tyr'", "Did you mean 'try'?"]),
        ("alpha = 1.0", ["key 'alpha' is outside any table", "[try]"]),
        ('[try]\nalpha = "1.0"', ["[try] alpha", "expected a number, not '1.0'"]),
        ("[try]\nalpha = true", ["[try] alpha", "expected a number, not True"]),
        ("[try]\nframes = 1.5", ["[try] frames", "expected a whole number, not 1.5"]),
        ("[try]\nframes = 0", ["[try] frames", "0 is not in the range"]),
        ("[try]\nbias = 'logits'", ["[try] bias", "'logits' is not one of"]),
        ("[try]\nbias = 1", ["[try] bias", "expected a text in quotes, not 1"]),
        ("[try]\noverwrite = 'yes'", ["[try] overwrite", "expected true or false, not 'yes'"]),
        ("[try]\ntask = [true]", ["[try] task", "expected a text in quotes or a number, not True"]),
        ("[try]\nalpha = [1.0]", ["[try] alpha", "expected a number, not [1.0]"]),
        ("[try]\nmax-failures = 1\nmax_failures = 2", ["[try]", "twice"]),
        ("[try]\nconfig = 'more.toml'", ["'config'"]),
    ],
)
def test_a_wrong_key_or_value_in_the_file_is_a_usage_error(settings: Path, text: str, messages: list[str]) -> None:
    settings.write_text(text, encoding="utf-8")
    result = invoke("--config", str(settings))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"socialcli: error: {settings}: ")
    for message in messages:
        assert message in result.stderr


def test_a_file_that_is_missing_is_a_usage_error(settings: Path) -> None:
    result = invoke("--config", str(settings))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"socialcli: error: {settings}: no such settings file\n"


@pytest.mark.parametrize(
    ("content", "message"), [(b"[try\n", "is not TOML"), (b'[try]\nbias = "\xff"', "is not UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_invalid_input(settings: Path, content: bytes, message: str) -> None:
    settings.write_bytes(content)
    result = invoke("--config", str(settings))
    assert result.exit_code == 4
    assert f"{settings}: the settings file {message}" in result.stderr


def test_a_folder_for_a_file_is_invalid_input(tmp_path: Path) -> None:
    result = invoke("--config", str(tmp_path))
    assert result.exit_code == 4
    assert "cannot read" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["-v"], ["socialcli: debug: a detail", "socialcli: a step", "socialcli: warning: a doubt"]),
        ([], ["socialcli: a step", "socialcli: warning: a doubt"]),
        (["-q"], ["socialcli: warning: a doubt"]),
        (["-qq"], []),
    ],
)
def test_verbosity_chooses_the_log_lines_on_standard_error(arguments: list[str], shown: list[str]) -> None:
    assert invoke(*arguments).stderr.splitlines() == shown


def test_json_log_lines_are_objects_and_so_is_the_error(settings: Path) -> None:
    result = invoke("--log-format", "json", "--config", str(settings))
    (line,) = [json.loads(text) for text in result.stderr.splitlines()]
    assert (line["level"], line["logger"]) == ("error", "socialcli.cli")
    assert line["message"] == f"{settings}: no such settings file"
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize(
    "words",
    [
        ["--alpha", "1", "--alpha", "2"],
        ["--alpha=1", "--alpha", "1"],
        ["--bias", "published", "--frames", "3", "--bias=probability"],
        ["--max-failures", "一", "--max-failures", "二"],
        ["--config", "a.toml", "--config", "b.toml"],
    ],
)
def test_an_option_with_one_value_given_twice_is_an_error_and_not_the_last(words: list[str]) -> None:
    done = invoke(*words)
    named = [word.split("=")[0] for word in words if word.startswith("--")]
    (twice,) = {name for name in named if named.count(name) > 1}
    assert done.exit_code == 2
    assert f"{twice} is given 2 times" in done.stderr


def test_what_may_be_given_again_still_may(settings: Path) -> None:
    settings.write_text("[try]\nalpha = 4.0\ntask = ['a']\n", encoding="utf-8")
    assert attempted("--task", "a", "--task", "b")["tasks"] == ["a", "b"]
    assert attempted("--overwrite", "--overwrite", "-v", "-v", "-q")["overwrite"] is True
    environment = {"SOCIALCLI_TRY_ALPHA": "3"}
    assert attempted("--config", str(settings), "--alpha", "2", env=environment)["alpha"] == 2.0


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("SOCIALCLI_TRY_ALFA", "SOCIALCLI_TRY_ALPHA"),
        ("SOCIALCLI_TRY_MAX_FAILURE", "SOCIALCLI_TRY_MAX_FAILURES"),
        ("SOCIALCLI_TYR_ALPHA", "SOCIALCLI_TRY_ALPHA"),
        ("SOCIALCLI_LOAD_PLUGIN", "SOCIALCLI_LOAD_PLUGINS"),
        ("SOCIALCLI_TRY_АЛЬФА", None),
    ],
)
def test_a_variable_that_sets_nothing_is_a_warning_with_the_nearest(variable: str, nearest: str | None) -> None:
    done = invoke(env={variable: "1"})
    assert done.exit_code == 0
    (line,) = [line for line in done.stderr.splitlines() if variable in line]
    assert "warning" in line and "sets nothing" in line
    assert nearest is None or f"did you mean {nearest}?" in line
    assert variable not in invoke("-qq", env={variable: "1"}).stderr


def test_a_variable_that_sets_something_is_none() -> None:
    done = invoke(
        env={"SOCIALCLI_TRY_TASK": "a", "SOCIALCLI_TRY_TASKS": "a", "SOCIALCLI_LOAD_PLUGINS": "", "SOCIAL": "1"}
    )
    assert done.exit_code == 0 and "warning: the environment" not in done.stderr


def test_the_tables_that_a_command_stands_for_hold_for_it_and_its_own_wins(settings: Path) -> None:
    @click.command(name="try")
    @config_option_of("other")
    @click.option("--alpha", type=float, default=1.0)
    @click.option("--frames", type=int, default=8)
    def standing(**values: object) -> None:
        click.echo(json.dumps(values))

    class Group(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return standing

    def told(text: str) -> Result:
        settings.write_text(text, encoding="utf-8")
        return CliRunner().invoke(Group(name="socialcli"), ["try", "--config", str(settings)])

    assert json.loads(told("[other]\nalpha = 2.0\nframes = 3\n").stdout) == {"alpha": 2.0, "frames": 3}
    assert json.loads(told("[other]\nalpha = 2.0\nframes = 3\n[try]\nframes = 4\n").stdout) == {
        "alpha": 2.0,
        "frames": 4,
    }
    refused = told("[other]\nalfa = 2.0\n")
    assert "[other]: there is no key 'alfa'" in refused.stderr
