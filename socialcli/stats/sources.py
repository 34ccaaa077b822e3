"""Sources of existing predictions: the folder of a run or sweep, or a file.

The folder of an unfinished run holds parts, which are read together with the results of the run before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError, NotFoundError
from socialcli.results.folder import STRESS_MANIFEST, SWEEP_MANIFEST, OutputFolder
from socialcli.results.parts import part_paths
from socialcli.results.predictions import read_predictions
from socialcli.stats.accuracy import GROUP_COLUMNS

_UNFINISHED = {
    "running": "is still running, or was killed",
    "stopped": "was stopped by its failures",
    "interrupted": "was interrupted",
    "error": "ended with an error",
}

_OTHERS = {"sweep_version": "sweep", "stress_version": "stress test"}
"""What a manifest other than a run's describes, by its first field."""


@dataclass(frozen=True, slots=True)
class Source:
    """Predictions, and the manifest of the run or sweep that made them."""

    path: Path  # as the user gave it
    predictions: Path
    folder: OutputFolder | None  # of the run or sweep; None: a file on its own
    manifest: Mapping[str, Any]  # its run.json or sweep.json; empty without one
    parts: Sequence[Path] = ()  # of an unfinished run, in the order in which they were written

    @classmethod
    def find(cls, path: Path) -> Source:
        """The source at `path`: a folder with a predictions.parquet, this file in it, or any other file of predictions.

        A folder may hold parts alone, those of an unfinished run. Raises NotFoundError if there is nothing to read, and
        InvalidInputError if the manifest beside it cannot be read, or for a file of episodes.
        """
        folder = OutputFolder(path)
        if not path.is_dir():
            if not path.is_file():
                raise NotFoundError(f"{path}: there is no such folder or file; pass the output folder of a run")
            folder = OutputFolder(path.parent)
            if path.name != folder.predictions.name:
                _check_no_episodes(path)
                return cls(path, path, None, {})
        parts = tuple(part_paths(folder.parts))
        if not folder.predictions.is_file() and not parts:
            begun = folder.parts.exists() or folder.manifest.is_file()
            unfinished = "its run has stored no answers yet; run the same command again to resume it"
            advice = unfinished if begun else "pass the output folder of a run or sweep"
            raise NotFoundError(f"{path}: holds no {folder.predictions.name}; {advice}")
        return cls(path, folder.predictions, folder, _manifest(folder), parts)

    @property
    def files(self) -> list[Path]:
        """The existing files of rows, oldest first."""
        return [*([self.predictions] if self.predictions.is_file() else []), *self.parts]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run under the names of its options; empty if unknown."""
        return _mapping(self.manifest.get("settings"))

    @property
    def model(self) -> Mapping[str, Any]:
        """Which model answered; empty if unknown."""
        return _mapping(self.manifest.get("model"))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, a few hundred in memory at a time. Raises as `read_predictions` does.

        If a question was asked again under the same condition, the newer row counts.
        """
        if not self.parts:
            return read_predictions(self.predictions)
        newest = self._newest()
        numbered = ((number, row) for number, path in enumerate(self.files) for row in read_predictions(path))
        rows = (row for number, row in numbered if newest[_asked(row)] == number)
        if self.settings.get("permute") is None:
            return rows
        return ({**row, "order": row["order"] or 0} for row in rows)  # null in answers of a run without --permute

    def _newest(self) -> dict[tuple[Any, ...], int]:
        """The number of the last file with rows of a question and condition."""
        return {_asked(row): number for number, path in enumerate(self.files) for row in read_predictions(path)}

    def warnings(self) -> list[str]:
        """Warnings about an unfinished run, and how far it got."""
        how = _UNFINISHED.get(str(self.manifest.get("outcome")))
        what = next((name for key, name in _OTHERS.items() if key in self.manifest), "run")
        if self.parts:
            return [f"{self.path}: the {what} {how or 'did not finish'}; {self._how_far()}"]
        if how is None:
            return []
        if what != "run":
            return [f"{self.path}: the {what} {how}; only the answers so far count"]
        return [f"{self.path}: the run {how}; the answers of the run before it count until it is resumed"]

    def _how_far(self) -> str:
        there, expected = sum(1 for _ in self.rows()), _mapping(self.manifest.get("counts")).get("expected")
        many = f"{there} of {expected}" if isinstance(expected, int) and expected >= there else f"{there}"
        earlier = ", some perhaps from the run before it" if self.predictions.is_file() else ""
        return f"{many} answers count{earlier}; run the same command again to resume it"


def _asked(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The question, the order of its candidates and the condition of a row."""
    return row["episode_id"], row["question_id"], row["order"] or 0, *(row[name] for name in GROUP_COLUMNS)


def _check_no_episodes(path: Path) -> None:
    """Raise InvalidInputError for a file of questions instead of predictions."""
    foreign = path.name.lower().endswith((".jsonl", ".jsonl.gz"))
    if not foreign:
        try:
            foreign = "prediction" not in pq.read_schema(path).names
        except (OSError, pa.ArrowException):
            return  # reading the rows reports the error
    if foreign:
        raise InvalidInputError(
            f"{path}: holds no predictions: it is an episodes file, or another kind of table; pass the output folder "
            "of a run (for gold answers from an episodes file, use --answers)"
        )


def _manifest(folder: OutputFolder) -> Mapping[str, Any]:
    for path in (folder.manifest, folder.path / SWEEP_MANIFEST, folder.path / STRESS_MANIFEST):
        if not path.is_file():
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path}: cannot be read as the manifest of a run: {error}") from error
        if not isinstance(record, dict):
            raise InvalidInputError(f"{path}: is not the manifest of a run: it holds no JSON object")
        return record
    return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
