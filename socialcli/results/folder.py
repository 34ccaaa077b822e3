"""The output folder of a run: where each file is, and getting it ready."""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from socialcli.errors import UsageError
from socialcli.results.lock import locked

SWEEP_MANIFEST = "sweep.json"  # the name of the manifest that `socialcli sweep` leaves

_PART_FILE = re.compile(r"(\d{6,}|set_aside)\.parquet|\.(\d{6,}|set_aside)\.parquet\.[0-9a-f]{8}\.tmp")


FigureFormat = Literal["png", "svg", "pdf"]
FIGURE_FORMATS: tuple[FigureFormat, ...] = get_args(FigureFormat)


@dataclass(frozen=True, slots=True)
class ResultFolder(ABC):
    """A folder that `--output` names, in which a command leaves files of its own names."""

    path: Path
    figure_format: FigureFormat = "png"  # of the pictures in it, where there are any

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """Where the command's files are, if they are there."""

    def check(self, overwrite: bool) -> None:
        """Raise UsageError where `prepare` could not do its work, as far as looking tells. Changes nothing."""
        self.check_place()
        results = self._results()
        if results and not overwrite:
            names = ", ".join(dict.fromkeys(path.relative_to(self.path).parts[0] for path in results))
            raise UsageError(
                f"--output {self.path}: holds the results of a run ({names}); name another folder, "
                "or replace them with --overwrite"
            )

    def check_place(self) -> None:
        """Raise UsageError where the folder is not there and cannot be made, or cannot be written to."""
        nearest = next(place for place in (self.path, *self.path.parents) if os.path.lexists(place))
        if not nearest.is_dir():
            raise UsageError(
                f"--output {self.path}: the folder cannot be made: {nearest} is no folder; name another one"
            )
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise UsageError(f"--output {self.path}: nothing can be written to {nearest}; name another folder")

    def prepare(self, overwrite: bool) -> None:
        """Create the folder, or with `overwrite` remove the results of an earlier run from it.

        Nothing but the command's own `files` is ever removed. Raises UsageError where results stand in the way,
        where the path is a file, and where nothing can be written.
        """
        self.check(overwrite)
        self.make()
        for path in self._results():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out of the folder, which is made where it is not there.

        What a killed process left half-written in it is removed; and so is the folder, if it was made here and nothing
        has come into it. Raises UsageError where there can be no such folder, FolderInUseError where it is taken.
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
        """Create the folder where it is not there. Raises UsageError where it cannot be made."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--output {self.path}: the folder cannot be made: {error.strerror or error}") from error

    def figure(self, name: str) -> Path:
        """Where the picture of a name is."""
        return self.path / f"{name}.{self.figure_format}"

    def figures(self, *names: str) -> list[Path]:
        """Where pictures may be that an earlier run has left, whatever their format."""
        return [self.path / f"{name}.{kind}" for name in names for kind in FIGURE_FORMATS]

    def is_drawn_in_its_format(self, *names: str) -> bool:
        """Whether those of the pictures that are there have `figure_format`."""
        return all(path.suffix == f".{self.figure_format}" for path in self.figures(*names) if path.exists())

    def _results(self) -> list[Path]:
        return [path for path in self.files if path.exists()]


@dataclass(frozen=True, slots=True)
class KeepingFolder(ResultFolder):
    """A folder whose command goes on where it was broken off: what it computes is kept, row by row, under keys."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What the folder holds, in a word: "run"."""

    @property
    @abstractmethod
    def manifest(self) -> Path:
        """What was asked and how it ended."""

    @property
    @abstractmethod
    def rows(self) -> Path:
        """The rows, once all are there."""

    @property
    @abstractmethod
    def set_aside(self) -> Path:
        """Rows of before that this command has no use for, or could not compute: another one takes them back."""

    @property
    def part_set_aside(self) -> Path:
        """The same, as long as `rows` still holds them."""
        return self.parts / "set_aside.parquet"

    @property
    @abstractmethod
    def parts(self) -> Path:
        """Rows of work that has not ended: see `socialcli.results.parts`."""

    @property
    @abstractmethod
    def inputs(self) -> Path:
        """What the rows were made from: see `socialcli.results.inputs`."""

    @property
    def foreign(self) -> tuple[Path, ...]:
        """Another command's manifest, which says nothing about rows that replace that command's own."""
        return ()

    def settle_aside(self, there: bool) -> None:
        """Give the rows that were set aside now, if some are `there`, their name; else remove those of before."""
        if there:
            self.part_set_aside.replace(self.set_aside)
        else:
            self.set_aside.unlink(missing_ok=True)

    def remove_parts(self) -> None:
        """Remove the parts, and their folder unless somebody keeps other things in it."""
        for path in self.part_files():
            path.unlink()
        with suppress(OSError):  # not empty, or not there
            self.parts.rmdir()

    def part_files(self) -> list[Path]:
        """The files of the parts, half-written ones included."""
        if not self.parts.is_dir():
            return []
        return sorted(path for path in self.parts.iterdir() if _PART_FILE.fullmatch(path.name))


@dataclass(frozen=True, slots=True)
class OutputFolder(KeepingFolder):
    """The folder of `socialcli run`."""

    @property
    def kind(self) -> str:
        """A run."""
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
        """What the run was and how it ended: see `socialcli.results.manifest`."""
        return self.path / "run.json"

    @property
    def set_aside(self) -> Path:
        """Answers that a failure has driven out of predictions.parquet, to come back when it is mended.

        And those of a sweep's settings that its last command left out.
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
        """A sweep's manifest, which says nothing about predictions that replace the sweep's own."""
        return (self.path / SWEEP_MANIFEST,)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        named = self.predictions, self.accuracy, self.manifest, self.inputs, self.set_aside
        return *named, *self.part_files(), *self.foreign
