"""The work of `socialcli plugin new`: reads a checkpoint and writes a plug-in for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from socialcli.errors import UsageError
from socialcli.files import atomic_write
from socialcli.verbs.plugin.new.facts import Facts
from socialcli.verbs.plugin.new.names import Names
from socialcli.verbs.plugin.new.writing.project import project_files


@dataclass(frozen=True, slots=True)
class NewPlugin:
    """What the user asks for. Raises UsageError for an output folder that would lose files."""

    names: Names
    checkpoint: str  # a folder, or an id on the hub
    output: Path
    revision: str | None = None
    allow_links: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Check the output folder before anything is downloaded."""
        if self.output.is_dir() and any(self.output.iterdir()) and not self.overwrite:
            raise UsageError(
                f"--output {self.output}: is not empty; name another folder, or replace the plug-in's files in it with "
                "--overwrite"
            )


@dataclass(frozen=True, slots=True)
class Written:
    """A plug-in on disk."""

    facts: Facts
    files: Mapping[Path, int]  # the number of lines of each


def create(request: NewPlugin) -> Written:
    """Write the plug-in. Raises CheckpointError as `read_facts` does, OSError where a file cannot be written."""
    from socialcli.verbs.plugin.new.reading.inspection import read_facts  # torch

    facts = read_facts(request.checkpoint, request.revision, request.allow_links)
    files = {request.output / name: text for name, text in project_files(request.names, facts).items()}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(text.encode("utf-8"))
    return Written(facts, {path: len(text.splitlines()) for path, text in files.items()})
