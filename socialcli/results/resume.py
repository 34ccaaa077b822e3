"""Whether a job may resume in a folder: only with the same settings, except those that change no answer.

For runs, sweeps and measurements alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from socialcli.alignment.heads.selectors import FIXED_SELECTOR
from socialcli.alignment.rules import RENAMED
from socialcli.errors import InvalidInputError, UsageError
from socialcli.results.folder import ResumableFolder
from socialcli.results.manifest import ModelIdentity
from socialcli.settings.alignment import AlignmentSettings
from socialcli.settings.fields import settings_of
from socialcli.settings.run import RunSettings, run_settings

if TYPE_CHECKING:
    from socialcli.results.earlier import EarlierRows
    from socialcli.results.tables import RowKind

T = TypeVar("T")

# No answer depends on these: they set the speed, the reports, and where the clips are. (The contents of the clips count
# through the keys.)
FREE = frozenset(one.key for one in run_settings() if one.about.free)
_DEFAULTS = {one.key: one.default for one in run_settings()}
_OF_THE_BIAS = frozenset(one.key for one in settings_of(AlignmentSettings)) - {"alignment"}
_LATER = (  # keys that came after version 1.0
    *("heads_by", "heads_rank", "heads_seed", "steer", "balance", "permute", "regions", "region_share"),
)
DECIDING = ("torch", "transformers")  # packages whose versions can move scores, by rounding at least
_MADE_WITH = "answers in the folder were made with"
_REMEDY = "name another folder, or start afresh with --overwrite"


def read_manifest(folder: ResumableFolder) -> Mapping[str, Any] | None:
    """The manifest in a folder; None if there is none. Raises InvalidInputError where it is damaged."""
    try:
        record = json.loads(folder.manifest.read_text(encoding="utf-8"))
        return {"settings": {**record["settings"]}, "outcome": record["outcome"], "counts": record["counts"], **record}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            f"{folder.manifest}: cannot be read as the manifest of a {folder.kind} ({error}); {_REMEDY}"
        ) from error


def resumable_manifest(
    folder: ResumableFolder, settings: RunSettings, defaults: Mapping[str, Any] = MappingProxyType({})
) -> Mapping[str, Any] | None:
    """The manifest of the job in a folder that these settings may resume; None if the folder holds no results.

    `defaults` are the values of settings left out (None), so that naming one explicitly means the same. Raises
    UsageError where the folder holds anything else, and InvalidInputError where the manifest is damaged.
    """
    found = read_manifest(folder)
    if found is None or any(path.exists() for path in folder.foreign):
        folder.check(overwrite=False)
        return None
    check_same_settings(folder.path, found, settings, folder.kind, defaults)
    return found


def earlier_rows(folder: ResumableFolder, retry_failed: bool, table: RowKind[T]) -> EarlierRows[T]:
    """The rows of a `table` in a folder; with `retry_failed`, without the failed ones."""
    from socialcli.results.earlier import EarlierRows  # slow to import, and a finished run needs none
    from socialcli.results.parts import part_paths

    existing = [path for path in (folder.set_aside, folder.part_set_aside, folder.rows) if path.exists()]
    return EarlierRows.read([*existing, *part_paths(folder.parts)], table, failed=not retry_failed)


def check_same_settings(
    folder: Path,
    before: Mapping[str, Any],
    settings: RunSettings,
    kind: str = "run",
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Raise UsageError, with each difference, where a run (or other `kind` of job) cannot resume with these settings.

    More answers are fine: a higher limit on questions, the second condition, or more orders of the candidates. Less
    would drop some. Settings of the bias do not matter to a folder of unaligned answers.
    """
    now = settings.as_record()
    there = _of_this_version(before["settings"])
    free = FREE | _OF_THE_BIAS if there.get("alignment") == "off" else FREE
    if there.get("permute") is None:
        free = free | {"permute_seed"}  # no order in the folder was drawn
    names = [
        name
        for name in now
        if name not in free
        and not _means(name, there.get(name, now[name]), now[name])
        and not _is_default(defaults.get(name), there.get(name), now[name])
    ]
    if "alignment" in names and now["alignment"] == "both":
        names.remove("alignment")
    if now["limit"] is not None and (there.get("limit") is None or there["limit"] > now["limit"]):
        names.append("limit")
    if "bias" in names and RENAMED.get(there["bias"]) == now["bias"]:
        there = {**there, "bias": f"{there['bias']} (as it was called; its answers have other keys)"}
    _refuse(folder, [(name, there.get(name), now[name]) for name in names], kind)


def _of_this_version(before: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a manifest, with the defaults of those that came after its version: what it did then."""
    later = {name: _DEFAULTS[name] for name in _LATER if name not in before}
    if before.get("heads") is not None and "heads_by" in later:
        later["heads_by"] = FIXED_SELECTOR
    return {**before, **later}


def _means(name: str, old: Any, new: Any) -> bool:
    """Whether two values of a setting mean the same, whatever the order of tasks and the spelling of paths."""
    if name == "tasks":
        old, new = sorted(old), sorted(new)
    elif name in ("episodes", "heads") and old and new:
        old, new = os.path.realpath(old), os.path.realpath(new)
    elif name == "permute":
        return (old or 1) <= (new or 1)
    elif name == "more_episodes":  # another file adds questions; one fewer would drop answers
        return set(map(os.path.realpath, old)) <= set(map(os.path.realpath, new))
    return bool(old == new)


def _is_default(default: Any, *values: Any) -> bool:
    """Whether each value is the default, named explicitly or left out."""
    return default is not None and all(value is None or value == default for value in values)


def check_same_numbers(folder: Path, before: Mapping[str, Any], model: ModelIdentity, kind: str = "run") -> None:
    """Raise UsageError where the loaded model computes in another number format than the earlier one."""
    dtype = (before.get("model") or {}).get("dtype")
    if dtype is not None and dtype != model.dtype:
        _refuse(folder, [("dtype", dtype, model.dtype)], kind)


def version_warnings(before: Mapping[str, Any], now: Mapping[str, str | None]) -> tuple[str, ...]:
    """The warnings of a job resumed with other versions of the `DECIDING` packages than its answers were made with.

    `before` is the manifest in the folder, `now` the installed versions. Earlier warnings of this kind are repeated,
    since answers of that time may be among the reused ones.
    """
    there = before.get("versions") or {}
    changes = [
        f"{name} {there[name]}, and {now.get(name) or 'none'} is installed now"
        for name in DECIDING
        if there.get(name) is not None and there[name] != now.get(name)
    ]
    new = [f"{_MADE_WITH} {', '.join(changes)}; they are kept: --overwrite asks the questions again"] if changes else []
    earlier = [warning for warning in before.get("warnings") or () if warning.startswith(_MADE_WITH)]
    return tuple(dict.fromkeys([*earlier, *new]))


def _refuse(folder: Path, differences: list[tuple[str, object, object]], kind: str) -> None:
    if not differences:
        return
    listed = "; ".join(f"{name}: {_shown(old)} there, {_shown(new)} now" for name, old, new in differences)
    raise UsageError(f"--output {folder}: holds a {kind} with other settings ({listed}); {_REMEDY}")


def _shown(value: object) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)
