"""How a job starts, and how its manifest records where it stands until it ends: for run, sweep, measure and train.

`JobStart` prepares or resumes the folder. `recorded` alone decides the outcome and the exit code in
the manifest; a verb whose manifest holds 3 raises TooManyFailuresError, and `socialcli.cli` exits with its code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from socialcli.episodes.reading import EpisodeRow
from socialcli.errors import SocialcliError, Terminated, TooManyFailuresError, UsageError
from socialcli.files import write_json
from socialcli.interrupts import uninterrupted
from socialcli.jobs.coverage import check_coverage
from socialcli.jobs.job import Job
from socialcli.jobs.request import JobRequest
from socialcli.results.folder import ResumableFolder
from socialcli.results.inputs import Inputs
from socialcli.results.keys import files_digest
from socialcli.results.manifest import Manifest, ModelIdentity, Outcome
from socialcli.results.resume import check_same_numbers, resumable_manifest, version_warnings

_log = logging.getLogger(__name__)


def check_request(request: JobRequest) -> None:
    """Raise UsageError for options that exclude each other, and for an output folder that holds the model."""
    if request.retry_failed and request.overwrite:
        raise UsageError("--retry-failed keeps what has not failed, and --overwrite nothing; choose one of them")
    for option, folder in (("checkpoint", request.settings.model.checkpoint), ("adapter", request.settings.model.lora)):
        if folder is not None and request.output.resolve() == Path(folder).resolve():
            raise UsageError(f"--output {request.output}: is the folder of --{option}; name another one")


class LoadedModel(Protocol):
    """What a job needs to know of the model that it has loaded."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""

    @property
    def files(self) -> Sequence[Path]:
        """The folders of its weights."""


@dataclass(frozen=True, slots=True)
class JobStart:
    """A job that may start: checked, with its folder locked and untouched, and its model not loaded yet."""

    request: JobRequest
    folder: ResumableFolder
    manifest: Manifest
    earlier: Mapping[str, Any] | None  # the manifest in the folder, of the job to resume; None: start afresh
    coverage_warnings: Sequence[str]  # logged already

    @classmethod
    def check(
        cls, request: JobRequest, folder: ResumableFolder, job: Job, rows: Iterable[EpisodeRow] | None = None
    ) -> Self:
        """Check that the job can use the folder, and the coverage of `rows` (default: the episodes files).

        Raises UsageError where the folder holds other work, and with `--retry-failed` where it holds none;
        InvalidInputError where its manifest is damaged, and below `--min-coverage`.
        """
        earlier = None if request.overwrite else resumable_manifest(folder, job.settings, job.model.item.defaults)
        if earlier is None and request.retry_failed:
            raise UsageError(
                f"--retry-failed: {folder.path} holds no {folder.kind}; name the folder of one with --output"
            )
        warnings = check_coverage(job.settings, job.tasks, rows)
        digest = files_digest(job.settings.selection.files)
        manifest = Manifest.begin(job.settings, request.command, job.identity, digest)
        return cls(request, folder, manifest, earlier, warnings)

    def begin(self, model: LoadedModel, inputs: Inputs, warnings: Sequence[str] = ()) -> Manifest:
        """Prepare the folder, or resume the job in it, with the loaded model; return the manifest to begin with.

        The manifest repeats `warnings`, which were logged already, with those of the coverage. Raises UsageError where
        the job to resume was done in another number format, or where results stand in the way; CheckpointError where
        the model's files changed while they were loaded.
        """
        inputs.add_folders(model.files)
        new: Sequence[str] = ()
        if self.earlier is None:
            self.folder.prepare(self.request.overwrite)
        else:
            check_same_numbers(self.folder.path, self.earlier, model.identity, self.folder.kind)
            new = version_warnings(self.earlier, self.manifest.versions)
        for warning in new:
            _log.warning("%s", warning)
        return replace(self.manifest, model=model.identity, warnings=(*self.coverage_warnings, *warnings, *new))


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended."""

    outcome: Outcome
    exit_code: int
    problems: tuple[str, ...] = ()  # the message of the error that ended it

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """The ending of a job that an error or an interrupt cut short."""
        problems = tuple(filter(None, [str(error)]))
        if isinstance(error, KeyboardInterrupt):
            return cls("interrupted", 130, problems)
        if isinstance(error, Terminated):
            return cls("interrupted", 143, problems)
        if isinstance(error, TooManyFailuresError):
            return cls("stopped", error.exit_code, problems)
        return cls("error", error.exit_code if isinstance(error, SocialcliError) else 1, problems)


DONE = Ending("done", 0)
FAILURES = Ending("failures", TooManyFailuresError.exit_code)


class JobManifest(Protocol):
    """The content of a manifest: run.json, sweep.json, measure.json or train.json."""

    def as_record(self) -> dict[str, Any]:
        """The content as JSON values."""


M = TypeVar("M", bound=JobManifest)
M_co = TypeVar("M_co", bound=JobManifest, covariant=True)


class ManifestFolder(Protocol):
    """A folder with a manifest."""

    @property
    def manifest(self) -> Path:
        """The file."""


class JobStatus(Protocol[M_co]):
    """Where a job stands, as its manifest says it."""

    def manifest(self, ending: Ending | None) -> M_co:
        """The manifest as of now; `ending` is None while the job runs."""

    def too_many_failed(self) -> bool:
        """Whether more failed than `--max-failures` allows, now that everything is done."""


class Record(Generic[M]):
    """Writes the manifest of a job."""

    def __init__(self, path: Path, status: JobStatus[M]) -> None:
        """Write the manifest of a job that starts. Raises OSError where it cannot be written."""
        self._path = path
        self._status = status
        self.update()

    def update(self) -> None:
        """Write where the running job stands. Raises OSError where it cannot be written."""
        self.end(None)

    def end(self, ending: Ending | None) -> None:
        """Write how the job ended. Raises OSError where it cannot be written."""
        self.manifest = self._status.manifest(ending)
        write_json(self._path, self.manifest.as_record())


def _ignore(_manifest: object) -> None:
    """For callers of `recorded` that report nothing."""


@contextmanager
def recorded(
    folder: ManifestFolder, status: JobStatus[M], on_abort: Callable[[M], None] = _ignore
) -> Iterator[Record[M]]:
    """Keep the manifest of the job that the block does: "running" until it ends, then how it ended.

    A block that ends by itself is done, or done with failures; any error or interrupt that ends it is recorded, and
    raised again. `on_abort` is then given the manifest, before the error is reported. Raises OSError where the
    manifest cannot be written at the start, at the end of the block, or in `Record.update`.
    """
    record = Record(folder.manifest, status)
    try:
        yield record
        record.end(FAILURES if status.too_many_failed() else DONE)
    except BaseException as error:
        with uninterrupted():
            _abort(record, Ending.of(error), folder.manifest, on_abort)
        raise


def _abort(record: Record[M], ending: Ending, path: Path, on_abort: Callable[[M], None]) -> None:
    """Record and report an ending by an error. If the write fails too, the original error is still the one reported."""
    try:
        record.end(ending)
    except Exception as failure:
        reason = getattr(failure, "strerror", None) or failure
        _log.warning("%s still says that the job is running: it cannot be written (%s)", path, reason)
    with suppress(OSError):  # standard output is closed
        on_abort(record.manifest)
