"""Read the tiers of ELAN (.eaf) and Praat (.TextGrid) files with pympi: a tier is a speaker.

Of ELAN, tiers that depend on another one (translations, glosses) are left out unless they are named, and the speaker is
the tier's participant or, without one, its name. Of Praat, interval tiers are read, and point tiers only if they are
named, which is an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.lines import Line
from socialcli.files import read_bytes

DEPENDENT = "tiers left out because they depend on another tier"
POINTS = "tiers left out because they have points instead of intervals"
UNTIMED = "annotations left out because they have no times"
MILLISECONDS = 1000


def read_elan(path: Path, wanted: Collection[str], report: Report) -> list[Line]:
    """The annotations of an ELAN file's tiers by start time: all that depend on no other tier, or the `wanted` ones.

    Raises NotFoundError, and SourceError for a file that is none, or lacks a wanted tier.
    """
    document = open_elan(path)
    try:
        names = list(document.tiers)
        parts = {name: (document.tiers[name][2], document.get_annotation_data_for_tier(name)) for name in names}
    except Exception as error:  # pympi raises whatever it meets: KeyError, ValueError, Exception
        raise _unreadable(path, error) from error
    _check_wanted(path, wanted, names)
    lines: list[Line] = []
    for name, (about, found) in parts.items():
        if wanted and name not in wanted:
            continue
        if not wanted and about.get("PARENT_REF"):
            report.count(DEPENDENT)
            continue
        lines += _said(found, about.get("PARTICIPANT") or name, report)
    return sorted(lines, key=lambda line: (line.start, line.end))


def open_elan(path: Path) -> Any:
    """The document of an ELAN file, a pympi.Eaf. Raises NotFoundError, and SourceError for a file that is none."""
    read_bytes(path)  # so that a missing file is reported as everywhere
    import pympi

    try:
        return pympi.Eaf(str(path), suppress_version_warning=True)
    except Exception as error:  # pympi raises whatever it meets
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError(path, None, None, f"cannot be read as an ELAN file ({error}); open and save it in ELAN")


def _said(found: Any, speaker: str, report: Report) -> Iterator[Line]:
    for start, end, text, *_ in found:
        if start is None or end is None:
            report.count(UNTIMED)
        elif text.strip():
            yield Line(start / MILLISECONDS, end / MILLISECONDS, " ".join(text.split()), speaker)


def read_textgrid(path: Path, wanted: Collection[str], report: Report) -> list[Line]:
    """The intervals with words of a Praat file's tiers by start time: of all interval tiers, or of the `wanted` ones.

    Raises NotFoundError, and SourceError for a file that is none, or lacks a wanted tier.
    """
    content = read_bytes(path)
    import pympi

    try:
        tiers = list(pympi.TextGrid(str(path), codec=_codec(content)).get_tiers())
    except Exception as error:  # pympi raises whatever it meets
        message = f"cannot be read as a TextGrid ({error}); open and save it in Praat as a text file"
        raise SourceError(path, None, None, message) from error
    _check_wanted(path, wanted, [tier.name for tier in tiers if tier.tier_type == "IntervalTier"])
    lines: list[Line] = []
    for tier in tiers:
        if tier.tier_type != "IntervalTier":
            report.count(POINTS)
        elif not wanted or tier.name in wanted:
            said = ((start, end, " ".join(text.split())) for start, end, text in tier.get_intervals())
            lines += [Line(float(start), float(end), text, tier.name) for start, end, text in said if text]
    return sorted(lines, key=lambda line: (line.start, line.end))


def _codec(content: bytes) -> str:
    """Praat writes UTF-16 with a byte order mark where it needs other letters than ASCII."""
    return "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _check_wanted(path: Path, wanted: Collection[str], names: Collection[str]) -> None:
    if missing := [name for name in wanted if name not in names]:
        there = ", ".join(names) or "none"
        raise SourceError(path, None, None, f"has no tier {missing[0]!r} with intervals; its tiers: {there}")
