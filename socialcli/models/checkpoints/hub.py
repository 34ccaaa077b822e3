"""Where a checkpoint's files are on this machine: a folder, or the hub's cache, downloaded first if necessary.

A checkpoint on the hub comes in two steps, so that a wrong one is refused before its gigabytes are fetched: the small
files (configuration, tokenizer, templates), then the weights. Both steps end in a folder, the snapshot in the hub's
cache, and everything after that reads this folder. The layout of the cache is the one that huggingface_hub documents
("Understand caching"): models--OWNER--NAME/{blobs,refs,snapshots/COMMIT}.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from socialcli.errors import CheckpointError, UsageError
from socialcli.models.checkpoints.containment import INDEX, shard_names
from socialcli.models.checkpoints.hub_refusals import hub_refusal
from socialcli.models.checkpoints.names import checkpoint_advice

WEIGHTS = "model.safetensors"

_SMALL = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")


@dataclass(frozen=True, slots=True)
class Source:
    """What --checkpoint and --revision name. Raises UsageError for a revision of a folder."""

    checkpoint: str  # a folder, or OWNER/NAME on the hub
    revision: str | None = None  # a branch, tag or commit on the hub; None: its main branch

    def __post_init__(self) -> None:
        """Check that the fields agree."""
        if self.revision is not None and self.is_folder:
            raise UsageError(
                f"--revision {self.revision}: checkpoint {self.checkpoint!r} is a folder, which has one version only; "
                "leave the option out, or name a hub id"
            )

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder on this machine."""
        return Path(self.checkpoint).is_dir()

    def small_files(self) -> Path:
        """The folder with everything but the weights. Raises CheckpointError where it cannot be found."""
        _check_name(self.checkpoint)
        return Path(self.checkpoint) if self.is_folder else self._downloaded(_SMALL, self.revision)

    def weights(self, folder: Path) -> Path:
        """`folder`, with the weights in it as well. Raises CheckpointError where they cannot be found."""
        names = shard_names(folder) or (WEIGHTS,)
        if not self.is_folder:
            # By its commit, which names the snapshot: the branch may have moved on since the small files were read.
            folder = self._downloaded((*_SMALL, *names), folder.name)
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise CheckpointError(_missing(self.checkpoint, self.is_folder, folder, missing))
        return folder

    def _downloaded(self, patterns: tuple[str, ...], revision: str | None) -> Path:
        try:
            return Path(snapshot_download(self.checkpoint, revision=revision, allow_patterns=list(patterns)))
        except LocalEntryNotFoundError as error:
            if self.revision is None and (only := self._only_snapshot()) is not None:
                return only
            raise CheckpointError(hub_refusal(error, self.checkpoint, self.revision)) from error
        except (HfHubHTTPError, HFValidationError) as error:
            raise CheckpointError(hub_refusal(error, self.checkpoint, self.revision)) from error

    def _only_snapshot(self) -> Path | None:
        """The only snapshot in the cache: a checkpoint downloaded by its commit, or copied, has no refs/main.

        Raises CheckpointError where there are several.
        """
        repository = Path(constants.HF_HUB_CACHE) / f"models--{self.checkpoint.replace('/', '--')}"
        found = sorted(path for path in repository.glob("snapshots/*") if (path / "config.json").is_file())
        main = repository / "refs" / constants.DEFAULT_REVISION
        if main.is_file():  # this version, as far as it is cached, and no other
            return next((path for path in found if path.name == main.read_text(encoding="utf-8").strip()), None)
        if len(found) > 1:
            raise CheckpointError(
                f"checkpoint {self.checkpoint!r}: the hub's cache holds {len(found)} versions of it and does not say "
                f"which is the main one; choose with --revision: {', '.join(path.name for path in found)}"
            )
        return next(iter(found), None)


def _check_name(checkpoint: str) -> None:
    folder = Path(checkpoint)
    if advice := checkpoint_advice(checkpoint):
        raise CheckpointError(f"checkpoint {checkpoint!r}: {advice}")
    if folder.is_file():
        raise CheckpointError(f"checkpoint {checkpoint!r} is a file: name the folder that holds it")
    if not folder.is_dir() and (folder.is_absolute() or checkpoint.startswith(".") or checkpoint.count("/") != 1):
        raise CheckpointError(f"checkpoint {checkpoint!r} is neither a folder nor an id on the hub (owner/name)")


def _missing(checkpoint: str, is_folder: bool, folder: Path, missing: list[str]) -> str:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    if not is_folder:
        return (
            f"checkpoint {checkpoint!r}: the hub's cache holds only a part of it, without {missing[0]}{more}; "
            f"`hf download {checkpoint}` fetches the rest"
        )
    if missing == [WEIGHTS] and (shards := sorted(path.name for path in folder.glob("model-*-of-*.safetensors"))):
        return (
            f"checkpoint {checkpoint!r} has parts of the weights ({shards[0]}), but neither {INDEX}, which says "
            f"what is in which part, nor {WEIGHTS}; fetch it again, with all of its files"
        )
    pickled = any(folder.glob("pytorch_model*.bin"))
    why = "pickled weights (pytorch_model.bin) are not opened: " if pickled else ""
    return (
        f"checkpoint {checkpoint!r} has no file named {missing[0]}{more}; {why}"
        "fetch it again, or save it with save_pretrained, which writes safetensors"
    )
