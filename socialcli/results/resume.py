"""Whether work may go on in a folder: it was begun with the same settings, or with others that change no answer.

Of a run, a sweep or a measurement alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from socialcli.alignment.rules import RENAMED
from socialcli.errors import InvalidInputError, UsageError
from socialcli.results.folder import KeepingFolder
from socialcli.results.manifest import ModelIdentity
from socialcli.settings.alignment import AlignmentSettings
from socialcli.settings.fields import settings_of
from socialcli.settings.run import RunSettings, run_settings

if TYPE_CHECKING:
    from socialcli.results.kept import KeptRows
    from socialcli.results.tables import RowKind

T = TypeVar("T")

# No answer depends on them: speed, limits, checks, and where the clips are (answers depend on what is in the clips).
FREE = frozenset(one.key for one in run_settings() if one.about.free)
_OF_THE_BIAS = frozenset(one.key for one in settings_of(AlignmentSettings)) - {"alignment"}
DECIDING = ("torch", "transformers")  # packages whose versions can move scores, by rounding at least
_MADE_WITH = "answers in the folder were made with"
_BEGIN_ANEW = "name another folder, or begin anew with --overwrite"


def begun(folder: KeepingFolder) -> Mapping[str, Any] | None:
    """The manifest of the work that a folder holds; None: it holds none.

    Raises InvalidInputError where it is damaged.
    """
    try:
        record = json.loads(folder.manifest.read_text(encoding="utf-8"))
        return {"settings": {**record["settings"]}, "outcome": record["outcome"], "counts": record["counts"], **record}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            f"{folder.manifest}: cannot be read as the manifest of a {folder.kind} ({error}); {_BEGIN_ANEW}"
        ) from error


def begun_before(
    folder: KeepingFolder, settings: RunSettings, defaults: Mapping[str, Any] = MappingProxyType({})
) -> Mapping[str, Any] | None:
    """The manifest of the work that a folder holds and that these settings may go on with; None: it holds nothing.

    `defaults` are what settings that are left out (None) come to: who names one means the same.
    Raises UsageError where it holds anything else, and InvalidInputError where the manifest is damaged.
    """
    found = begun(folder)
    if found is None or any(path.exists() for path in folder.foreign):
        folder.check(overwrite=False)
        return None
    check_same_settings(folder.path, found, settings, folder.kind, defaults)
    return found


def kept_rows(folder: KeepingFolder, retry_failed: bool, table: RowKind[T]) -> KeptRows[T]:
    """The rows of a `table` that a folder holds; without those that failed where these are to be asked again."""
    from socialcli.results.kept import KeptRows  # a finished run needs none
    from socialcli.results.parts import part_paths

    there = [path for path in (folder.set_aside, folder.part_set_aside, folder.rows) if path.exists()]
    return KeptRows.read([*there, *part_paths(folder.parts)], table, failed=not retry_failed)


def check_same_settings(
    folder: Path,
    before: Mapping[str, Any],
    settings: RunSettings,
    kind: str = "run",
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Raise UsageError, with each difference, where a run (or other `kind` of work) cannot go on with these settings.

    More is fine: a higher limit on the number of questions, or the second condition beside the one that was asked.
    Less would drop answers. Settings of the bias do not matter to a folder that has unaligned answers alone.
    """
    now = settings.as_record()
    there = before["settings"]
    free = FREE | _OF_THE_BIAS if there.get("alignment") == "off" else FREE
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


def _means(name: str, old: Any, new: Any) -> bool:
    """Whether two values of a setting mean the same: the order of tasks, and the way a file is named, do not matter."""
    if name == "tasks":
        old, new = sorted(old), sorted(new)
    elif name in ("episodes", "heads") and old and new:
        old, new = os.path.realpath(old), os.path.realpath(new)
    elif name == "more_episodes":  # a file more is more questions, one fewer would drop answers
        return set(map(os.path.realpath, old)) <= set(map(os.path.realpath, new))
    return bool(old == new)


def _is_default(default: Any, *values: Any) -> bool:
    """Whether each of the values is the default, by its name or left out."""
    return default is not None and all(value is None or value == default for value in values)


def check_same_numbers(folder: Path, before: Mapping[str, Any], model: ModelIdentity, kind: str = "run") -> None:
    """Raise UsageError where the loaded model calculates in another number format than the one before did."""
    dtype = (before.get("model") or {}).get("dtype")
    if dtype is not None and dtype != model.dtype:
        _refuse(folder, [("dtype", dtype, model.dtype)], kind)


def version_warnings(before: Mapping[str, Any], now: Mapping[str, str | None]) -> tuple[str, ...]:
    """What to say where a run goes on with other versions of `DECIDING` than made the answers in its folder.

    `before` is the manifest of the run there, `now` the versions installed. What was said before is said again, for
    answers of that time may be among those that are kept.
    """
    there = before.get("versions") or {}
    changes = [
        f"{name} {there[name]}, and {now.get(name) or 'none'} is installed now"
        for name in DECIDING
        if there.get(name) is not None and there[name] != now.get(name)
    ]
    new = [f"{_MADE_WITH} {', '.join(changes)}; they are kept: --overwrite asks them again"] if changes else []
    earlier = [warning for warning in before.get("warnings") or () if warning.startswith(_MADE_WITH)]
    return tuple(dict.fromkeys([*earlier, *new]))


def _refuse(folder: Path, differences: list[tuple[str, object, object]], kind: str) -> None:
    if not differences:
        return
    listed = "; ".join(f"{name}: {_shown(old)} there, {_shown(new)} now" for name, old, new in differences)
    raise UsageError(f"--output {folder}: holds a {kind} with other settings ({listed}); {_BEGIN_ANEW}")


def _shown(value: object) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)
