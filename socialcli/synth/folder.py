"""The output folder of `socialcli synth`: its files, and preparing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socialcli.errors import UsageError
from socialcli.results.folder import ResultFolder


@dataclass(frozen=True, slots=True)
class SynthFolder(ResultFolder):
    """The output folder of `socialcli synth`. Videos without an episodes file are from an interrupted run."""

    speaks: bool = False  # whether the world has sound

    @property
    def episodes(self) -> Path:
        """The episodes file; video paths are relative to its folder."""
        return self.path / "episodes.parquet"

    @property
    def videos(self) -> Path:
        """The folder of the videos."""
        return self.path / "videos"

    @property
    def records(self) -> tuple[Path, ...]:
        """The folders of a world that speaks: transcripts, and what is true of the clips."""
        return self.path / "transcripts", self.path / "truth"

    @property
    def files(self) -> tuple[Path, ...]:
        """The episodes file, which represents the whole output."""
        return (self.episodes,)

    def prepare(self, overwrite: bool) -> None:
        """Create the folders, and remove the videos of an earlier run, complete or interrupted, and its episodes.

        Removes only files with names that this command writes. Raises UsageError like `ResultFolder.prepare`.
        """
        ResultFolder.prepare(self, overwrite)
        for folder in (self.videos, *(self.records if self.speaks else ())):
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise UsageError(f"--output {self.path}: cannot create {folder}: {error.strerror}") from error
        for path in self._leftovers():
            path.unlink()

    def _leftovers(self) -> Iterator[Path]:
        yield from self.videos.glob("synth-*-*.mp4")
        yield from self.videos.glob(".synth-*-*.mp4.*.tmp")  # half-written when the run was killed, like the next
        for folder in self.records:
            yield from folder.glob("synth-audio-*-*.*")
            yield from folder.glob(".synth-audio-*-*.*.tmp")
        yield from self.path.glob(f".{self.episodes.name}.*.tmp")
