"""Commands in a process that notes every file and folder it opens. An audit hook cannot be removed again.

    python -m tests.faults.opened < COMMANDS     # a JSON list of the words of a command on each line

Prints a line of JSON for each command: its exit code, what stood on standard error, and what was opened.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ..verbs.runs import command

EVENTS = frozenset({"open", "os.listdir", "os.scandir", "os.chdir", "shutil.copyfile", "ctypes.dlopen"})

_noted: list[str] = []


def note(event: str, arguments: tuple[Any, ...]) -> None:
    """Keep the path of what is opened, with all its links followed; a number is a file that is open already."""
    if event in EVENTS and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
        _noted.append(os.path.realpath(os.fsdecode(arguments[0])))


def main() -> None:
    """Work through the commands of standard input."""
    sys.addaudithook(note)
    for line in sys.stdin:
        _noted.clear()
        done = command(*json.loads(line))
        opened = sorted(set(_noted))
        print(json.dumps({"code": done.code, "stderr": done.stderr, "opened": opened}), flush=True)


if __name__ == "__main__":
    main()
