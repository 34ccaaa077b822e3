"""Whether a folder already holds all that a run would make: then there is nothing to load and nothing to do.

Imports little, so that a job that has nothing to do takes no longer than reading its own results.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.engines.request import RunRequest, RunResult
from socialcli.errors import InvalidInputError
from socialcli.plugins import Registry
from socialcli.runs.accuracy import read_accuracy
from socialcli.runs.continuing import begun
from socialcli.runs.folder import OutputFolder
from socialcli.runs.manifest import Manifest
from socialcli.runs.settings import RunSettings
from socialcli.runs.stamps import unchanged

_log = logging.getLogger(__name__)

# Of a run that has ended, these cost no answer and change nothing in its files.
_OF_SPEED = frozenset({"batch_size", "workers", "device", "attn", "timeout_per_question"})


def find_finished(request: RunRequest, registry: Registry) -> RunResult | None:
    """What the run left that is to be done again, if it came to its end and all it depends on is as it was then.

    Raises UnknownNameError for a model that nobody provides.
    """
    spec = registry.model(request.settings.model).item
    folder = OutputFolder(request.output)
    if request.overwrite:
        return None
    try:
        before = begun(folder.manifest)
        if before is None or before["outcome"] not in ("done", "failures"):
            return None
        manifest = Manifest.from_record(before, request.settings)
        if manifest.model.adapter_version != spec.version or not _same(before["settings"], request.settings):
            return None
        if request.retry_failed and manifest.counts.failed:
            return None
        if not unchanged(folder.inputs, request.settings) or not _whole(folder.predictions, manifest):
            return None
        accuracy = read_accuracy(folder.accuracy)
    except InvalidInputError:
        return None  # the run finds out, and says so
    for warning in manifest.warnings:
        _log.warning("%s", warning)
    _log.info("nothing to do: the run in %s ended %s", folder.path, before["finished"])
    return RunResult(accuracy, manifest)


def _same(before: dict[str, object], settings: RunSettings) -> bool:
    return {name: before.get(name) for name in before.keys() - _OF_SPEED} == {
        name: value for name, value in settings.as_record().items() if name not in _OF_SPEED
    }


def _whole(predictions: Path, manifest: Manifest) -> bool:
    try:
        rows: int = pq.read_metadata(predictions).num_rows
    except (OSError, pa.ArrowException):
        return False
    return rows == manifest.counts.rows
