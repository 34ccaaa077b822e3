"""Where predictions that are there already are read from: the folder of a run or sweep, or the file itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.errors import InvalidInputError, NotThereError
from socialcli.runs.folder import OutputFolder
from socialcli.runs.predictions import read_predictions
from socialcli.runs.sweep import SweepFolder

_UNFINISHED = {
    "running": "is still running, or was killed",
    "stopped": "was stopped by its failures",
    "interrupted": "was interrupted",
    "error": "was broken off by an error",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Predictions, and what is known of the run or sweep that left them."""

    path: Path  # as it was named
    predictions: Path
    folder: OutputFolder | None  # where a run or sweep left them; None: a file on its own
    manifest: Mapping[str, Any]  # its run.json or sweep.json; empty where there is none

    @classmethod
    def find(cls, path: Path) -> Source:
        """What `path` names: a folder with a predictions.parquet, this file in it, or any other file of predictions.

        Raises NotThereError where there is none, and InvalidInputError where the manifest beside it cannot be read.
        """
        folder = OutputFolder(path)
        if not path.is_dir():
            if not path.is_file():
                raise NotThereError(f"{path}: there is no such folder or file; name the output folder of a run")
            folder = OutputFolder(path.parent)
            if path.name != folder.predictions.name:
                return cls(path, path, None, {})
        if not folder.predictions.is_file():
            unfinished = "the run in it is not done: its command, given again, goes on"
            advice = unfinished if folder.parts.exists() else "name the output folder of a run or sweep"
            raise NotThereError(f"{path}: holds no {folder.predictions.name}; {advice}")
        return cls(path, folder.predictions, folder, _manifest(folder))

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run under the names of its options; empty where nobody knows them."""
        return _mapping(self.manifest.get("settings"))

    @property
    def model(self) -> Mapping[str, Any]:
        """Which model answered; empty where nobody knows."""
        return _mapping(self.manifest.get("model"))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, a few hundred in memory at a time. Raises as `read_predictions` does."""
        return read_predictions(self.predictions)

    def warnings(self) -> list[str]:
        """What whoever reads the rows should know of the run: that it did not come to its end."""
        how = _UNFINISHED.get(str(self.manifest.get("outcome")))
        if how is None:
            return []
        if "sweep_version" in self.manifest:
            return [f"{self.path}: the sweep {how}; only what it had done by then counts"]
        return [f"{self.path}: the run {how}; what counts are the answers of the one before, until it has gone on"]


def _manifest(folder: OutputFolder) -> Mapping[str, Any]:
    for path in (folder.manifest, SweepFolder(folder.path).manifest):
        if not path.is_file():
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path}: cannot be read as the manifest of a run: {error}") from error
        if not isinstance(record, dict):
            raise InvalidInputError(f"{path}: is no manifest of a run: it holds no JSON object")
        return record
    return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
