"""The settings in which two runs differ, as far as their manifests and rows show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from socialcli.results.columns import storable
from socialcli.results.manifest import ModelIdentity
from socialcli.settings.run import run_settings
from socialcli.stats.accuracy import STRENGTH_COLUMNS
from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import CONDITION_COLUMNS, Side

# Settings of a manifest that rows record more precisely: in a row, `layers` is resolved from "auto".
_IN_ROWS = (*CONDITION_COLUMNS, "answer", "merge", "name")
# Settings that affect neither answers nor the choice of questions; `seed` is in manifests of earlier versions.
_WITHOUT_EFFECT = (
    "seed",
    "workers",
    "max_failures",
    "min_coverage",
    "check_invariance",
    "timeout_per_question",
    "allow_links",
)

_DEFAULTS: Mapping[str, Any] = {
    **{one.key: storable(one.default) for one in run_settings() if not one.required},
    **{one.name: one.default for one in dataclasses.fields(ModelIdentity) if one.default is not MISSING},
}
"""What a manifest of a version without the setting would say: its answers were made as by default."""


def differences(a: Side, b: Side) -> dict[str, tuple[Any, Any]]:
    """The differing settings by name, with the values of A and B.

    First the columns of the rows, with the alignment's strength only if both are aligned, for an unaligned row has
    none; then, if both sides have a manifest, their settings, the model and its hashes, the episodes file's hash and
    the versions of packages.
    """
    both_aligned = a.condition.aligned and b.condition.aligned
    one, other = a.condition.as_record(), b.condition.as_record()
    names = [name for name in CONDITION_COLUMNS if both_aligned or name not in STRENGTH_COLUMNS]
    found = {name: (one[name], other[name]) for name in names if one[name] != other[name]}
    if known_by_manifest(a, b):
        one, other = _recorded(a.source), _recorded(b.source)
        names = [name for name in {**one, **other} if name not in (*_IN_ROWS, *_WITHOUT_EFFECT)]
        found |= {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}
    return found


def known_by_manifest(a: Side, b: Side) -> bool:
    """Whether both sides have a manifest, which records settings that are not columns."""
    return bool(a.source.manifest and b.source.manifest)


def _recorded(source: Source) -> dict[str, Any]:
    """What the manifest records about how answers were made; device and dtype are those of the loaded model.

    A setting that it lacks has its default.
    """
    versions = source.manifest.get("versions")
    found = {
        **source.settings,
        **source.model,
        "input_sha256": source.manifest.get("input_sha256"),
        **(versions if isinstance(versions, Mapping) else {}),
    }
    return found | {name: value for name, value in _DEFAULTS.items() if name not in found}
