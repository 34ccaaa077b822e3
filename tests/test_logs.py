"""Log lines: for people on a terminal, and JSON objects without anything between them."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialcli import logs

from .conftest import SAMPLE
from .verbs.runs import FAMILY, record, shell_environment, write


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    logs.configure()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_libraries_say_is_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()  # whatever was before
    library = logging.getLogger("chatty")
    library.propagate = False
    library.addHandler(logging.StreamHandler())
    logs.configure(style="json")
    logs.adopt("chatty")
    library.warning("one of their own")
    library.info("not so much")
    warnings.warn("of Python's", stacklevel=1)
    logging.getLogger("socialcli.test").warning("ours")
    logging.getLogger("socialcli_acme.reading").warning("of a plug-in")
    found = lines(capsys.readouterr().err)
    assert [line["logger"] for line in found] == ["chatty", "py.warnings", "socialcli.test", "socialcli_acme.reading"]
    assert found[0]["message"] == "one of their own"


def test_text_lines_leave_libraries_alone(capsys: pytest.CaptureFixture[str]) -> None:
    library = logging.getLogger("tidy")
    handler = logging.NullHandler()
    library.addHandler(handler)
    logs.configure()
    logs.adopt("tidy")
    assert library.handlers == [handler] and library.propagate


@pytest.mark.parametrize("where", ["before", "with =", "variable"])
@pytest.mark.parametrize("wrong", [["--frams", "1"], ["--frames", "none"], ["--config", "nowhere.toml"]])
def test_a_wrong_option_is_an_object_where_the_style_is_json(where: str, wrong: list[str]) -> None:
    style = {"before": ["--log-format", "json"], "with =": ["--log-format=json"], "variable": []}[where]
    environment = shell_environment() | ({"SOCIALCLI_RUN_LOG_FORMAT": "json"} if where == "variable" else {})
    words = ["run", "e.jsonl", "--model", "none", "--task", "all", "-o", "out", *wrong, *style]
    done = subprocess.run(
        [sys.executable, "-m", "socialcli", *words], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    (line,) = lines(done.stderr)
    assert line["level"] == "error" and (wrong[0] in line["message"] or wrong[1] in line["message"])


def test_an_interrupt_leaves_objects_alone(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from socialcli.verbs.tasks import command as tasks\n"
        "from socialcli.cli import main\n"
        "tasks.command.callback = lambda **_: os.kill(os.getpid(), signal.SIGINT)\n"
        "main(['tasks'])\n"
    )
    for style, expected in (("json", 1), ("text", 2)):
        environment = shell_environment() | {"SOCIALCLI_TASKS_LOG_FORMAT": style}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 128 + signal.SIGINT
        assert len(done.stderr.splitlines()) == expected
        assert style == "text" or lines(done.stderr)[0]["message"] == "interrupted"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("style", ["text", "json"])
def test_on_a_terminal_every_message_stands_once(tmp_path: Path, style: str) -> None:
    episodes = write(tmp_path / "e.jsonl", [record(0), record(1)])  # whose videos are not there
    words = ["run", episodes, "--model", FAMILY, "--checkpoint", SAMPLE / "checkpoints" / FAMILY]
    words += ["--task", "mentioned", "-o", tmp_path / "out", "--log-format", style]
    import termios

    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "socialcli", *map(str, words)],
            env=shell_environment(),
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        os.close(theirs)
        told = b""
        try:
            while chunk := terminal.read(4096):
                told += chunk
        except OSError:  # the other side is closed
            pass
        assert process.wait(timeout=60) == 3
    text = told.decode().replace("\r\n", "\n")
    assert len(re.findall(r"e\.jsonl:1: ", text)) == 1
    assert len(re.findall(r"e\.jsonl:2: ", text)) == 1
    assert "run: " in text if style == "text" else lines(text)
