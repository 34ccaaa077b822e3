"""The output folders of commands: where each file is, and how a folder is checked, locked and prepared."""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from socialcli.errors import UsageError
from socialcli.plots.formats import FIGURE_FORMATS, FigureFormat
from socialcli.results.lock import locked

SWEEP_MANIFEST = "sweep.json"
STRESS_MANIFEST = "stress.json"

_PART_FILE = re.compile(r"(\d{6,}|set_aside)\.parquet|\.(\d{6,}|set_aside)\.parquet\.[0-9a-f]{8}\.tmp")


@dataclass(frozen=True, slots=True)
class ResultFolder(ABC):
    """The folder that `--output` names; a command writes files of its own names into it."""

    path: Path
    figure_format: FigureFormat = "png"  # of its pictures, if it has any

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """The paths of all files that the command may write."""

    def check(self, overwrite: bool) -> None:
        """Raise UsageError where `prepare` would fail, as far as that can be known. Changes nothing."""
        self.check_place()
        results = self._results()
        if results and not overwrite:
            names = ", ".join(dict.fromkeys(path.relative_to(self.path).parts[0] for path in results))
            raise UsageError(
                f"--output {self.path}: holds other results ({names}); name another folder, "
                "or replace them with --overwrite"
            )

    def check_place(self) -> None:
        """Raise UsageError where the folder is missing and cannot be created, or cannot be written to."""
        nearest = next(place for place in (self.path, *self.path.parents) if os.path.lexists(place))
        if not nearest.is_dir():
            raise UsageError(
                f"--output {self.path}: the folder cannot be created: {nearest} is no folder; name another one"
            )
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise UsageError(f"--output {self.path}: nothing can be written to {nearest}; name another folder")

    def prepare(self, overwrite: bool) -> None:
        """Create the folder, or with `overwrite` remove earlier results from it.

        Removes nothing but the command's own `files`. Raises UsageError where results are in the way, where the path
        is a file, and where nothing can be written.
        """
        self.check(overwrite)
        self.make()
        for path in self._results():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other processes; create it if it is missing.

        Removes half-written files of a killed process, and at the end the folder itself if it was created here and is
        empty. Raises UsageError where the folder cannot be created, FolderInUseError where it is locked.
        """
        self.check_place()
        missing = [place for place in (self.path, *self.path.parents) if not place.exists()]
        self.make()
        try:
            with locked(self.path):
                self._tidy()
                yield
        finally:
            with suppress(OSError):  # not empty
                for place in missing:
                    place.rmdir()

    def _tidy(self) -> None:
        for path in self.files:
            for left in path.parent.glob(f".{path.name}.*.tmp"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    def make(self) -> None:
        """Create the folder if it is missing. Raises UsageError where it cannot be created."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"--output {self.path}: the folder cannot be created: {error.strerror or error}"
            ) from error

    def figure(self, name: str) -> Path:
        """The path of a picture."""
        return self.path / f"{name}.{self.figure_format}"

    def figures(self, *names: str) -> list[Path]:
        """The paths that the pictures of an earlier job may have, in all formats."""
        return [self.path / f"{name}.{kind}" for name in names for kind in FIGURE_FORMATS]

    def is_drawn_in_its_format(self, *names: str) -> bool:
        """Whether the existing pictures have `figure_format`."""
        return all(path.suffix == f".{self.figure_format}" for path in self.figures(*names) if path.exists())

    def _results(self) -> list[Path]:
        return [path for path in self.files if path.exists()]


@dataclass(frozen=True, slots=True)
class ResumableFolder(ResultFolder):
    """A folder whose command resumes after an interrupt: it keeps what it computes row by row, under keys."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The word for what the folder holds: "run"."""

    @property
    @abstractmethod
    def manifest(self) -> Path:
        """The file that says what the job was, and how it ended."""

    @property
    @abstractmethod
    def rows(self) -> Path:
        """The rows, once they are complete."""

    @property
    @abstractmethod
    def set_aside(self) -> Path:
        """Earlier rows that the last command did not ask for or could not compute; a later one reuses them."""

    @property
    def part_set_aside(self) -> Path:
        """The same, while `rows` still holds them."""
        return self.parts / "set_aside.parquet"

    @property
    @abstractmethod
    def parts(self) -> Path:
        """Rows of a job that has not ended: see `socialcli.results.parts`."""

    @property
    @abstractmethod
    def inputs(self) -> Path:
        """What the rows were made from: see `socialcli.results.inputs`."""

    @property
    def foreign(self) -> tuple[Path, ...]:
        """Another command's manifest; it would describe rows that no longer exist."""
        return ()

    def settle_aside(self, some: bool) -> None:
        """Rename the rows that this job set aside, if `some` were; else remove those of an earlier one."""
        if some:
            self.part_set_aside.replace(self.set_aside)
        else:
            self.set_aside.unlink(missing_ok=True)

    def remove_parts(self) -> None:
        """Remove the parts, and their folder unless it holds other files."""
        for path in self.part_files():
            path.unlink()
        with suppress(OSError):  # not empty, or missing
            self.parts.rmdir()

    def part_files(self) -> list[Path]:
        """The files of the parts, including half-written ones."""
        if not self.parts.is_dir():
            return []
        return sorted(path for path in self.parts.iterdir() if _PART_FILE.fullmatch(path.name))


@dataclass(frozen=True, slots=True)
class OutputFolder(ResumableFolder):
    """The folder of `socialcli run`."""

    @property
    def kind(self) -> str:
        """The word for it."""
        return "run"

    @property
    def rows(self) -> Path:
        """The predictions."""
        return self.predictions

    @property
    def predictions(self) -> Path:
        """A row per question and condition: see `socialcli.results.predictions`."""
        return self.path / "predictions.parquet"

    @property
    def accuracy(self) -> Path:
        """A row per model, task, dataset, split and condition: see `socialcli.stats.accuracy`."""
        return self.path / "accuracy.parquet"

    @property
    def manifest(self) -> Path:
        """run.json: see `socialcli.results.manifest`."""
        return self.path / "run.json"

    @property
    def set_aside(self) -> Path:
        """Answers to questions that fail now, until they succeed again.

        In a sweep also those under settings that its last command did not ask for.
        """
        return self.path / "set_aside.parquet"

    @property
    def parts(self) -> Path:
        """Answers of a run that has not ended: see `socialcli.results.parts`."""
        return self.path / "parts"

    @property
    def inputs(self) -> Path:
        """What the answers were made from: see `socialcli.results.inputs`."""
        return self.path / "inputs.json"

    @property
    def foreign(self) -> tuple[Path, ...]:
        """The manifests of a sweep and of a stress test; they would describe predictions that no longer exist."""
        return self.path / SWEEP_MANIFEST, self.path / STRESS_MANIFEST

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        named = self.predictions, self.accuracy, self.manifest, self.inputs, self.set_aside
        return *named, *self.part_files(), *self.foreign
