"""How work takes up its folder: it goes on with what is there, or begins anew. The same for run, sweep and measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from socialcli.errors import UsageError
from socialcli.jobs.job import Job
from socialcli.jobs.request import RunRequest
from socialcli.results.folder import KeepingFolder
from socialcli.results.manifest import Manifest, ModelIdentity
from socialcli.results.resume import begun_before, check_same_numbers, version_warnings


def check_request(request: RunRequest) -> None:
    """Raise UsageError for what cannot be wanted together."""
    if request.retry_failed and request.overwrite:
        raise UsageError("--retry-failed keeps what has not failed, and --overwrite nothing; choose one of them")
    for option, folder in (("checkpoint", request.settings.model.checkpoint), ("adapter", request.settings.model.lora)):
        if folder is not None and request.output.resolve() == Path(folder).resolve():
            raise UsageError(f"--output {request.output}: is the folder of --{option}; name another one")


def manifest_before(request: RunRequest, folder: KeepingFolder, job: Job) -> Mapping[str, Any] | None:
    """The manifest of the work that is to go on; None: it begins anew.

    Raises UsageError where the folder holds other work, or none and what failed in it is to be asked again, and
    InvalidInputError where the manifest is damaged.
    """
    before = None if request.overwrite else begun_before(folder, job.settings, job.model.item.defaults)
    if before is None and request.retry_failed:
        raise UsageError(f"--retry-failed: {folder.path} holds no {folder.kind}; name the folder of one with --output")
    return before


def take_up(
    folder: KeepingFolder, manifest: Manifest, before: Mapping[str, Any] | None, model: ModelIdentity, overwrite: bool
) -> Manifest:
    """Make the folder ready for work by a loaded model; return the manifest with the model, and what has changed.

    Raises UsageError where the work that goes on was done in another number format, or where results stand in the way.
    """
    manifest = replace(manifest, model=model)
    if before is None:
        folder.prepare(overwrite)
        return manifest
    check_same_numbers(folder.path, before, model, folder.kind)
    return replace(manifest, warnings=version_warnings(before, manifest.versions))
