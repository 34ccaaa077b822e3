"""The folder of `socialcli synth`: where its files are, and getting it ready."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socialcli.errors import UsageError
from socialcli.results.folder import ResultFolder


@dataclass(frozen=True, slots=True)
class SynthFolder(ResultFolder):
    """The folder of `socialcli synth`. Without the episodes file, videos in it are those of a run that broke off."""

    @property
    def episodes(self) -> Path:
        """The episodes; their videos are named relative to it."""
        return self.path / "episodes.parquet"

    @property
    def videos(self) -> Path:
        """The folder of the videos."""
        return self.path / "videos"

    @property
    def files(self) -> tuple[Path, ...]:
        """The episodes file, which stands for all."""
        return (self.episodes,)

    def prepare(self, overwrite: bool) -> None:
        """Make the folders, and remove the videos of an earlier run with its episodes, or of one that broke off.

        Removes nothing that is not named like a file of this command. Raises UsageError as `ResultFolder.prepare`.
        """
        ResultFolder.prepare(self, overwrite)
        try:
            self.videos.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"--output {self.path}: {self.videos} cannot be made: {error.strerror}") from error
        for path in self._leftovers():
            path.unlink()

    def _leftovers(self) -> Iterator[Path]:
        yield from self.videos.glob("synth-*-*.mp4")
        yield from self.videos.glob(".synth-*-*.mp4.*.tmp")  # half-written when the run was killed, like the next
        yield from self.path.glob(f".{self.episodes.name}.*.tmp")
