"""Whether a folder already holds all that a command would make: then there is nothing to load and nothing to do.

Imports little, so that a job that has nothing to do takes no longer than reading its own results.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError
from socialcli.jobs.request import RunRequest, RunResult
from socialcli.models.contract import ModelSpec
from socialcli.plugins.registry import Registry
from socialcli.results.folder import KeepingFolder, OutputFolder
from socialcli.results.inputs import unchanged
from socialcli.results.manifest import Manifest
from socialcli.results.resume import begun
from socialcli.settings.run import RunSettings
from socialcli.stats.accuracy import read_accuracy

_log = logging.getLogger(__name__)

# Of a run that has ended, these cost no answer and change nothing in its files.
_OF_SPEED = frozenset({"batch_size", "workers", "device", "attn", "timeout_per_question"})


def find_finished(request: RunRequest, registry: Registry) -> RunResult | None:
    """What the run left that is to be done again, if it came to its end and all it depends on is as it was then.

    Raises UnknownNameError for a model that nobody provides.
    """
    spec = registry.model(request.settings.model.name).item
    folder = OutputFolder(request.output)
    found = finished_work(folder, request, spec)
    if found is None or not _whole(folder.predictions, found[0]):
        return None
    manifest, _ = found
    try:
        accuracy = read_accuracy(folder.accuracy)
    except InvalidInputError:
        return None  # the run writes the table again
    tell_finished(folder, manifest)
    return RunResult(accuracy, manifest)


def tell_finished(folder: KeepingFolder, manifest: Manifest, told: Collection[str | None] = ()) -> None:
    """Log that nothing is to be done, and the warnings of the finished work but for those `told` already."""
    for warning in manifest.warnings:
        if warning not in told:
            _log.warning("%s", warning)
    finished = manifest.finished.isoformat(timespec="seconds") if manifest.finished else None
    _log.info("nothing to do: the %s in %s ended %s", folder.kind, folder.path, finished)


def finished_work(
    folder: KeepingFolder, request: RunRequest, spec: ModelSpec, settings: Collection[str] | None = None
) -> tuple[Manifest, Mapping[str, Any]] | None:
    """Work that came to its end and that the request asks for again, where all that it depends on, and all that it
    left, is as it was then: its manifest, whose counts are a run's or 0, and the whole record as it was written.

    `settings` are those that the manifest holds; None: all. What else was asked for is the caller's to look at.
    """
    if request.overwrite:
        return None
    try:
        before = begun(folder)
        if before is None or before["outcome"] not in ("done", "failures"):
            return None
        failed = before["counts"].get("failed") or before["counts"].get("questions_failed")
        counts = before["counts"] if "rows" in before["counts"] else {}
        manifest = Manifest.from_record({"stages": {}, **before, "counts": counts}, request.settings)
    except (InvalidInputError, AttributeError):
        return None  # the work itself finds out, and says so
    if manifest.model.adapter_version != spec.version or (request.retry_failed and failed):
        return None
    same = _same(before["settings"], request.settings, settings)
    return (manifest, before) if same and unchanged(folder.inputs, request.settings) else None


def _same(before: Mapping[str, object], settings: RunSettings, names: Collection[str] | None) -> bool:
    record = {name: value for name, value in settings.as_record().items() if names is None or name in names}
    return {name: before.get(name) for name in before.keys() - _OF_SPEED} == {
        name: value for name, value in record.items() if name not in _OF_SPEED
    }


def _whole(predictions: Path, manifest: Manifest) -> bool:
    try:
        rows: int = pq.read_metadata(predictions).num_rows
    except (OSError, pa.ArrowException):
        return False
    return rows == manifest.counts.rows
