"""Which questions of which files, and where their clips are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from socialcli.errors import UsageError
from socialcli.settings.fields import check_settings, setting
from socialcli.tasks import names

ALL_TASKS = (names.ALL_TASKS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionSettings:
    """The questions to ask. Raises UsageError for a value out of range, and where no task is named."""

    episodes: str = field(metadata=setting(help="Episodes file: Parquet, JSONL or .jsonl.gz."))
    tasks: tuple[str, ...] = field(  # at least one, or ALL_TASKS
        metadata=setting(
            option="--task",
            metavar="TASK",
            names="tasks",
            help="Task to select, or all; `socialcli tasks` lists them. May be repeated.",
        )
    )
    more_episodes: tuple[str, ...] = field(
        default=(), metadata=setting(help="Further episodes files, read after the first; no id occurs in two of them.")
    )
    limit: int | None = field(
        default=None,
        metadata=setting(least=0, metavar="N", free=True, help="Use only the first N questions of each task."),
    )
    split: str | None = field(
        default=None, metadata=setting(metavar="NAME", help="Use only the questions of this split.")
    )
    media_root: str | None = field(
        default=None,
        metadata=setting(
            is_path=True,
            metavar="DIR",
            free=True,
            otherwise="the folder of EPISODES",
            help="Folder that video paths are relative to, and may not leave.",
        ),
    )

    def __post_init__(self) -> None:
        """Check what can be checked without the files."""
        check_settings(self)
        if not self.tasks:
            raise UsageError("no task is named: add --task NAME, or --task all")

    @property
    def files(self) -> tuple[Path, ...]:
        """The episodes files, in the order in which they are read."""
        return tuple(map(Path, (self.episodes, *self.more_episodes)))

    @property
    def splits(self) -> tuple[str] | None:
        """The selected split; None: all."""
        return None if self.split is None else (self.split,)

    def media_root_of(self, folder: Path) -> Path:
        """The folder that video paths of an episodes file in `folder` are relative to."""
        return Path(self.media_root) if self.media_root is not None else folder
