"""Finds out whether the same job is finished in its folder already, so that nothing needs to be loaded or done.

Imports little: a command with nothing to do should take no longer than reading its own results.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError
from socialcli.jobs.request import JobRequest, RunResult
from socialcli.models.contract import ModelSpec
from socialcli.plugins.registry import Registry
from socialcli.results.folder import OutputFolder, ResumableFolder
from socialcli.results.inputs import unchanged
from socialcli.results.manifest import Manifest
from socialcli.results.resume import read_manifest
from socialcli.settings.run import RunSettings
from socialcli.stats.accuracy import read_accuracy

_log = logging.getLogger(__name__)

# Settings that change nothing in the files of a finished run.
_OF_SPEED = frozenset({"batch_size", "workers", "device", "attn", "timeout_per_question"})


def find_finished(request: JobRequest, registry: Registry) -> RunResult | None:
    """The result in the folder, if the same run is finished there and nothing that it depends on has changed.

    Raises UnknownNameError for a model that no plug-in provides.
    """
    spec = registry.model(request.settings.model.name).item
    folder = OutputFolder(request.output)
    found = finished_work(folder, request, spec)
    if found is None or not _complete(folder.predictions, found[0]):
        return None
    manifest, _ = found
    try:
        accuracy = read_accuracy(folder.accuracy)
    except InvalidInputError:
        return None  # write the table again
    log_finished(folder, manifest)
    return RunResult(accuracy, manifest)


def log_finished(folder: ResumableFolder, manifest: Manifest, logged: Collection[str | None] = ()) -> None:
    """Log that there is nothing to do, and the warnings of the finished job except those `logged` already."""
    for warning in manifest.warnings:
        if warning not in logged:
            _log.warning("%s", warning)
    finished = manifest.finished.isoformat(timespec="seconds") if manifest.finished else None
    _log.info("nothing to do: the %s in %s ended %s", folder.kind, folder.path, finished)


def finished_work(
    folder: ResumableFolder, request: JobRequest, spec: ModelSpec, settings: Collection[str] | None = None
) -> tuple[Manifest, Mapping[str, Any]] | None:
    """The finished job in the folder, if the request is the same, and its inputs and results have not changed.

    Returns its manifest (with the counts of a run, else zeros), and the full record as it was written. Compares the
    `settings` that the record has (None: all); what else was requested is for the caller to compare.
    """
    if request.overwrite:
        return None
    try:
        before = read_manifest(folder)
        if before is None or before["outcome"] not in ("done", "failures"):
            return None
        failed = before["counts"].get("failed") or before["counts"].get("questions_failed")
        counts = before["counts"] if "rows" in before["counts"] else {}
        manifest = Manifest.from_record({"stages": {}, **before, "counts": counts}, request.settings)
    except (InvalidInputError, AttributeError):
        return None  # the job itself will report it
    if manifest.model.adapter_version != spec.version or (request.retry_failed and failed):
        return None
    same = _same(before["settings"], request.settings, settings)
    return (manifest, before) if same and unchanged(folder.inputs, request.settings) else None


def _same(before: Mapping[str, object], settings: RunSettings, names: Collection[str] | None) -> bool:
    record = {name: value for name, value in settings.as_record().items() if names is None or name in names}
    return {name: before.get(name) for name in before.keys() - _OF_SPEED} == {
        name: value for name, value in record.items() if name not in _OF_SPEED
    }


def _complete(predictions: Path, manifest: Manifest) -> bool:
    try:
        rows: int = pq.read_metadata(predictions).num_rows
    except (OSError, pa.ArrowException):
        return False
    return rows == manifest.counts.rows
